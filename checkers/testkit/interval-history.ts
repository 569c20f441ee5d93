/** The entries that intervals could have come from, for tests that need both. */
import { nanos } from '../../harness/core/units.ts';
import { type History, HistoryBuilder } from '../../harness/history/history.ts';
import type { OpDraft } from '../../harness/history/op.ts';
import type { Interval } from '../key-history.ts';

const REFUSED = { type: 'fail', error: { code: 'cas-mismatch', definite: true } } as const;

/** Each operation has a process of its own; without a key of its own its key is `key`. */
export function historyOfIntervals(ops: readonly Interval[], key: string): History {
  const events = ops.flatMap(({ start, end }, at) => [
    { at, moment: start, isEnd: false },
    ...(end === Infinity ? [] : [{ at, moment: end, isEnd: true }]),
  ]);
  const builder = new HistoryBuilder();
  for (const { at, isEnd } of events.toSorted((a, b) => a.moment - b.moment)) {
    const { call } = ops[at] as Interval;
    const draft: OpDraft = {
      process: at,
      type: 'invoke',
      f: call.f,
      key: call.key ?? key,
      value: call.input,
      phase: 'main',
    };
    builder.append(isEnd ? completionOf(call, draft) : draft, nanos(builder.length * 1e6));
  }
  return builder.build();
}

function completionOf({ outcome, output, seen, stamp }: Interval['call'], draft: OpDraft): OpDraft {
  const server = stamp === undefined ? {} : { server: { ...stamp } };
  return outcome === 'ok'
    ? { ...draft, type: 'ok', value: output, ...server }
    : { ...draft, ...REFUSED, ...(seen !== undefined && { seen }), ...server };
}
