/** What of a stored run is done again. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { HarnessError } from '../harness/core/errors.ts';
import type { JsonValue } from '../harness/core/json.ts';
import { msFromNanos } from '../harness/core/units.ts';
import type { History } from '../harness/history/history.ts';
import type { Op } from '../harness/history/op.ts';
import type { FaultValue } from '../harness/protocols/nemesis.ts';
import type {
  FaultTrigger,
  RunConfig,
  RunManifest,
  RunResult,
  ScheduledFault,
} from '../harness/protocols/run.ts';
import { NOT_STORED } from '../harness/store/secrets.ts';

/**
 * The configuration that asks for the same again. A simulated run follows from it alone, and stays
 * as it was; of any other the faults come at the times at which they came, whatever drew them, or
 * after what they came after. `pinned`: at those times in any case. Throws `bad-input` for a run that
 * cannot be asked for again.
 */
export function replayedConfig(
  { manifest, phases }: RunResult,
  history: History,
  pinned = false,
): RunConfig {
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
  if (config.backend === 'sim' && !pinned) return config;
  const startNanos = phases.find(({ phase }) => phase === 'main')?.startNanos ?? 0;
  const schedule = recordedFaults(history, startNanos, pinned);
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

/**
 * Every fault that was begun, as it was asked for: `leader` stays a word for who leads then, and what
 * waited for something waits for it again, unless it is pinned to the moment at which that came. What
 * waited in vain was none.
 */
export function recordedFaults(
  history: History,
  startNanos: number,
  pinned = false,
): readonly ScheduledFault[] {
  const begun = new Map<string, Recorded>();
  for (const op of history.faults()) {
    const { type, id, lane = op.f } = op;
    if (id === undefined) continue;
    const name = `${lane}\n${id}`;
    const ms = Math.max(0, msFromNanos(op.time - startNanos));
    const { stage, ...rest } = { ...(op.value as Readonly<Record<string, JsonValue>> | null) };
    const before = begun.get(name);
    if (type === 'invoke' && stage === 'begin') begun.set(name, askedFor(op, lane, rest, ms));
    else if (before === undefined) continue;
    else if (type !== 'invoke' && stage === 'begin') began(before, ms, rest);
    else if (type === 'invoke' && stage === 'end') before.endMs ??= ms;
  }
  const lastMs =
    history.length === 0 ? 0 : msFromNanos(history.time(history.length - 1) - startNanos);
  return [...begun.values()]
    .flatMap((each) => asScheduled(each, Math.max(0, lastMs), pinned))
    .toSorted((a, b) => a.atMs - b.atMs);
}

interface Recorded {
  readonly fault: Omit<ScheduledFault, 'forMs'>;
  /** When what it waited for had come. */
  firedMs: number | undefined;
  begunMs: number | undefined;
  endMs: number | undefined;
}

function askedFor(
  { f }: Op,
  lane: string,
  { trigger, ...options }: Readonly<Record<string, JsonValue>>,
  atMs: number,
): Recorded {
  const fault = {
    atMs,
    fault: f,
    options,
    ...(lane !== f && { lane }),
    ...(trigger !== undefined && { trigger: trigger as unknown as FaultTrigger }),
  };
  return { fault, firedMs: undefined, begunMs: undefined, endMs: undefined };
}

function began(fault: Recorded, ms: number, value: Readonly<Record<string, JsonValue>>): void {
  const { trigger } = value as Pick<FaultValue, 'trigger'>;
  fault.begunMs = ms;
  if (trigger !== undefined) fault.firedMs = fault.fault.atMs + trigger.waitedMs;
}

function asScheduled(
  { fault, firedMs, begunMs, endMs = Number.POSITIVE_INFINITY }: Recorded,
  lastMs: number,
  pinned: boolean,
): readonly ScheduledFault[] {
  const untilMs = Math.min(endMs, lastMs);
  const { trigger, ...timed } = fault;
  if (trigger === undefined) return [{ ...timed, forMs: Math.max(0, untilMs - timed.atMs) }];
  if (firedMs === undefined || begunMs === undefined) return [];
  if (pinned) return [{ ...timed, atMs: firedMs, forMs: Math.max(0, untilMs - firedMs) }];
  return [{ ...fault, forMs: Math.max(0, untilMs - begunMs) }];
}

/** Of the text of a history, compressed or not: the same for the same bytes. */
export async function historyHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  const source = createReadStream(path);
  await (path.endsWith('.gz') ? pipeline(source, createGunzip(), hash) : pipeline(source, hash));
  return hash.digest('hex');
}
