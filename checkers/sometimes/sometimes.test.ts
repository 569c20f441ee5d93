import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SOMETIMES_HELP } from '../../cli/summaries.ts';
import { parseHistory } from '../../harness/history/notation.ts';
import type { CheckContext } from '../../harness/protocols/checker.ts';
import type { SometimesDetails, SometimesRow } from '../../harness/protocols/details.ts';
import { checkContext } from '../testkit/context.ts';
import { PROPERTIES, requireProperties, sometimes } from './sometimes.ts';

/** Who says that it leads, in which term: `n1:3`; anything else leads nothing. */
function roles(at: number, ...leaders: readonly string[]): string {
  const led = leaders.map((text) => {
    const [node, term] = text.split(':');
    return { node, role: 'leader', state: 'answered', term: Number(term) };
  });
  const value = [...led, { node: 'n9', role: 'follower', state: 'answered', term: 1 }];
  return `observer info roles - ${JSON.stringify(value)} t=${at}ms`;
}

/** One of three answers, and does not lead. */
function silence(at: number): string {
  const gone = ['n1', 'n2'].map((node) => ({ node, role: 'unknown', state: 'unreachable' }));
  const value = [...gone, { node: 'n9', role: 'follower', state: 'answered', term: 1 }];
  return `observer info roles - ${JSON.stringify(value)} t=${at}ms`;
}

function fault(at: number, stage: 'begin' | 'end', more: object = {}): string {
  const evidence = { result: 'installed', probe: 'seen' };
  const value = { stage, fault: 'kill', text: 'kill n1', targets: ['n1'], evidence, ...more };
  return `nemesis invoke f lane=l id=a t=${at}ms\nnemesis info f - ${JSON.stringify(value)} lane=l id=a t=${at}ms`;
}

const CUT = {
  fault: 'partition',
  text: 'isolate n1',
  matrix: { 'n1>n2': 'cut', 'n1>n3': 'cut', 'n2>n3': 'open' },
};

/** Of each property: a history that reaches it twice or once, and changes that keep it from that. */
const CASES: Readonly<
  Record<
    string,
    {
      readonly lines: readonly string[];
      readonly count: number;
      readonly first: string;
      /** Each puts other lines in the place of some; none then reaches it. */
      readonly without: Readonly<Record<string, (lines: readonly string[]) => readonly string[]>>;
    }
  >
