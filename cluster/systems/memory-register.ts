import { type Clock, sleep } from '../../harness/core/clock.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Random } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { OpError, ReadMode, ServerStamp } from '../../harness/history/op.ts';
import type { Call, Outcome, RegisterApi } from '../../harness/protocols/system.ts';
import type { MemoryBug } from './memory-bugs.ts';
import type { Cell, MemoryStore } from './memory-store.ts';
import type { MemoryWorld } from './memory-world.ts';

/** Travel time of a request or a reply. */
const TRAVEL_MS_MAX = 2;
/** How long the dirty value of a write that is about to be refused can be seen. */
const DIRTY_MS = 6;

const refused: OpError = { code: 'connection-refused', definite: true };
const rejected: OpError = { code: 'rejected', definite: true };
const timedOut: OpError = { code: 'timeout', definite: false };
const lost: OpError = { code: 'connection-reset', definite: false };
const mismatch: OpError = { code: 'cas-mismatch', definite: true };
/** All that it answers, for the documentation. */
export const MEMORY_ERRORS: readonly OpError[] = [refused, rejected, mismatch, timedOut, lost];

interface World {
  readonly world: MemoryWorld;
  readonly clock: Clock;
  readonly random: Random;
  readonly bug: MemoryBug | undefined;
  /** Values of writes that will be refused, as dirty readers see them. */
  readonly dirty: Map<string, JsonValue>;
}

/** One client's registers at one node of the in-process store. */
export function memoryRegister(node: NodeName, ctx: World): RegisterApi {
  const { world, random, bug } = ctx;
  return {
    read: async (key, mode, call) => {
      const outcome = await request(ctx, node, call, mode, (store) => {
        const { applied } = world.state(node);
        const lagging = mode === 'serializable' || (bug === 'stale-read' && !world.isLeader(node));
        if (!lagging) world.catchUp(node);
        const cell = store.get(key, lagging ? applied : undefined);
        const dirty = ctx.dirty.get(key);
        const value = dirty === undefined || mode === 'serializable' ? cell.value : dirty;
        return { type: 'ok', value, server: stamp(world, node, cell) };
      });
      // A read that went wrong had no effect: its process can live on.
      return outcome.type === 'info' ? { type: 'fail', error: outcome.error } : outcome;
    },
    write: (key, value, call) =>
      request(ctx, node, call, undefined, async (store) => {
        if (bug === 'dirty-read' && random.chance(0.05)) return beDirty(ctx, key, value);
        if (bug === 'lost-write' && random.chance(0.02))
          return { type: 'ok', value: null, server: { revision: store.revision + 1 } };
        return put(ctx, node, store, key, value);
      }),
    cas: (key, from, to, call) =>
      request(ctx, node, call, undefined, async (store) => {
        const cell = store.get(key);
        if (cell.value !== from) {
          const server = stamp(world, node, cell);
          return { type: 'fail', error: mismatch, seen: cell.value, server };
        }
        if (bug === 'cas-two-winners') await sleep(ctx.clock, 1 + random.float() * TRAVEL_MS_MAX);
        return put(ctx, node, store, key, to);
      }),
  };
}

function put(
  { world }: World,
  node: NodeName,
  store: MemoryStore,
  key: string,
  value: JsonValue,
): Outcome<null> {
  const cell = store.put(key, value);
  world.catchUp(node);
  world.committed();
  return { type: 'ok', value: null, server: stamp(world, node, cell, cell.revision) };
}

async function beDirty(ctx: World, key: string, value: JsonValue): Promise<Outcome<null>> {
  ctx.dirty.set(key, value);
  await sleep(ctx.clock, DIRTY_MS);
  if (ctx.dirty.get(key) === value) ctx.dirty.delete(key);
  return { type: 'fail', error: rejected };
}

function stamp(world: MemoryWorld, node: NodeName, cell: Cell, revision?: number): ServerStamp {
  const { applied, term } = world.state(node);
  return {
    revision: revision ?? applied,
    modRevision: cell.revision,
    version: cell.version,
    term,
    member: node,
  };
}

/**
 * Sends a request, lets the node serve it as soon as it can, and brings the reply back. After the
 * timeout nobody listens, but the node may still do what it was asked.
 */
async function request<T>(
  ctx: World,
  node: NodeName,
  call: Call,
  mode: ReadMode | undefined,
  serve: (store: MemoryStore) => Outcome<T> | Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const { world, clock, random } = ctx;
  const { up, starts } = world.state(node);
  if (!up) return { type: 'fail', error: refused };
  // A node that was killed and started again has forgotten who asked.
  const alive = (): boolean => world.state(node).up && world.state(node).starts === starts;
  const { promise: expired, resolve } = Promise.withResolvers<Outcome<T>>();
  const timer = clock.timer(call.timeoutMs, () => {
    resolve({ type: 'info', error: timedOut });
  });
  const work = async (): Promise<Outcome<T>> => {
    await sleep(clock, random.float() * TRAVEL_MS_MAX);
    const canServe = (): boolean =>
      mode === 'serializable' ? !world.state(node).paused : world.serves(node);
    while (!canServe()) {
      if (!alive()) return { type: 'info', error: lost };
      await world.changed();
    }
    if (!alive()) return { type: 'info', error: lost };
    const outcome = await serve(world.state(node).store);
    await sleep(clock, random.float() * TRAVEL_MS_MAX);
    while (alive() && world.state(node).paused) await world.changed();
    return alive() ? outcome : { type: 'info', error: lost };
  };
  try {
    return await Promise.race([work(), expired]);
  } finally {
    timer.cancel();
  }
}
