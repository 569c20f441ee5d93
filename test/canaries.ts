/**
 * Measures the track record anew: `npm run canaries -- [--name PART] [--bound 200] [--process]
 * [--runs 5] [--write]`. In the simulator each bug is looked for from seed 1 on, as somebody would who
 * knows of none; then its recorded seed is played, with the bug and without. `--process` plays what
 * needs real nodes until it is seen, or so often as `--runs` says. `--write` keeps what was measured
 * in `regressions/`, and `npm run docs` makes the tables of it. Ends with exit code 1 when one is not
 * found, or when a store without bugs is accused. Knows each bug only as the value of an option.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { BUILT_IN } from '../cli/registry.ts';
import { Here } from '../cli/regressions/here.ts';
import type { Regression, Sighting } from '../cli/regressions/regression.ts';
import { isShown, wordsOf } from '../cli/regressions/words.ts';
import { regressionText } from '../cli/regressions/write.ts';
import { realClock } from '../harness/core/clock.ts';
import { messageOf } from '../harness/core/errors.ts';
import type { JsonValue } from '../harness/core/json.ts';
import { msFromNanos, type Nanos } from '../harness/core/units.ts';
import { cleanWords, REGRESSIONS, SIMULATED } from './planted.ts';
import { kindsOf, recordedProcessRun } from './recorded-process-run.ts';
import { recordedRun } from './recorded-run.ts';

const { values } = parseArgs({
  options: {
    name: { type: 'string', default: '' },
    bound: { type: 'string', default: '200' },
    process: { type: 'boolean', default: false },
    runs: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
/** Older measurements that a file keeps. */
const KEPT = 4;
const clock = realClock();
let isGood = true;

/** How often it was shown, of how often it was played, and how long that took. */
type Found = Pick<Sighting, 'runs' | 'of' | 'seconds'>;

/** Looks for it from seed 1 on, then plays the recorded run with the bug and without. */
async function inSimulator(regression: Regression, bound: number): Promise<Found> {
  const { name, options, expect } = regression;
  // Of this processor, since a search that does not wait for anything takes as long as it is let.
  const before = process.cpuUsage();
  const found = await firstSeed(regression, bound);
  const { user, system } = process.cpuUsage(before);
  const seconds = Number(((user + system) / 1e6).toFixed(1));
  const recorded = kindsOf((await recordedRun(wordsOf(regression))).checks);
  if (found === undefined) complain(`${name}: not found within ${bound} schedules`);
  if (!isShown(expect, recorded)) complain(`${name}: its seed ${options.seed} does not show it`);
  const planted = SIMULATED.find((each) => each.regression === regression);
  if (planted !== undefined) {
    const { checks, problems } = await recordedRun(cleanWords(planted));
    if (kindsOf(checks).size > 0 || problems.length > 0)
      complain(`${name}: its seed ${options.seed} accuses a store without the bug`);
  }
  return found === undefined ? { runs: 0, of: bound, seconds } : { runs: 1, of: found, seconds };
}

/** The first seed whose run shows what is expected; so many were played. */
async function firstSeed({ options, expect }: Regression, bound: number) {
  for (let seed = 1; seed <= bound; seed++) {
    const { checks } = await recordedRun(wordsOf({ options: { ...options, seed } }));
    if (isShown(expect, kindsOf(checks))) return seed;
  }
  return undefined;
}

/** Until it is seen, or with `--runs` so often, whatever is seen. */
async function onRealNodes({ options, expect, name, within }: Regression): Promise<Found> {
  const most = values.runs === undefined ? within : Number(values.runs);
  const start = clock.now();
  let runs = 0;
  for (let of = 1; ; of++) {
    const { checks } = await recordedProcessRun(wordsOf({ options: { ...options, seed: of } }));
    if (isShown(expect, kindsOf(checks))) runs++;
    if (of < most && (values.runs !== undefined || runs === 0)) continue;
    if (runs === 0) complain(`${name}: not seen in ${of} runs`);
    return { runs, of, seconds: secondsSince(start) };
  }
}

function secondsSince(start: Nanos): number {
  return Number((msFromNanos(clock.now() - start) / 1000).toFixed(1));
}

function complain(text: string): void {
  isGood = false;
  console.error(text);
}

async function keep({ path }: Regression, sighting: Sighting): Promise<void> {
  const file = JSON.parse(await readFile(path, 'utf8')) as Record<string, JsonValue>;
  const { seen = [], ...rest } = file;
  const kept = [...(seen as readonly JsonValue[]).slice(-KEPT), { ...sighting }];
  await writeFile(path, regressionText({ ...rest, seen: kept }));
}

/** One after the other, each printed as soon as it is known. */
async function measure(regression: Regression): Promise<void> {
  const found =
    regression.backend === 'sim'
      ? await inSimulator(regression, Number(values.bound))
      : await onRealNodes(regression);
  const date = new Date(clock.wallMs()).toISOString().slice(0, 10);
  const cells = [regression.name.padEnd(32), `${found.runs} of ${found.of}`.padEnd(10)];
  console.log(
    `${cells.join(' ')} ${found.seconds} s\n    schism ${['run', ...wordsOf(regression)].join(' ')}`,
  );
  if (values.write) await keep(regression, { date, ...found });
}

const here = new Here(BUILT_IN);
for (const regression of REGRESSIONS) {
  const isAsked = regression.name.includes(values.name);
  if (!isAsked || (regression.backend === 'process') !== values.process) continue;
  const whyNot = await here.whyNot(regression);
  if (whyNot !== undefined) console.log(`${regression.name}: ${whyNot}`);
  else
    await measure(regression).catch((error: unknown) => {
      complain(`${regression.name}: ${messageOf(error)}`);
    });
}
process.exitCode = isGood ? 0 : 1;
