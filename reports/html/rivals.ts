/** Several nodes that say at once that they lead, as a plot shows it. */
import { leaderText, type RivalLeaders } from '../cluster.ts';
import { clean, spanText } from '../words.ts';

const NUMBERS: Readonly<Record<number, string>> = { 2: 'two', 3: 'three', 4: 'four' };

/** `⚠ two leaders 1.311 s: n2 (term 3), n4 (term 2)`; as observed, so it may have been longer. */
export function rivalText({ leaders, startNanos, endNanos }: RivalLeaders): string {
  const count = NUMBERS[leaders.length] ?? String(leaders.length);
  const who = leaders.map(leaderText).join(', ');
  return clean(`⚠ ${count} leaders ${spanText(endNanos - startNanos)}: ${who}`);
}
