/** A regression: what was played, on which store, and what must come of it, as one JSON file says it. */
import { basename, dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { HarnessError } from '../../harness/core/errors.ts';
import type { BackendName } from '../../harness/protocols/system.ts';
import { parseTestOptions } from '../config/schema.ts';
import { closed, count, flag, should, text } from '../config/schema-parts.ts';
import type { ChaosTestOptions } from '../suite/chaos-test.ts';
import { parseRange, type VersionRange } from './versions.ts';

/** The form of the file. A file of a later form is refused. */
export const REGRESSION_FORM = 1;
/** Below the folder of the regressions. */
export const SCHEDULES = 'schedules';
export const RUNS_MAX = 1000;

/** A measurement: the violation was shown by so many of so many runs. */
export interface Sighting {
  /** `2026-11-21` */
  readonly date?: string;
  readonly commit?: string;
  /** Of the store. */
  readonly version?: string;
  readonly runs: number;
  readonly of: number;
  /** For all of them. */
  readonly seconds: number;
}

/** What a regression must show. */
export type Verdict =
  | {
      readonly verdict: 'fail';
      /** Kinds of anomaly; none: any violation. */
      readonly anomalies: readonly string[];
      /** One run must show all of them, and not just one. */
      readonly every: boolean;
    }
  | { readonly verdict: 'pass' };

export interface Regression {
  /** That of its file. */
  readonly name: string;
  /** Absolute, of its file. */
  readonly path: string;
  readonly system: string;
  /** Of the store, with which it was seen. */
  readonly version: string;
  /** Versions of the store that have it; empty: any. */
  readonly versions: readonly VersionRange[];
  readonly backend: BackendName;
  /** All that its runs are made of: a schedule that is a file has an absolute path. */
  readonly options: ChaosTestOptions;
  readonly expect: Verdict;
  /** It is seen within so many runs: the first with its own seed. */
  readonly within: number;
  readonly note?: string;
  readonly seen: readonly Sighting[];
}

const sighting = closed({
  date: z.iso.date('is no date such as 2026-11-21').exactOptional(),
  commit: text.exactOptional(),
  version: text.exactOptional(),
  runs: count(0, 1_000_000),
  of: count(1, 1_000_000),
  seconds: z.number(should('a number of seconds')).nonnegative('must be a number of seconds'),
});

const FILE = closed({
  'schism-regression': z.literal(
    REGRESSION_FORM,
    should(`${REGRESSION_FORM}, the form that this version of schism reads`),
  ),
  name: text,
  system: text,
  version: text,
  versions: z.array(text, should("a list such as ['3.4.20 - 3.4.41']")).exactOptional(),
  backend: text,
  options: z.record(z.string(), z.unknown(), should('an object with options of a run')),
  schedule: z
    .union(
      [text, z.array(z.record(z.string(), z.json()))],
      should(
        `a file below ${SCHEDULES}/, or faults such as [{ at: '5s', fault: 'pause', for: '2s' }]`,
      ),
    )
    .exactOptional(),
  seed: z.union([z.int(), text], should('a number or a text')),
  expect: closed({
    verdict: z.enum(['fail', 'pass'], should('fail or pass')),
    anomalies: z.array(text, should("a list such as ['stale-read']")).exactOptional(),
    every: flag().exactOptional(),
  }),
  runs: closed({ within: count(1, RUNS_MAX) }).exactOptional(),
  tags: z.array(text, should("a list such as ['@quick']")).exactOptional(),
  note: text.exactOptional(),
  seen: z.array(sighting, should('a list of measurements')).exactOptional(),
});

type File = z.infer<typeof FILE>;

/** What stands beside `options`, and so not in them. */
const BESIDE: readonly string[] = ['system', 'backend', 'schedule', 'seed', 'tags', 'checks'];

/** Throws `bad-option` that begins with `shown`, as the file is called here, in one line. */
export function parseRegression(value: unknown, path: string, shown: string): Regression {
  const parsed = FILE.safeParse(value);
  if (!parsed.success) throw refused(shown, complaintOf(parsed.error, value));
  const file = parsed.data;
  const stem = basename(path, '.json');
  if (file.name !== stem)
    throw refused(shown, `name: it is '${file.name}', and the file says '${stem}'`);
  const inside = BESIDE.find((name) => name in file.options);
  if (inside !== undefined)
    throw refused(shown, `options.${inside}: it is no option here; leave it out of 'options'`);
  const { options } = parseTestOptions(optionsIn(file, path, shown), shown, false);
  return {
    name: file.name,
    path,
    system: file.system,
    version: file.version,
    versions: (file.versions ?? []).map((range) => rangeIn(range, shown)),
    backend: options.backend as BackendName,
    options,
    expect: verdictIn(file, shown),
    within: file.runs?.within ?? 1,
    ...(file.note !== undefined && { note: file.note }),
    seen: file.seen ?? [],
  };
}

function refused(shown: string, why: string): HarnessError {
  return new HarnessError('bad-option', `${shown}: ${why}`);
}

/** A mistyped key leaves another one missing: then it is the typo that is worth to be told. */
function complaintOf({ issues }: z.ZodError, value: unknown): string {
  const first = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const isOurs = typeof value === 'object' && value !== null && 'schism-regression' in value;
  if (!isOurs) return "it is no regression: it has no 'schism-regression'";
  if (first === undefined) return 'cannot be used';
  const place = first.path.map(String).join('.');
  return place === '' ? first.message : `${place}: ${first.message}`;
}

function optionsIn(file: File, path: string, shown: string): object {
  const { schedule } = file;
  return {
    ...file.options,
    system: file.system,
    backend: file.backend,
    seed: file.seed,
    ...(schedule !== undefined && {
      schedule: typeof schedule === 'string' ? scheduleFile(schedule, path, shown) : schedule,
    }),
    ...(file.tags !== undefined && { tags: file.tags }),
  };
}

/** An archive of regressions from elsewhere must not be able to name just any file. */
function scheduleFile(name: string, path: string, shown: string): string {
  if (isAbsolute(name) || name.split(/[/\\]/).includes('..'))
    throw refused(shown, `schedule: '${name}' does not lie below ${SCHEDULES}/`);
  return join(dirname(path), SCHEDULES, name);
}

function rangeIn(range: string, shown: string): VersionRange {
  const found = parseRange(range);
  if (found !== undefined) return found;
  throw refused(shown, `versions: '${range}' is no version, and none to another: 3.4.20 - 3.4.41`);
}

function verdictIn({ expect, runs }: File, shown: string): Verdict {
  const { verdict, anomalies = [], every = false } = expect;
  if (verdict === 'fail') return { verdict, anomalies, every };
  if (anomalies.length > 0 || every)
    throw refused(shown, 'expect: what passes shows no anomalies; leave them out');
  if (runs !== undefined && runs.within > 1)
    throw refused(shown, 'runs: to pass in one of several runs is no promise; leave it out');
  return { verdict };
}
