import type { History } from '../../harness/history/history.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { RunResult } from '../../harness/protocols/run.ts';
import { clean, clipped, counted, countText } from '../words.ts';

/** What the second opinion says of one violation. */
export interface Claim {
  readonly checker: string;
  readonly anomaly: Anomaly;
  /** `untried`: nothing is known, and it stands on the checker alone. */
  readonly answer: 'holds' | 'untried' | 'refuted';
  /** Of every answer but `holds`. */
  readonly why?: string;
}

/** A run with its claims looked at again. */
export interface Explained {
  readonly result: RunResult;
  readonly history: History;
  readonly claims: readonly Claim[];
  /** Of `fail` only. */
  readonly fingerprint?: string;
  /** How the run is called in commands: its id, or the path of its archive. */
  readonly ref: string;
}

const NAMED_MAX = 5;

/** `3 of 3 claims hold: …`, then each that does not. Empty when nothing was claimed. */
export function claimLines(claims: readonly Claim[]): readonly string[] {
  if (claims.length === 0) return [];
  const held = claims.filter(({ answer }) => answer === 'holds').length;
  const others = claims
    .filter(({ answer }) => answer !== 'holds')
    .toSorted((a, b) => Number(b.answer === 'refuted') - Number(a.answer === 'refuted'));
  const more = others.length - NAMED_MAX;
  const isOne = claims.length === 1;
  const agreed = held === 0 ? '' : `: other code finds ${isOne ? 'it' : 'them'} in the history`;
  return [
    `${countText(held)} of ${counted(claims.length, 'claim')} ${isOne ? 'holds' : 'hold'}${agreed}`,
    ...others.slice(0, NAMED_MAX).map(claimText),
    ...(more > 0 ? [`and ${countText(more)} more`] : []),
  ];
}

function claimText({ checker, anomaly, answer, why = '' }: Claim): string {
  const key = anomaly.key === undefined || anomaly.key === '' ? '' : ` of ${anomaly.key}`;
  const what = clipped(clean(`${checker}, ${anomaly.kind}${key}`), 60);
  const said = answer === 'refuted' ? 'the history does not bear it out' : 'not tried again';
  return `${answer === 'refuted' ? '✗' : '?'} ${what}: ${said} (${clipped(clean(why), 120)})`;
}
