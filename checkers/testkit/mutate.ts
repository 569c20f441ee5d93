/**
 * Breaks a correct history in each way that the linearizability checker knows by name. The given
 * history has unique values, one key, no lost replies, and at least some dozens of operations.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import { nanos } from '../../harness/core/units.ts';
import type { Op, Phase } from '../../harness/history/op.ts';

type Mutation = (ops: readonly Op[]) => Op[] | undefined;

interface Done {
  readonly invoke: Op;
  readonly end: Op;
}

/** By the kind of anomaly that must be found; undefined where a history offers no chance for it. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'phantom-read': (ops) => {
    const [read] = reads(ops);
    return read && answered(ops, read, 987_654);
  },
  'read-of-failed-write': (ops) => {
    const seen = new Set(reads(ops).map(({ end }) => end.value));
    const write = writes(ops).find(({ invoke }) => seen.has(invoke.value));
    const error = { code: 'rejected', definite: true };
    return write && replaced(ops, write.end, { ...write.end, type: 'fail', error });
  },
  'future-read': (ops) => {
    for (const read of reads(ops)) {
      const write = writes(ops).find(({ invoke }) => invoke.index > read.end.index);
      if (write !== undefined) return answered(ops, read, write.invoke.value);
    }
    return undefined;
  },
  'refused-matching-cas': (ops) => {
    const refused = ops.find(({ seen }) => seen !== undefined);
    const [from] = (refused?.value ?? []) as [JsonValue];
    return refused && replaced(ops, refused, { ...refused, seen: from });
  },
  'split-brain-cas': (ops) => {
    const won = done(ops).find(({ invoke, end }) => invoke.f === 'cas' && end.type === 'ok');
    const [from] = (won?.invoke.value ?? []) as [JsonValue];
    return won && appended(ops, [{ f: 'cas', value: [from, 555_555] }]);
  },
  'stale-read': (ops) => {
    const found = overwritten(ops);
    return found && answered(ops, found.read, found.older.invoke.value);
  },
  'lost-write': (ops) => {
    const found = overwritten(ops);
    const gone = { f: 'read', value: found?.older.invoke.value ?? null, phase: 'final' } as const;
    return found && appended(ops, [gone, gone]);
  },
  'non-monotonic-read': (ops) => {
    const more = appended(ops, [
      { f: 'write', value: 700_001 },
      { f: 'write', value: 700_002 },
      { f: 'read', value: 700_002 },
      { f: 'read', value: 700_001 },
    ]);
    const lost = more.find(({ type, value }) => type === 'ok' && value === 700_002);
    const error = { code: 'timeout', definite: false };
    return lost && replaced(more, lost, { ...lost, type: 'info', error });
  },
  'split-brain-read': (ops) =>
    appended(
      appended(
        ops,
        [
          { f: 'write', value: 700_001 },
          { f: 'write', value: 700_002 },
        ],
        true,
      ),
      [
        { f: 'read', value: 700_001 },
        { f: 'read', value: 700_002 },
      ],
      true,
    ),
  // Two writes of a value, one of them of unknown outcome, are too few for three times.
  'not-linearizable': (ops) => {
    const [one, other] = [700_001, 700_002];
    const again = [
      { f: 'write', value: other },
      { f: 'read', value: one },
    ];
    const first = [
      { f: 'write', value: one },
      { f: 'write', value: one },
      { f: 'read', value: one },
    ];
    const more = appended(ops, [...first, ...again, ...again]);
    const lost = more.filter(
      ({ f, type, value }) => f === 'write' && type === 'ok' && value === one,
    );
    const error = { code: 'timeout', definite: false };
    return more.map((op) => (op === lost[1] ? { ...op, type: 'info', error } : op));
  },
};

function done(ops: readonly Op[]): Done[] {
  const open = new Map<Op['process'], Op>();
  const all: Done[] = [];
  for (const op of ops) {
    const invoke = open.get(op.process);
    if (op.type === 'invoke') open.set(op.process, op);
    else if (invoke !== undefined) all.push({ invoke, end: op });
  }
  return all;
}

function reads(ops: readonly Op[]): Done[] {
  return done(ops).filter(({ invoke, end }) => invoke.f === 'read' && end.type === 'ok');
}

function writes(ops: readonly Op[]): Done[] {
  return done(ops).filter(({ invoke, end }) => invoke.f === 'write' && end.type === 'ok');
}

/** A write, one that began after it had ended, and a read that began after that. */
function overwritten(
  ops: readonly Op[],
): { readonly older: Done; readonly read: Done } | undefined {
  for (const older of writes(ops))
    for (const newer of writes(ops)) {
      if (newer.invoke.index < older.end.index) continue;
      const read = reads(ops).find(({ invoke }) => invoke.index > newer.end.index);
      if (read !== undefined) return { older, read };
    }
  return undefined;
}

function replaced(ops: readonly Op[], at: Op, by: Op): Op[] {
  return ops.map((op) => (op === at ? by : op));
}

function answered(ops: readonly Op[], read: Done, value: JsonValue): Op[] {
  return replaced(ops, read.end, { ...read.end, value });
}

interface Added {
  readonly f: string;
  readonly value: JsonValue;
  readonly phase?: Phase;
}

/** Adds operations of new processes at the end: one after another, or all at once. */
function appended(ops: readonly Op[], added: readonly Added[], atOnce: boolean = false): Op[] {
  const all = [...ops];
  const key = ops[0]?.key ?? 'k0';
  const base = Math.max(...ops.map(({ process }) => Number(process))) + 1;
  const push = (at: number, type: 'invoke' | 'ok'): void => {
    const { f, value, phase = 'main' } = added[at] as Added;
    const time = nanos((all.at(-1)?.time ?? 0) + 1_000_000);
    const asked = f === 'read' && type === 'invoke' ? null : value;
    all.push({ index: all.length, time, process: base + at, type, f, key, value: asked, phase });
  };
  for (const at of added.keys()) {
    push(at, 'invoke');
    if (!atOnce) push(at, 'ok');
  }
  if (atOnce) for (const at of added.keys()) push(at, 'ok');
  return all;
}
