/** Makes a regression of a run that was stored. */
import { HarnessError } from '../../harness/core/errors.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { RunResult } from '../../harness/protocols/run.ts';
import type { System } from '../../harness/protocols/system.ts';
import { replayedConfig } from '../replay.ts';
import { optionsOf } from '../shrink/repro.ts';
import { REGRESSION_FORM } from './regression.ts';

export interface RegressionParts {
  /** That of its file, without `.json`. */
  readonly name: string;
  /** It must be seen within so many runs. Default: 1 in the simulator, else 10. */
  readonly within?: number;
  readonly note?: string;
}

const REAL_RUNS = 10;

/** The text of the file: what was played is asked for again, as `schism replay` would. */
export function regressionOf(
  { result, history }: { readonly result: RunResult; readonly history: History },
  system: Pick<System, 'promises'>,
  parts: RegressionParts,
): string {
  const { manifest, verdict, wallMs } = result;
  const config = replayedConfig(result, history);
  if (verdict !== 'fail' && verdict !== 'pass')
    throw new HarnessError(
      'bad-input',
      `run ${manifest.run} ended as ${verdict}: nothing to expect`,
    );
  const [ownCheck] = config.ownChecks ?? [];
  if (ownCheck !== undefined)
    throw new HarnessError(
      'bad-input',
      `run ${manifest.run} was judged by '${ownCheck}', a check of its test; keep it in the test`,
    );
  const { system: name, backend, seed, schedule, ...options } = optionsOf(config, system);
  const isExact = backend === 'sim';
  const isFailure = verdict === 'fail';
  return regressionText({
    'schism-regression': REGRESSION_FORM,
    name: parts.name,
    system: name ?? config.system,
    version: versionOf(result),
    backend: backend ?? config.backend,
    options: options as unknown as JsonValue,
    ...(schedule !== undefined && { schedule: schedule as JsonValue }),
    seed: seed ?? config.seed,
    expect: isFailure
      ? { verdict, anomalies: kindsIn(result), ...(isExact && { every: true }) }
      : { verdict },
    ...(isFailure && { runs: { within: parts.within ?? (isExact ? 1 : REAL_RUNS) } }),
    ...(parts.note !== undefined && { note: parts.note }),
    ...(isFailure && {
      seen: [
        {
          date: manifest.startedAt.slice(0, 10),
          runs: 1,
          of: 1,
          seconds: Number((wallMs / 1000).toFixed(1)),
        },
      ],
    }),
  });
}

/** Of the store, where the cluster said one; ours has that of the package. */
function versionOf({ manifest }: RunResult): string {
  const said = manifest.cluster?.['version'];
  return typeof said === 'string' ? said : manifest.version;
}

/** That faults cost more than a threshold allows is what was looked for only if nothing else was. */
function kindsIn({ checks }: RunResult): readonly string[] {
  const kinds = [...new Set(checks.flatMap(({ anomalies }) => anomalies.map(({ kind }) => kind)))];
  const others = kinds.filter((kind) => kind !== 'threshold');
  return others.length === 0 ? kinds : others;
}

const WIDTH = 100;

/** JSON as our formatter writes it, so that a file that is written needs no other hand. */
export function regressionText(value: JsonValue): string {
  return `${broken(value, '')}\n`;
}

function broken(value: JsonValue, indent: string): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const deeper = `${indent}  `;
  const isList = Array.isArray(value);
  const entries: readonly (readonly [string, JsonValue])[] = isList
    ? value.map((one: JsonValue) => ['', one])
    : Object.entries(value).map(([key, one]) => [`${JSON.stringify(key)}: `, one]);
  const lines = entries.map(([key, one]) => {
    const line = onOneLine(one);
    const fits = deeper.length + key.length + line.length + 1 <= WIDTH;
    return `${deeper}${key}${fits && !isTable(one) ? line : broken(one, deeper)}`;
  });
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}

/** Several rows: each has a line of its own. */
function isTable(value: JsonValue): boolean {
  const isRow = (one: JsonValue): boolean => typeof one === 'object' && one !== null;
  return Array.isArray(value) && value.length > 1 && value.every(isRow);
}

function onOneLine(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isList = Array.isArray(value);
  const inside = isList
    ? value.map((one: JsonValue) => onOneLine(one))
    : Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${onOneLine(one)}`);
  if (inside.length === 0) return isList ? '[]' : '{}';
  return isList ? `[${inside.join(', ')}]` : `{ ${inside.join(', ')} }`;
}