> = {
  'leader-changed-under-load': {
    lines: [
      roles(0, 'n1:1'),
      '0 invoke write x 1 @n2 t=100ms',
      '0 ok t=110ms',
      roles(500, 'n1:1'),
      roles(900, 'n2:2'),
      '0 invoke write x 2 @n2 t=1000ms',
      '0 ok t=1010ms',
    ],
    count: 1,
    first: 'n2 led in term 2 after n1 in term 1',
    without: {
      'nobody is served before': (lines) => lines.filter((_, at) => at !== 1 && at !== 2),
      'nobody is served after': (lines) => lines.slice(0, 5),
      'the term is the same': (lines) => lines.with(4, roles(900, 'n2:1')),
      'the next success comes too late': (lines) =>
        lines.with(5, '0 invoke write x 2 t=9s').with(6, '0 ok t=9s'),
    },
  },
  'indefinite-write-committed': {
    lines: [
      '0 invoke write x 7',
      '0 info write x 7 err=timeout?',
      '1 invoke read x',
      '1 ok read x 7',
      '1 invoke read x',
      '1 ok read x 7',
    ],
    count: 1,
    first: '7 was read, which c0 had tried to write to x at entry 0',
    without: {
      'the write was acknowledged': (lines) => lines.with(1, '0 ok'),
      'another value was read': (lines) => lines.with(3, '1 ok read x 8').with(5, '1 ok read x 8'),
      'somebody else wrote it, too': (lines) => ['2 invoke cas x 1>7', '2 ok', ...lines],
      'it was deleted, or never written': () => [
        '0 invoke write x null',
        '0 info write x null err=timeout?',
        '1 invoke read x',
        '1 ok read x null',
      ],
      'it was another key': (lines) =>
        lines.map((line) => (line.startsWith('1') ? line.replace(' x', ' y') : line)),
      'it was read before': ([invoke = '', end = '', ...reads]) => [invoke, ...reads, end],
    },
  },
  'read-overlapped-election': {
    lines: [
      roles(0, 'n1:1'),
      '0 invoke read x @n2 t=10ms',
      roles(20),
      '0 ok read x 1 t=30ms',
      roles(40, 'n2:2'),
    ],
    count: 1,
    first: 'the read of c0 from n2 was under way at entry 2, where nobody led',
    without: {
      'somebody led': (lines) => lines.with(2, roles(20, 'n1:1')),
      'it was serializable': (lines) =>
        lines.with(1, '0 invoke read x @n2 mode=serializable t=10ms'),
      'it failed': (lines) => lines.with(3, '0 fail t=30ms err=refused!'),
      'nobody had led before': (lines) => lines.slice(1),
    },
  },
  'two-leaders-believed': {
    lines: [
      roles(0, 'n1:1'),
      roles(10, 'n1:1', 'n2:2'),
      roles(20, 'n1:1', 'n2:2'),
      roles(30, 'n2:2'),
      roles(40, 'n2:2', 'n3:3'),
      roles(50, 'n2:2', 'n3:3'),
    ],
    count: 2,
    first: 'n1 led in term 1, n2 led in term 2',
    without: {
      'they led one after another': ([first = '', , , last = '']) => [first, last],
      // One was asked before it stepped down, the other after it had come.
      'only one look shows both': ([first = '', both = '', , later = '']) => [first, both, later],
    },
  },
  'fault-during-election': {
    lines: [roles(0, 'n1:1'), roles(10), fault(20, 'begin'), roles(30, 'n2:2')],
    count: 1,
    first: 'kill n1, when nobody led',
    without: {
      'somebody led again': (lines) => lines.with(1, roles(10, 'n2:2')),
      'hardly anybody answered': (lines) => lines.with(1, silence(10)),
      'it took no effect': (lines) =>
        lines.with(2, fault(20, 'begin', { evidence: { result: 'skipped', why: 'no' } })),
    },
  },
  'minority-had-writes-in-flight': {
    lines: [
      fault(0, 'begin', CUT),
      '0 invoke write x 1 @n1 t=10ms',
      '0 info write x 1 t=20ms',
      '1 invoke write x 2 @n2 t=25ms',
      fault(30, 'end', CUT),
    ],
    count: 1,
    first: 'c0 wrote to n1 during: isolate n1',
    without: {
      'it was a node of the majority': (lines) => lines.with(1, '0 invoke write x 1 @n3 t=10ms'),
      'it was a read': (lines) =>
        lines.with(1, '0 invoke read x @n1 t=10ms').with(2, '0 fail t=20ms err=timeout!'),
      'only one link was cut': (lines) =>
        lines.with(0, fault(0, 'begin', { ...CUT, matrix: { 'n1>n2': 'cut' } })),
    },
  },
  'restarted-node-answered': {
    lines: [
      fault(0, 'begin'),
      fault(10, 'end'),
      '0 invoke read x @n1 t=20ms',
      '0 ok read x 1 t=30ms',
      '0 invoke read x @n1 t=40ms',
      '0 ok read x 1 t=50ms',
    ],
    count: 1,
    first: 'n1 answered c0 after it had been killed',
    without: {
      'it was another node': (lines) =>
        lines.map((line) => (line.startsWith('0') ? line.replace('@n1', '@n2') : line)),
      'it was not killed': (lines) =>
        lines.with(0, fault(0, 'begin', CUT)).with(1, fault(10, 'end', CUT)),
      'it never came back': (lines) => lines.toSpliced(1, 1),
    },
  },
};

async function rowOf(
  property: string,
  lines: readonly string[],
  ctx: Partial<CheckContext> = {},
): Promise<SometimesRow | undefined> {
  const result = await sometimes([]).check(parseHistory(lines.join('\n')), checkContext(ctx));
  // What is not asked for never costs a run its pass.
  expect(result).toMatchObject({ verdict: 'valid', anomalies: [] });
  const { rows } = result.details as unknown as SometimesDetails;
  return rows.find((row) => row.property === property);
}

