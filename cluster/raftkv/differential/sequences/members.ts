/** Who belongs to the cluster, who leads it, and what members say of themselves. */
import { json, plain, type RunStep, type Sequence } from '../sequence.ts';

/** Members come in the order of their ids, which no two clusters share. */
function members(...commands: readonly string[]): RunStep[] {
  return commands.flatMap((run) => [
    { run, unordered: true },
    { run: `${run} -w json`, unordered: true },
  ]);
}

const ADDED = /Member +([0-9a-f]+) added/;
const UNKNOWN = '1234abcd1234abcd';

const oneMember: Sequence = {
  kind: 'commands',
  name: 'member: of one',
  spares: 3,
  steps: [
    ...members('member list'),
    ...plain(`member remove ${UNKNOWN}`, `member promote ${UNKNOWN}`, 'member promote {n1}'),
    ...plain(`member update ${UNKNOWN} --peer-urls={n4.peer}`, 'member remove {n1}'),
    ...plain('member add n2', 'member add n2 --peer-urls={n1.peer}'),
    ...plain('member add n2 --learner --peer-urls={n1.peer}'),
    ...plain('member add n2 --peer-urls=nonsense', 'member add n2 --peer-urls=http://x'),
    ...plain(
      'member add n2 --peer-urls=ftp://127.0.0.1:1',
      'member add n2 --peer-urls=127.0.0.1:1',
    ),
    ...plain('member update {n1} --peer-urls=nonsense', 'member remove x', 'member promote x'),
    // A learner that never starts.
    {
      run: 'member add n2 --learner --peer-urls={n2.peer}',
      capture: { two: ADDED },
      unordered: true,
    },
    ...members('member list'),
    ...plain('member promote {two}', 'member add n3 --learner --peer-urls={n3.peer}'),
    ...plain('member update {two} --peer-urls={n4.peer}'),
    ...members('member list'),
    ...plain('member update {two} --peer-urls={n1.peer}', 'member remove {two}', 'put a 1'),
    ...plain(
      'member remove {two}',
      'member promote {two}',
      'member update {two} --peer-urls={n4.peer}',
    ),
    ...members('member list'),
    {
      run: 'member add n3 --learner --peer-urls={n3.peer} -w json',
      capture: { three: /"member":\{"ID":(\d+)/ },
      unordered: true,
    },
    ...members('member list'),
  ],
};

const learner: Sequence = {
  kind: 'commands',
  name: 'member: a learner becomes a voter',
  isMostlyWaiting: true,
  spares: 2,
  steps: [
    ...plain('put a 1'),
    {
      run: 'member add n2 --learner --peer-urls={n2.peer}',
      capture: { two: ADDED },
      unordered: true,
    },
    { join: 'n2', members: ['n1', 'n2'] },
    { run: 'member list', unordered: true, until: /, started, n2/ },
    ...members('member list'),
    { run: 'endpoint status', at: 'n2' },
    { run: 'get a', at: 'n2' },
    { run: 'get a --consistency=s', at: 'n2', until: /1/ },
    { run: 'put a 2', at: 'n2' },
    { run: 'move-leader {two}', at: 'all' },
    { run: 'member promote {two}', until: /promoted/ },
    ...plain('member promote {two}'),
    { run: 'get a', at: 'n2', until: /1/ },
    { run: 'put b 2', at: 'n2' },
    ...members('member list'),
    { run: 'member remove {two}', until: /removed/ },
    ...plain('put c 3', 'get b'),
    ...members('member list'),
  ],
};

const threeMembers: Sequence = {
  kind: 'commands',
  name: 'member: of three',
  isMostlyWaiting: true,
  nodes: 3,
  spares: 2,
  steps: [
    ...members('member list'),
    { run: 'member list', at: 'n2', unordered: true },
    // Refused until all have been connected for five seconds.
    {
      run: 'member add n4 --peer-urls={n4.peer}',
      capture: { four: ADDED },
      until: /added/,
      unordered: true,
    },
    ...members('member list'),
    ...plain(
      'put a 1',
      'member add n5 --peer-urls={n5.peer}',
      'member add n5 --peer-urls={n4.peer}',
    ),
    ...plain('member add n5 --learner --peer-urls={n5.peer}', 'member promote {four}'),
    ...plain('member remove {four}', 'put a 2'),
    { run: 'member remove {n3}', at: 'n2' },
    ...members('member list'),
    ...plain('put a 3', 'get a', 'member remove {n3}'),
    { run: 'get a', at: 'n2' },
    { run: 'member update {n2} --peer-urls={n5.peer}' },
    ...members('member list'),
  ],
};

const leadership: Sequence = {
  kind: 'commands',
  name: 'move-leader',
  nodes: 3,
  steps: [
    ...plain('put a 1', 'move-leader', 'move-leader x'),
    { run: `move-leader ${UNKNOWN}`, at: 'all' },
    { run: 'move-leader {n2}', at: 'n3' },
    { run: 'move-leader {n1}', at: 'all' },
    { run: 'move-leader {n2}', at: 'all' },
    { run: 'endpoint status', at: 'all', until: /(.*\n)*.*, true, false/ },
    ...plain('put a 2'),
    { run: 'move-leader {n3}', at: 'n1' },
    { run: 'move-leader {n3}', at: 'all' },
    { run: 'move-leader {n1}', at: 'all' },
    ...plain('get a'),
  ],
};

const endpoints: Sequence = {
  kind: 'commands',
  name: 'endpoint',
  nodes: 3,
  steps: [
    ...plain('put a 1', 'put a 2', 'put b 1'),
    { run: 'get a', at: 'n2' },
    { run: 'get a', at: 'n3' },
    ...['simple', 'json', 'fields'].flatMap((format): RunStep[] => [
      { run: `endpoint status -w ${format}` },
      { run: `endpoint status -w ${format}`, at: 'all' },
      { run: `endpoint hashkv -w ${format}`, at: 'all' },
      { run: `endpoint hashkv --rev=2 -w ${format}`, at: 'all' },
    ]),
    { run: 'endpoint health' },
    { run: 'endpoint health', at: 'all', unordered: true },
    { run: 'endpoint health --cluster', unordered: true },
    ...plain('endpoint hashkv --rev=1000', 'compaction 3', 'put a 3'),
    { run: 'get a', at: 'n2' },
    { run: 'get a', at: 'n3' },
    { run: 'endpoint hashkv', at: 'all' },
    { run: 'endpoint hashkv --rev=3', at: 'all' },
    ...json('endpoint hashkv --rev=2'),
  ],
};

export const MEMBER_SEQUENCES: readonly Sequence[] = [
  oneMember,
  learner,
  threeMembers,
  leadership,
  endpoints,
];
