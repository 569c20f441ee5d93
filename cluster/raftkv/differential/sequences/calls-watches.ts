/** The options of a watch: in how many parts it is told, how far it is told to be, and how it ends. */
import {
  afterPrefix,
  bytes,
  type CallSequence,
  type CallStep,
  cancelled,
  compact,
  EVERY_KEY,
  events,
  eventsOf,
  type Message,
  messages,
  put,
  type ReceiveStep,
  type Request,
  remove,
  txn,
} from '../calls.ts';

const W: Request = { rangeEnd: afterPrefix('w/') };
const LARGE = 700_000;
/** Long beside how late a busy machine tells what is due. */
const NOTIFY_MS = 1_000;

function create(on: string, key: string, more: Request = {}): CallStep {
  return { send: on, request: { createRequest: { key: bytes(key), ...more } } };
}
const open = (as: string): CallStep => ({ open: 'Watch.Watch', as });
const receive = (on: string, until: ReceiveStep['until']): CallStep => ({ receive: on, until });
const parts = (on: string, until: ReceiveStep['until']): CallStep => ({
  receive: on,
  until,
  look: 'parts',
});
const cancel = (on: string, watchId: number): CallStep => ({
  send: on,
  request: { cancelRequest: { watchId } },
});

/** Until the last part of so many events came. */
function lastOf(count: number): ReceiveStep['until'] {
  return (got) => events(count)(got) && got.at(-1)?.['fragment'] === false;
}

const large = (key: string, letter: string): CallStep => put(key, letter.repeat(LARGE));

const fragments: CallSequence = {
  kind: 'calls',
  name: 'watch: fragments',
  steps: [
    ...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((letter) => large(`w/${letter}`, letter)),
    put('w/h', 'small'),
    put('w/i', 'small'),
    open('past'),
    // Two large ones go into one message, three do not.
    create('past', 'w/', { ...W, startRevision: 2, fragment: true }),
    parts('past', lastOf(9)),
    create('past', 'w/', { ...W, startRevision: 2 }),
    parts('past', events(9)),
    create('past', 'w/a', { startRevision: 2, fragment: true }),
    parts('past', lastOf(1)),
    create('past', 'w/', { rangeEnd: bytes('w/c'), startRevision: 2, fragment: true }),
    parts('past', lastOf(2)),
    create('past', 'w/', { rangeEnd: bytes('w/d'), startRevision: 2, fragment: true }),
    parts('past', lastOf(3)),
    create('past', 'w/g', { rangeEnd: bytes('w/j'), startRevision: 2, fragment: true }),
    parts('past', lastOf(3)),
    { drop: 'past' },
    open('now'),
    create('now', 'w/', { ...W, prevKv: true, fragment: true }),
    create('now', 'w/', { ...W, prevKv: true }),
    receive('now', messages(2)),
    // Small by themselves; what was there before is not.
    remove('w/', { rangeEnd: bytes('w/f') }),
    parts('now', events(10)),
    { drop: 'now' },
  ],
};

const NOTIFIED = { progressNotify: true };
const isProgressAt =
  (revision: number): ReceiveStep['until'] =>
  (got) => {
    const last = got.at(-1);
    if (last === undefined || last['created'] === true || eventsOf(last).length > 0) return false;
    return Number((last['header'] as Message)['revision']) === revision;
  };
const progressAt = (on: string, revision: number): CallStep => ({
  receive: on,
  until: isProgressAt(revision),
  look: 'last',
});

const progress: CallSequence = {
  kind: 'calls',
  name: 'watch: progress by itself',
  isMostlyWaiting: true,
  flags: [`--experimental-watch-progress-notify-interval=${NOTIFY_MS}ms`],
  steps: [
    put('w/a', '1'),
    open('told'),
    open('past'),
    open('silent'),
    create('silent', 'w/', W),
    create('silent', 'w/', { ...W, startRevision: 2 }),
    receive('silent', events(1)),
    open('future'),
    create('future', 'w/', { ...W, ...NOTIFIED, startRevision: 100 }),
    receive('future', messages(1)),
    create('told', 'w/', { ...W, ...NOTIFIED }),
    receive('told', messages(1)),
    progressAt('told', 2),
    create('past', 'w/', { ...W, ...NOTIFIED, startRevision: 1 }),
    progressAt('past', 2),
    put('v', 'concerns none of them'),
    progressAt('told', 3),
    progressAt('past', 3),
    { call: 'KV.Range', request: EVERY_KEY },
    put('w/a', '2'),
    progressAt('told', 4),
    // What is filtered was told, in a way.
    open('filtered'),
    create('filtered', 'w/', { ...W, ...NOTIFIED, filters: ['NOPUT'] }),
    receive('filtered', messages(1)),
    put('w/a', '3'),
    progressAt('filtered', 5),
    cancel('told', 0),
    receive('told', cancelled()),
    receive('silent', events(4)),
    { drop: 'told' },
    { drop: 'past' },
    receive('future', () => true),
    { drop: 'filtered' },
    { drop: 'future' },
    { drop: 'silent' },
  ],
};

const PROGRESS: Request = { progressRequest: {} };
const ends: CallSequence = {
  kind: 'calls',
  name: 'watch: what is compacted, ids that are taken, filters',
  steps: [
    ...['1', '2', '3', '4', '5'].map((value) => put('w/a', value)),
    compact(4),
    open('w'),
    // Its first event comes without what was before: that is compacted.
    create('w', 'w/a', { startRevision: 4, prevKv: true }),
    receive('w', events(3)),
    create('w', 'w/a', { startRevision: 3, prevKv: true }),
    receive('w', cancelled()),
    // Its id is taken until it is cancelled.
    create('w', 'w/a', { watchId: 1 }),
    receive('w', messages(1)),
    create('w', 'w/a', { watchId: 9, startRevision: 1 }),
    receive('w', cancelled()),
    create('w', 'w/a', { watchId: 9 }),
    receive('w', messages(1)),
    cancel('w', 9),
    receive('w', cancelled()),
    cancel('w', 9),
    create('w', 'w/a', { watchId: 9 }),
    receive('w', messages(1)),
    cancel('w', 1),
    receive('w', cancelled()),
    create('w', 'w/a', { watchId: 1 }),
    receive('w', messages(1)),
    create('w', 'w/a'),
    receive('w', messages(1)),
    // Filters twice, and all of them.
    create('w', 'w/', { ...W, filters: ['NOPUT', 'NOPUT'], prevKv: true }),
    receive('w', messages(1)),
    create('w', 'w/', { ...W, filters: ['NODELETE', 'NODELETE'] }),
    receive('w', messages(1)),
    { send: 'w', request: {} },
    txn(
      [],
      [
        { requestPut: { key: bytes('w/a'), value: bytes('6') } },
        { requestPut: { key: bytes('w/b'), value: bytes('1') } },
      ],
    ),
    remove('w/', { ...W, prevKv: true }),
    // Of the first, 9, 1, 2 and the two that filter.
    receive('w', events(2 + 2 + 2 + 2 + 2 + 2)),
    { send: 'w', request: PROGRESS },
    receive('w', messages(1)),
    create('w', 'w/a', { startRevision: 7 }),
    receive('w', events(2)),
    // A watch that has told all is not ended by a compaction.
    compact(8),
    put('w/a', '7'),
    receive('w', events(6)),
    { drop: 'w' },
  ],
};

export const WATCH_CALLS: readonly CallSequence[] = [fragments, progress, ends];
