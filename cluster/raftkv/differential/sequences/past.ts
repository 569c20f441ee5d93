/** Old revisions: compaction, and watches that begin in the past. */
import { json, plain, type Sequence, shown } from '../sequence.ts';

const VALUES = ['1', '2', '3', '4', '5'];

const compaction: Sequence = {
  kind: 'commands',
  name: 'compaction',
  steps: [
    ...plain('compaction 0', 'compaction -1', 'compaction 1', 'compaction 2', 'compaction 1'),
    ...VALUES.flatMap((value) => plain(`put a ${value}`, `put b ${value}`)),
    ...plain('del b', 'put c 1'),
    ...shown('get a --rev=5', 'get b --rev=12'),
    ...plain('compaction 1000', 'compaction 6'),
    ...shown('get a --rev=5', 'get a --rev=6', 'get a --rev=7', 'get a', 'get b --rev=11'),
    ...plain(
      'compaction 6',
      'compaction 5',
      'compaction 7 --physical',
      'compaction x',
      'compaction',
    ),
    ...json('put a 6', ['get', '', '--prefix', '--rev=7'], ['get', '', '--prefix', '--rev=8']),
    // Where b was deleted, and after it.
    ...plain('compaction 12 --physical'),
    ...shown('get b --rev=12', 'get b --rev=11', 'get b', 'get a --rev=12'),
    ...json('compaction 14', 'put b again', ['get', '', '--prefix']),
    ...shown('get a --rev=13', 'get a --rev=14', 'get a --rev=15', 'get a --rev=16'),
    ...json('endpoint hashkv', 'endpoint hashkv --rev=14', 'endpoint hashkv --rev=15'),
    ...plain('endpoint hashkv --rev=13', 'endpoint hashkv --rev=1000'),
  ],
};

const watchThePast: Sequence = {
  kind: 'commands',
  name: 'watch: from the past',
  steps: [
    ...plain('put w/a 1', 'put w/b 1', 'put w/a 2', 'del w/a', 'put x 1', 'put w/a 3', 'put w/c 1'),
    { run: 'txn', stdin: '\nput w/a 4\nput w/d 1\ndel w/c\n\n\n' },
    ...plain('put w/end 1', 'put w/a end'),
    ...[
      'watch w/a --rev=1',
      'watch w/a --rev=2 --prev-kv',
      'watch w/ --prefix --rev=2',
      'watch w/ --prefix --rev=4 --prev-kv',
      'watch w/a w/c --rev=2',
      'watch w/b w/z --rev=2',
      'watch w/ --prefix --rev=9',
    ].flatMap((watch) => [
      { start: watch, as: 'plain' },
      { start: `${watch} -w json`, as: 'json' },
      { finish: 'plain', until: /end/ },
      { finish: 'json', until: /ZW5k|dy9lbmQ/ },
    ]),
  ],
};

const watchOn: Sequence = {
  kind: 'commands',
  name: 'watch: what is to come',
  steps: [
    ...plain('put w/a 1'),
    // From a revision that is not there yet, so that it does not matter when the watch begins.
    { start: 'watch w/a --rev=3', as: 'next' },
    { start: 'watch w/ --prefix --rev=5 --prev-kv', as: 'later' },
    { start: 'watch w/ --prefix --rev=7 -w json', as: 'much later' },
    ...plain('put w/a 2', 'del w/a', 'del w/a', 'put w/b 1', 'put w/a 3', 'put v 1', 'put w/a 4'),
    ...plain('put w/b 2', 'del w/ --prefix', 'put w/a end'),
    { finish: 'next', until: /end/ },
    { finish: 'later', until: /end/ },
    { finish: 'much later', until: /ZW5k/ },
  ],
};

const watchCompacted: Sequence = {
  kind: 'commands',
  name: 'watch: what is compacted',
  steps: [
    ...VALUES.flatMap((value) => plain(`put w ${value}`)),
    ...plain('del w', 'put w 6', 'compaction 5', 'put w end'),
    ...[1, 2, 4, 5, 6].flatMap((revision) => [
      { start: `watch w --rev=${revision} --prev-kv`, as: 'plain' },
      { start: `watch w --rev=${revision} -w json`, as: 'json' },
      { finish: 'plain', until: /end/ },
      { finish: 'json', until: /ZW5k/ },
    ]),
    // Compacted at a deletion: what the watch says of it needs the version before.
    ...plain('compaction 7'),
    ...[6, 7, 8].flatMap((revision) => [
      { start: `watch w --rev=${revision} --prev-kv`, as: 'plain' },
      { finish: 'plain', until: /end/ },
    ]),
  ],
};

export const PAST_SEQUENCES: readonly Sequence[] = [
  compaction,
  watchThePast,
  watchOn,
  watchCompacted,
];
