import type { History } from '../harness/history/history.ts';
import type { CheckContext, Checker, CheckResult } from '../harness/protocols/checker.ts';
import type { EvidenceDetails } from '../harness/protocols/details.ts';
import { type Band, faultBands } from './fault-bands.ts';
import { counted, listed } from './text.ts';

type KindRow = EvidenceDetails['kinds'][number];

/**
 * Did each kind of fault that was asked for take effect, as seen from outside, and was everything
 * undone again? A fault that never took effect tested nothing; one that still lasts spoils the
 * final reads. Both make the verdict unknown. A single skipped injection only shows in the counts.
 */
export function evidence(): Checker {
  return { name: 'evidence', check: (history, ctx) => Promise.resolve(resultOf(history, ctx)) };
}

function resultOf(history: History, { faults }: CheckContext): CheckResult {
  const bands = faultBands(history);
  const names = [...new Set([...faults, ...bands.map(({ band }) => band.fault)])];
  const kinds = names.map((fault) => rowOf(fault, bands));
  const details: EvidenceDetails = { kinds, events: bands.map(({ band }) => band) };
  const reasons = [
    ...kinds.filter(({ fault }) => faults.includes(fault)).flatMap((row) => missing(row, bands)),
    ...bands.flatMap(lasting),
  ];
  const base = {
    checker: 'evidence',
    anomalies: [],
    covered: coveredText(kinds),
    details: details as unknown as CheckResult['details'],
  };
  return reasons.length === 0
    ? { ...base, verdict: 'valid' }
    : { ...base, verdict: 'unknown', reason: reasons.join(' ') };
}

function rowOf(fault: string, bands: readonly Band[]): KindRow {
  const own = bands.filter(({ band }) => band.fault === fault);
  const count = (result: string): number => own.filter(({ band }) => band.result === result).length;
  return {
    fault,
    installed: count('installed'),
    skipped: count('skipped'),
    failed: count('failed'),
    healed: own.filter((one) => one.band.result === 'installed' && isHealed(one)).length,
  };
}

function isHealed({ healed }: Band): boolean {
  return healed !== undefined && healed.result !== 'failed';
}

function missing({ fault, installed, skipped, failed }: KindRow, bands: readonly Band[]): string[] {
  if (installed > 0) return [];
  if (skipped + failed === 0) return [`${fault} was asked for, but was never tried.`];
  const last = bands.findLast(({ band }) => band.fault === fault);
  const why = last === undefined ? '' : `: ${last.band.evidence}`;
  return [
    `${fault} was asked for, but never took effect ` +
      `(${skipped} skipped, ${failed} failed; the last time${why}).`,
  ];
}

function lasting(one: Band): string[] {
  const { band, healed } = one;
  if (band.result !== 'installed' || isHealed(one)) return [];
  const why = healed === undefined || healed.result === 'installed' ? '' : `: ${healed.why}`;
  return [`${band.fault} (${band.text}) was not seen to be undone${why}.`];
}

function coveredText(kinds: readonly KindRow[]): string {
  if (kinds.length === 0) return 'no faults were asked for';
  return listed(
    kinds.map(({ fault, installed, skipped, failed }) => {
      const rest = [
        ...(skipped > 0 ? [`${skipped} skipped`] : []),
        ...(failed > 0 ? [`${failed} failed`] : []),
      ];
      return `${fault} ${counted(installed, 'time')}${rest.length === 0 ? '' : ` (${rest.join(', ')})`}`;
    }),
    10,
  );
}
