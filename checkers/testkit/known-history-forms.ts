/** Histories whose verdict is known, in the forms that checkers read. */
import { nanos } from '../../harness/core/units.ts';
import { type History, HistoryBuilder } from '../../harness/history/history.ts';
import type { OpDraft } from '../../harness/history/op.ts';
import { ABSENT, CAS, type KnownHistory, NEVER, READ, WRITE } from './known-history-rows.ts';

/** Our own kind of history. A client that got no answer goes on as another. */
export function historyOfKnown(known: KnownHistory): History {
  const { length, moments, call, ret } = known;
  const rowAt = new Int32Array(moments);
  for (let row = 0; row < length; row++) {
    rowAt[call[row] as number] = row;
    if (ret[row] !== NEVER) rowAt[ret[row] as number] = row;
  }
  const clients = known.client.reduce((most, client) => Math.max(most, client), 0) + 1;
  const process = Int32Array.from({ length: clients }, (_, client) => client);
  const processOf = new Int32Array(length);
  const builder = new HistoryBuilder();
  const open = new Int32Array(clients).fill(-1);
  for (let moment = 0; moment < moments; moment++) {
    const row = rowAt[moment] as number;
    const client = known.client[row] as number;
    const time = nanos(moment * 100_000);
    if (call[row] !== moment) {
      open[client] = -1;
      builder.append(completionOf(known, row, processOf[row] as number), time);
      continue;
    }
    const before = open[client] as number;
    if (before >= 0) {
      builder.append(
        { ...invocationOf(known, before, processOf[before] as number), ...LOST },
        time,
      );
      process[client] = (process[client] as number) + clients;
    }
    open[client] = row;
    const own = process[client] as number;
    processOf[row] = own;
    builder.append(invocationOf(known, row, own), time);
  }
  return builder.build();
}

const LOST = { type: 'info', error: { code: 'timeout', definite: false } } as const;
const REFUSED = { type: 'fail', error: { code: 'cas-mismatch', definite: true } } as const;
const NAMES = ['read', 'write', 'cas'] as const;

function invocationOf(known: KnownHistory, row: number, process: number): OpDraft {
  const f = known.f[row] as number;
  const a = known.a[row] as number;
  return {
    process,
    type: 'invoke',
    f: NAMES[f] as string,
    key: `k${known.key[row]}`,
    value: f === READ ? null : f === WRITE ? a : [a, known.b[row] as number],
    phase: 'main',
  };
}

function completionOf(known: KnownHistory, row: number, process: number): OpDraft {
  const draft = invocationOf(known, row, process);
  const f = known.f[row];
  const saw = known.saw[row] as number;
  const value = saw === ABSENT ? null : saw;
  if (f === READ) return { ...draft, type: 'ok', value };
  if (f === WRITE || saw === known.a[row]) return { ...draft, type: 'ok' };
  return { ...draft, ...REFUSED, ...(known.tells && { seen: value }) };
}

/** The lines of the `ops` form, fast. */
export function* knownOps(known: KnownHistory): Generator<string> {
  const { length, client, key, f, a, b, saw, call, ret, tells } = known;
  for (let row = 0; row < length; row++) {
    const answered = ret[row] !== NEVER;
    const seen = saw[row] === ABSENT ? 'null' : String(saw[row]);
    let line = `{"client":${client[row]},"op":"${NAMES[f[row] as number]}","key":"k${key[row]}"`;
    if (f[row] === WRITE) line += `,"arg":${a[row]}`;
    if (f[row] === CAS) line += `,"arg":[${a[row]},${b[row]}]`;
    if (answered && f[row] === READ) line += `,"out":${seen}`;
    if (answered && f[row] === CAS) {
      line += `,"out":${saw[row] === a[row]}`;
      if (tells && saw[row] !== a[row]) line += `,"seen":${seen}`;
    }
    yield `${line},"call":${call[row]},"ret":${ret[row]}}`;
  }
}
