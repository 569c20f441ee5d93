/** Which image a container is made of: what was asked for, what was built here, or the official one. */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';
import type { Log } from '../../../harness/core/log.ts';
import { callEngine, type Engine } from './engine.ts';
import { followed, type Progress } from './images-progress.ts';
import { isStale } from './images-stale.ts';

/** A registry that says nothing for so long will not. */
const PULL_SILENCE_MS_MAX = 20_000;
const LOG_EVERY_MS = 2_000;

export interface ImageFacts {
  readonly id: string;
  readonly bytes: number;
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ResolvedImage {
  readonly name: string;
  readonly id: string;
  /** `asked for`, `built here`, `built here, stale`, `official`; `, pulled` where it was not here. */
  readonly how: string;
}

export interface ResolveOptions {
  /** By the user: nothing else will do. */
  readonly asked?: string;
  /** The tag of the one that is built here. */
  readonly built: string;
  /** What others publish, if anybody does. */
  readonly official?: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * An image that is on the engine is never pulled. Throws `engine-failed` with what was tried, and
 * how to build one.
 */
export async function resolveImage(
  engine: Engine,
  { asked, built, official, clock, log }: ResolveOptions,
): Promise<ResolvedImage> {
  if (asked !== undefined) return await there(engine, asked, 'asked for', clock, log);
  const own = await inspectImage(engine, built, clock);
  if (own !== undefined) {
    const stale = isStale(built, own.labels);
    if (stale)
      log.warn(`image ${built} is older than its sources: schism images build`, { id: own.id });
    return { name: built, id: own.id, how: stale ? 'built here, stale' : 'built here' };
  }
  const build = `${built} is not built (schism images build)`;
  if (official === undefined) throw new HarnessError('engine-failed', `no image: ${build}`);
  try {
    return await there(engine, official, 'official', clock, log);
  } catch (error) {
    throw new HarnessError('engine-failed', `no image: ${build}, and ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function there(
  engine: Engine,
  name: string,
  how: string,
  clock: Clock,
  log: Log,
): Promise<ResolvedImage> {
  const here = await inspectImage(engine, name, clock);
  if (here !== undefined) return { name, id: here.id, how };
  const { id } = await pullImage(engine, name, clock, log);
  return { name, id, how: `${how}, pulled` };
}

/** Pulls it if it is not there. Throws `engine-failed` when the registry refuses or falls silent. */
export async function pullImage(
  engine: Engine,
  name: string,
  clock: Clock,
  log: Log,
): Promise<ImageFacts> {
  const here = await inspectImage(engine, name, clock);
  if (here !== undefined) return here;
  log.info(`pulling image ${name}`);
  try {
    await pull(engine, name, clock, log);
  } catch (error) {
    throw new HarnessError('engine-failed', `cannot pull ${name}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const pulled = await inspectImage(engine, name, clock);
  if (pulled !== undefined) return pulled;
  throw new HarnessError('engine-failed', `pulled ${name}, but the engine does not have it`);
}

async function pull(engine: Engine, name: string, clock: Clock, log: Log): Promise<void> {
  const over = new AbortController();
  let heardAt = clock.now();
  let loggedAt = clock.now();
  const tell = ({ status, id }: Progress): void => {
    heardAt = clock.now();
    if (heardAt - loggedAt < LOG_EVERY_MS * 1e6) return;
    loggedAt = heardAt;
    log.info(`pulling image ${name}`, { status, layer: id });
  };
  const silence = async (): Promise<never> => {
    for (;;) {
      const leftMs = PULL_SILENCE_MS_MAX - (clock.now() - heardAt) / 1e6;
      if (leftMs <= 0) throw new Error(`nothing heard for ${PULL_SILENCE_MS_MAX / 1000} s`);
      await sleep(clock, leftMs, over.signal);
      if (over.signal.aborted) throw new Error('over');
    }
  };
  const all = async (): Promise<void> => {
    // A name without a tag would pull every tag there is.
    const tagged = /(:[^/]+|@sha256:\w+)$/.test(name) ? name : `${name}:latest`;
    const stream = await engine.docker.pull(tagged, { abortSignal: over.signal });
    await followed(engine, stream, tell);
  };
  try {
    await Promise.race([all(), silence()]);
  } finally {
    over.abort();
  }
}

/** Undefined when it is not on the engine. */
export async function inspectImage(
  engine: Engine,
  tag: string,
  clock: Clock,
): Promise<ImageFacts | undefined> {
  return await callEngine(clock, `look at image ${tag}`, async () => {
    try {
      const { Id, Size, Created, Config } = await engine.docker.getImage(tag).inspect();
      return { id: Id, bytes: Size, createdAt: Created, labels: Config.Labels ?? {} };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  });
}

/** The HTTP status that the engine answered with, if it did. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}