describe.for(Object.entries(CASES))('%s', ([property, { lines, count, first, without }]) => {
  test('is reached, and told with its first time', async () => {
    const row = await rowOf(property, lines);
    expect(row).toMatchObject({ asked: false, count, first: { text: first } });
  });

  test.for(Object.entries(without))('is not reached when %s', async ([, change]) => {
    expect(await rowOf(property, change(lines))).toMatchObject({ count: 0 });
  });
});

describe('snapshot-installed', () => {
  async function rowFor(log: string | undefined): Promise<SometimesRow | undefined> {
    const dir = await mkdtemp(join(tmpdir(), 'schism-sometimes-'));
    try {
      const path = join(dir, 'n1.log');
      if (log !== undefined) await writeFile(path, log);
      return await rowOf('snapshot-installed', [], { logs: [{ node: 'n1', path }] });
    } finally {
      await rm(dir, { recursive: true });
    }
  }

  test.for([
    ['raftkv', '{"level":"info","msg":"installing a snapshot","index":9}'],
    ['etcd', '{"level":"info","msg":"applied incoming Raft snapshot","snapshot-index":9}'],
    [
      'the older log of etcd',
      '2026-11-21 I | etcdserver: raft applied incoming snapshot at index 9',
    ],
  ])('is read from the words of %s', async ([, line]) => {
    expect(await rowFor(`{"msg":"sending a snapshot"}\n${line}\n`)).toMatchObject({
      count: 1,
      first: { text: 'n1 took one, by line 2 of its log' },
    });
  });

  test('is not reached by a leader that sends one', async () => {
    expect(await rowFor('{"msg":"sending a snapshot"}\n')).toMatchObject({ count: 0 });
  });

  test('cannot be told without logs, or of one that cannot be read', async () => {
    expect(await rowOf('snapshot-installed', [])).toMatchObject({
      count: 0,
      why: 'the nodes of this run left no logs, which alone would tell',
    });
    expect((await rowFor(undefined))?.why).toContain('the log of n1 cannot be read');
  });
});

test('what is asked for and was not reached makes the check unknown, and says what to change', async () => {
  const asked = ['two-leaders-believed', 'leader-changed-under-load'];
  const lines = CASES['leader-changed-under-load']?.lines ?? [];
  const result = await sometimes(asked).check(parseHistory(lines.join('\n')), checkContext());
  expect(result).toMatchObject({
    verdict: 'unknown',
    anomalies: [],
    covered: '1 of 8 reached: leader-changed-under-load 1 time (first at 0.900 s)',
    reason:
      'two-leaders-believed was asked for, and never happened: cut or freeze the leader alone for ' +
      'longer than an election (--fault partition,pause, --fault-duration).',
  });
});

test('a run that nobody could look at says so instead of giving advice', async () => {
  const { reason } = await sometimes(['two-leaders-believed']).check(
    parseHistory('0 invoke read x\n0 ok read x 1'),
    checkContext(),
  );
  expect(reason).toBe(
    'two-leaders-believed was asked for, and cannot be told: nobody said which node leads in this run.',
  );
});

test('a history with strange observations is judged like one without', async () => {
  const lines = ['observer info roles - 7', 'observer info roles - [7,null,{"role":"leader"}]'];
  expect(await rowOf('two-leaders-believed', lines)).toMatchObject({ count: 0 });
});

test('unknown names are refused with those there are, and leases with the reason', () => {
  const ask = (name: string) => () => {
    requireProperties([name], '--sometimes');
  };
  expect(ask('two-leaders-believd')).toThrow(
    /^--sometimes: there is no property 'two-leaders-believd' \(did you mean 'two-leaders-believed'\?\)/,
  );
  expect(ask('lease-expired')).toThrow(/no workload asks for leases yet/);
  expect(ask('snapshot-installed')).not.toThrow();
});

test('each property has a line in the reference, and is tried here', () => {
  const names = PROPERTIES.map(({ name }) => name).toSorted();
  expect(Object.keys(SOMETIMES_HELP).toSorted()).toEqual(names);
  const tried = [...Object.keys(CASES), 'snapshot-installed', 'lease-expired'];
  expect(tried.toSorted()).toEqual(names);
});
