/** Finds by its labels what runs made on an engine, and removes it. */
import { hostname } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import type { UndoEntry } from '../../../harness/protocols/undo.ts';
import { isAlive, ownerText } from '../../../harness/runner/watchdog-proc.ts';
import { callEngine, type Engine } from './engine.ts';
import { statusOf } from './images.ts';
import { LABEL } from './labels.ts';

/** As much of an engine as it takes. */
export type EngineApi = Pick<Engine, 'docker'>;

export interface Found {
  readonly kind: 'container' | 'network' | 'volume';
  readonly id: string;
  readonly name: string;
  readonly run: string;
  /** As `ownerLabel` has it; empty for what was made by hand. */
  readonly owner: string;
  readonly role: string;
  /** Of containers: `running`, `paused`, `exited`, ... */
  readonly state?: string;
}

/** What would not go, and why. */
export interface Stuck {
  readonly found: Found;
  readonly why: string;
}

/** Removing ten containers at once takes a second on a quiet machine, and ten on a busy one. */
const REMOVE_MS_MAX = 20_000;
const TRIES_MAX = 8;
const TRY_AGAIN_MS = 150;
/** What was asked for by a harness that died just then: a busy engine takes seconds to make it. */
const LOOK_AGAIN_MS = 300;
const LOOKS_CLEAN = 14;
/** That found something. */
const LOOKS_FOUND_MAX = 10;

/** Of label `schism.owner`, for what this process makes. */
export function ownerLabel(): string {
  return `${hostname()}:${ownerText(process.pid)}`;
}

/** Whether its harness ran on this machine and is gone; of other machines nobody here can tell. */
export function isOrphan({ owner }: Pick<Found, 'owner'>): boolean {
  const [host, pid, startTime] = owner.split(':');
  if (host !== hostname() || startTime === undefined) return false;
  return !isAlive(Number(pid), startTime);
}

