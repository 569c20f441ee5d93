/**
 * One history, judged: reads a file of the `ops` form and prints one JSON line. A process of its own
 * for each, so that its time and memory are its own. Run by `linearizability.ts`.
 */
import { readFileSync } from 'node:fs';
import { checkHistory } from '../checkers/check-history.ts';
import { realClock } from '../harness/core/clock.ts';
import { invariant } from '../harness/core/invariant.ts';
import { msFromNanos } from '../harness/core/units.ts';
import { importHistory } from '../harness/history/formats/import.ts';

const [path, timeoutMs = '60000', memoryBytes = String(2 ** 30)] = process.argv.slice(2);
invariant(path !== undefined, 'usage: linearizability-cell.ts <file> [<timeout ms> [<bytes>]]');
const clock = realClock();
const text = readFileSync(path, 'utf8');
const { history } = importHistory(text, 'ops', { name: path });
const readMs = msFromNanos(clock.now());
const result = checkHistory(history, {
  clock,
  timeoutMs: Number(timeoutMs),
  memoryBytes: Number(memoryBytes),
});
const checkMs = msFromNanos(clock.now()) - readMs;
const { verdict, reason, details } = result;
console.log(JSON.stringify({ verdict, readMs, checkMs, reason, states: details['states'] }));
