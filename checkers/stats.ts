import type { History } from '../harness/history/history.ts';
import type { Checker, CheckResult } from '../harness/protocols/checker.ts';
import type { OutcomeCounts, StatsDetails } from '../harness/protocols/details.ts';
import { counted, listed } from './text.ts';

type Counts = { -readonly [K in keyof OutcomeCounts]: number };

/**
 * Counts what came of the operations. A kind of operation that never succeeded in the main phase
 * was not tested, so the verdict is unknown, as it is when nothing was asked at all.
 */
export function stats(): Checker {
  return { name: 'stats', check: (history) => Promise.resolve(resultOf(history)) };
}

function resultOf(history: History): CheckResult {
  const details = countsOf(history);
  const functions = Object.keys(details.main);
  const never = functions.filter((f) => details.main[f]?.ok === 0);
  const ok = functions.reduce((sum, f) => sum + (details.main[f]?.ok ?? 0), 0);
  const base = {
    checker: 'stats',
    anomalies: [],
    covered: `${counted(ok, 'operation')} succeeded in the main phase: ${byFunction(details)}`,
    details: details as unknown as CheckResult['details'],
  };
  if (functions.length === 0)
    return { ...base, verdict: 'unknown', reason: 'No operation was invoked in the main phase.' };
  if (never.length > 0) {
    const reason =
      `Not one ${listed(never)} succeeded in the main phase, so nothing was learned about ` +
      `${never.length === 1 ? 'it' : 'them'}.`;
    return { ...base, verdict: 'unknown', reason };
  }
  return { ...base, verdict: 'valid' };
}

function countsOf(history: History): StatsDetails {
  const total: Record<string, Counts> = {};
  const main: Record<string, Counts> = {};
  const errors: Record<string, number> = {};
  for (const { invoke, completion } of history.operations()) {
    const type =
      completion === undefined || completion.type === 'invoke' ? 'info' : completion.type;
    for (const counts of invoke.phase === 'main' ? [total, main] : [total]) {
      const own = (counts[invoke.f] ??= { ok: 0, fail: 0, info: 0 });
      own[type]++;
    }
    if (type === 'ok') continue;
    const code = completion?.error?.code ?? 'no-completion';
    errors[code] = (errors[code] ?? 0) + 1;
  }
  return { total, main, errors };
}

function byFunction({ main }: StatsDetails): string {
  const parts = Object.entries(main).map(([f, { ok }]) => `${f} ${ok}`);
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}