/** Everything that one run made, or all of them. Throws `engine-failed`. */
export async function findMade(
  { docker }: EngineApi,
  clock: Clock,
  { run }: { readonly run?: string } = {},
): Promise<readonly Found[]> {
  const filters = { label: [run === undefined ? LABEL.run : `${LABEL.run}=${run}`] };
  const query = JSON.stringify(filters);
  const [containers, networks, volumes] = await callEngine(clock, 'list what runs made', () =>
    Promise.all([
      docker.listContainers({ all: true, filters: query }),
      docker.listNetworks({ filters: query }),
      docker.listVolumes({ filters: query }),
    ]),
  );
  return [
    ...containers.map(({ Id, Names, Labels, State }) => ({
      ...foundOf('container', Id, (Names[0] ?? Id).replace(/^\//, ''), Labels),
      state: State,
    })),
    ...networks.map(({ Id, Name, Labels }) => foundOf('network', Id, Name, Labels)),
    ...volumes.Volumes.map(({ Name, Labels }) => foundOf('volume', Name, Name, Labels)),
  ];
}

/**
 * Containers first, then what they used; each kind at once. What is gone already counts as removed.
 * Returns what could not be removed; never throws.
 */
export async function removeMade(
  engine: EngineApi,
  made: readonly Found[],
  clock: Clock,
): Promise<readonly Stuck[]> {
  const remove = async (found: Found): Promise<Stuck[]> => {
    const why = await removeOne(engine, found, clock);
    return why === undefined ? [] : [{ found, why }];
  };
  const isContainer = ({ kind }: Found): boolean => kind === 'container';
  const first = await Promise.all(made.filter(isContainer).map(remove));
  const rest = await Promise.all(made.filter((found) => !isContainer(found)).map(remove));
  return [...first, ...rest].flat();
}

export interface Removed {
  readonly removed: readonly Found[];
  readonly stuck: readonly Stuck[];
}

/**
 * Removes everything of a run whose harness is gone, and looks again until nothing more appears: it
 * may have died between a request and its label. Throws `engine-failed` when the engine is gone.
 */
export async function removeRun(
  engine: EngineApi,
  run: string,
  clock: Clock,
  owner?: string,
): Promise<Removed> {
  const removed: Found[] = [];
  let stuck: readonly Stuck[] = [];
  for (let clean = 0, foundSome = 0; clean < LOOKS_CLEAN && foundSome < LOOKS_FOUND_MAX; ) {
    const made = await findMade(engine, clock, { run });
    // Names of runs are short: on a big engine another machine's may have the same.
    const found = made.filter((each) => owner === undefined || each.owner === owner);
    clean = found.length === 0 ? clean + 1 : 0;
    if (found.length > 0) foundSome++;
    stuck = await removeMade(engine, found, clock);
    const left = new Set(stuck.map((each) => each.found.id));
    removed.push(...found.filter(({ id }) => !left.has(id)));
    if (clean < LOOKS_CLEAN) await sleep(clock, LOOK_AGAIN_MS);
  }
  return { removed, stuck };
}

/** `2 containers, 1 network` */
export function countText(all: readonly Pick<Found, 'kind'>[]): string {
  const parts = (['container', 'network', 'volume'] as const).flatMap((kind) => {
    const count = all.filter((each) => each.kind === kind).length;
    return count === 0 ? [] : [`${count} ${kind}${count === 1 ? '' : 's'}`];
  });
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

/**
 * For the watchdog, entered before the first thing is made: removes all that the run made, as far as
 * this process made it.
 */
export function undoRun(engine: EngineApi, run: string): UndoEntry {
  const main = new URL(`./cleanup-main${extname(import.meta.url)}`, import.meta.url);
  return {
    kind: 'command',
    file: process.execPath,
    args: [fileURLToPath(main), run, engineAddress(engine), ownerLabel()],
    timeoutMs: (LOOKS_FOUND_MAX + LOOKS_CLEAN) * LOOK_AGAIN_MS + REMOVE_MS_MAX,
  };
}

/** Where the engine is, as JSON; `null` where keys are needed, which no command line may hold. */
export function engineAddress({ docker }: EngineApi): string {
  const { socketPath, protocol, host, port, ca, key } = docker.modem as unknown as {
    readonly [Part in 'socketPath' | 'protocol' | 'host' | 'port' | 'ca' | 'key']?: unknown;
  };
  if (typeof socketPath === 'string') return JSON.stringify({ socketPath });
  const isPlain = protocol === 'http' && ca === undefined && key === undefined;
  return JSON.stringify(isPlain ? { protocol, host, port } : null);
}

function foundOf(
  kind: Found['kind'],
  id: string,
  name: string,
  labels: Readonly<Record<string, string>> | null | undefined,
): Found {
  return {
    kind,
    id,
    name,
    run: labels?.[LABEL.run] ?? '',
    owner: labels?.[LABEL.owner] ?? '',
    role: labels?.[LABEL.role] ?? '',
  };
}

/** Undefined once it is gone, or why it is not. */
async function removeOne(
  { docker }: EngineApi,
  { kind, id }: Found,
  clock: Clock,
): Promise<string | undefined> {
  const remove = async (abortSignal: AbortSignal): Promise<unknown> => {
    if (kind === 'network') return await docker.getNetwork(id).remove({ abortSignal });
    if (kind === 'volume') return await docker.getVolume(id).remove({ abortSignal, force: true });
    return await docker.getContainer(id).remove({ abortSignal, force: true, v: true });
  };
  let why = '';
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    if (tries > 0) await sleep(clock, TRY_AGAIN_MS);
    try {
      await callEngine(clock, `remove ${kind}`, remove, REMOVE_MS_MAX);
      return undefined;
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (statusOf(cause) === 404) return undefined;
      why = messageOf(cause ?? error);
      // Busy: another removes it, too, or what uses it is only just going.
      if (![403, 409, 500].includes(statusOf(cause) ?? 0)) return why;
    }
  }
  return why;
}
