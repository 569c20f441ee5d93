/** What of a stored run is done again. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { HarnessError } from '../harness/core/errors.ts';
import type { JsonValue } from '../harness/core/json.ts';
import { msFromNanos } from '../harness/core/units.ts';
import type { History } from '../harness/history/history.ts';
import type {
  RunConfig,
  RunManifest,
  RunResult,
  ScheduledFault,
} from '../harness/protocols/run.ts';
import { NOT_STORED } from '../harness/store/secrets.ts';

/**
 * The configuration that asks for the same again. A simulated run follows from it alone, and stays
 * as it was; of any other the faults come at the times at which they came, whatever drew them.
 * Throws `bad-input` for a run that cannot be asked for again.
 */
export function replayedConfig({ manifest, phases }: RunResult, history: History): RunConfig {
  const { config } = manifest;
  if (config.backend === 'attach')
    throw new HarnessError(
      'bad-input',
      'how to reach an attached cluster is not stored; use `schism run --config` again',
    );
  if (JSON.stringify(config).includes(NOT_STORED))
    throw new HarnessError(
      'bad-input',
      'a secret of its configuration was not stored; use `schism run` with it again',
    );
  if (config.backend === 'sim') return config;
  const startNanos = phases.find(({ phase }) => phase === 'main')?.startNanos ?? 0;
  const schedule = recordedFaults(history, startNanos);
  return schedule.length === 0 ? config : { ...config, schedule };
}

/** Options of systems that say what is started, and with which words. */
const PROGRAM_OPTIONS: readonly string[] = ['binary', 'image', 'links-image', 'extra'];

/**
 * An archive may come from anyone: what it would have started here is not started for its word alone.
 * Throws `bad-input`.
 */
export function requireOwnPrograms(archive: string | undefined, { config }: RunManifest): void {
  if (archive === undefined || config.backend === 'sim') return;
  const named = PROGRAM_OPTIONS.find((name) => Object.hasOwn(config.systemOptions, name));
  if (named !== undefined)
    throw new HarnessError(
      'bad-input',
      `${archive} says what to start here: ${named}=${config.systemOptions[named]}; ` +
        'if you trust it, unpack it and name the folder of its run',
    );
}

/** Every fault that was begun, as it was asked for: `leader` stays a word for who leads then. */
export function recordedFaults(history: History, startNanos: number): readonly ScheduledFault[] {
  const begun = new Map<string, ScheduledFault>();
  for (const { type, id, lane, time, value } of history.faults()) {
    if (type !== 'invoke' || id === undefined || lane === undefined) continue;
    const { stage, ...options } = { ...(value as Readonly<Record<string, JsonValue>> | null) };
    const atMs = msFromNanos(time - startNanos);
    const before = begun.get(id);
    if (stage === 'begin')
      begun.set(id, {
        atMs: Math.max(0, atMs),
        forMs: Number.POSITIVE_INFINITY,
        fault: lane,
        options,
      });
    else if (stage === 'end' && before?.forMs === Number.POSITIVE_INFINITY)
      begun.set(id, { ...before, forMs: Math.max(0, atMs - before.atMs) });
  }
  const lastMs =
    history.length === 0 ? 0 : msFromNanos(history.time(history.length - 1) - startNanos);
  return [...begun.values()]
    .map((fault) =>
      Number.isFinite(fault.forMs) ? fault : { ...fault, forMs: Math.max(0, lastMs - fault.atMs) },
    )
    .toSorted((a, b) => a.atMs - b.atMs);
}

/** Of the text of a history, compressed or not: the same for the same bytes. */
export async function historyHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  const source = createReadStream(path);
  await (path.endsWith('.gz') ? pipeline(source, createGunzip(), hash) : pipeline(source, hash));
  return hash.digest('hex');
}
