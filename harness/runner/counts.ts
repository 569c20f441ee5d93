import type { History } from '../history/history.ts';
import type { RunResult } from '../protocols/run.ts';

/** Client operations by outcome; `open`: invoked, never completed. */
export function countOutcomes(history: History): RunResult['counts'] {
  const counts = { ok: 0, fail: 0, info: 0, open: 0 };
  for (let index = 0; index < history.length; index++) {
    if (!history.isClient(index)) continue;
    const type = history.type(index);
    if (type !== 'invoke') counts[type]++;
    else if (history.pairOf(index) === -1) counts.open++;
  }
  return counts;
}
