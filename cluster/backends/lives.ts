/** Nodes over all their lives: the same for processes and for containers. */
import { type Clock, sleep } from '../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import { invariant } from '../../harness/core/invariant.ts';
import type { Log } from '../../harness/core/log.ts';
import { msFromNanos, type NodeName } from '../../harness/core/units.ts';
import type { ProcessControl, ProcessState } from '../../harness/protocols/system.ts';
import { logTail } from './log-tail.ts';
import type { Crash, Readiness, RunningNodes } from './nodes.ts';

const PROBE_INTERVAL_MS = 25;
const SETTLE_INTERVAL_MS = 5;
/** Not an error: whether the node gets ready is what counts. */
const SETTLE_MS_MAX = 2_000;

/** One life of a node, from a start to its end. */
export interface Life {
  /** How it ended, in words: `exit code 2`. Never rejects. */
  readonly ended: Promise<string>;
  /** Resolves when it is gone; does nothing when it is. */
  kill(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  state(): Promise<ProcessState>;
}

/** One node: what it is started with again and again, and how to tell that it serves. */
export interface LifePlan<Spec> {
  readonly node: NodeName;
  readonly spec: Spec;
  /** Absolute path of the file with its output. */
  readonly logPath: string;
  readonly readiness: Readiness;
  /** When the next node may be started, at the very first start; at once by default. */
  readonly settled?: () => Promise<boolean>;
}

export interface LivesContext<Spec> {
  /** Starts one life; a `spec` that the node did not have before starts it with nothing kept. */
  readonly start: (node: NodeName, spec: Spec) => Promise<Life>;
  readonly clock: Clock;
  readonly log: Log;
  /** Asked when a node ends by itself: true, and it is no crash. */
  readonly mayEnd?: (node: NodeName, how: string) => boolean;
}

/** What is known of one node over all its lives. */
interface Slot<Spec> {
  plan: LifePlan<Spec>;
  life: Life | undefined;
  /** How its last life ended; undefined while it runs. */
  ended: string | undefined;
  /** The life that a fault or the teardown ends now: such an end is no crash. */
  killed: Life | undefined;
  /** Starts and kills of one node follow each other. */
  queue: Promise<void>;
}

/** Starts the nodes in their order. When one cannot be started, none is left. */
export async function startLives<Spec>(
  plans: readonly LifePlan<Spec>[],
  context: LivesContext<Spec>,
): Promise<RunningNodes<Spec>> {
  const slots = new Map(plans.map((plan) => [plan.node, emptySlot(plan)]));
  const crashes: Crash[] = [];
  const all = [...slots.values()];
  const nodes: RunningNodes<Spec> = {
    control: controlOf(slots, crashes, context),
    renew: (node, prepare) => {
      const slot = slotOf(slots, node);
      return inTurn(slot, async () => {
        await kill(slot);
        slot.plan = { ...slot.plan, spec: await prepare() };
        await start(slot, crashes, context);
      });
    },
    ready: async (timeoutMs) => {
      await Promise.all(all.map((slot) => awaitReady(slot, context.clock, timeoutMs)));
    },
    crashed: () => [...crashes],
    logs: () => plans.map(({ node, logPath }) => ({ node, path: logPath })),
    [Symbol.asyncDispose]: async () => {
      await together(all.map((slot) => inTurn(slot, () => kill(slot))));
    },
  };
  try {
    const starting: Promise<void>[] = [];
    for (const slot of all) {
      const started = start(slot, crashes, context);
      starting.push(started);
      if (slot.plan.settled === undefined) continue;
      await started;
      await settle(slot, slot.plan.settled, context.clock);
    }
    await together(starting);
  } catch (error) {
    await nodes[Symbol.asyncDispose]();
    throw error;
  }
  return nodes;
}

function emptySlot<Spec>(plan: LifePlan<Spec>): Slot<Spec> {
  const nothing = { life: undefined, ended: undefined, killed: undefined };
  return { plan, ...nothing, queue: Promise.resolve() };
}

/** Waits for all, so that nothing is still under way when the first failure is thrown. */
async function together(tasks: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(tasks);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

/**
 * Killing what is dead, starting what runs, pausing what is gone: all do nothing. The nemesis sees
 * in the state whether its fault took effect.
 */
function controlOf<Spec>(
  slots: ReadonlyMap<NodeName, Slot<Spec>>,
  crashes: Crash[],
  context: LivesContext<Spec>,
): ProcessControl {
  const of = (node: NodeName): Slot<Spec> => slotOf(slots, node);
  const alive = ({ life, ended }: Slot<Spec>): Life | undefined =>
    ended === undefined ? life : undefined;
  return {
    kill: (node) => inTurn(of(node), () => kill(of(node))),
    start: (node) => inTurn(of(node), () => start(of(node), crashes, context)),
    pause: (node) => inTurn(of(node), async () => alive(of(node))?.pause()),
    resume: (node) => inTurn(of(node), async () => alive(of(node))?.resume()),
    state: async (node) => (await of(node).life?.state()) ?? { state: 'gone' },
  };
}

function slotOf<Spec>(slots: ReadonlyMap<NodeName, Slot<Spec>>, node: NodeName): Slot<Spec> {
  const slot = slots.get(node);
  invariant(slot !== undefined, `there is no node '${node}'`);
  return slot;
}

function inTurn<Spec>(slot: Slot<Spec>, act: () => Promise<void>): Promise<void> {
  const turn = slot.queue.then(act);
  slot.queue = turn.catch(() => undefined);
  return turn;
}

async function start<Spec>(
  slot: Slot<Spec>,
  crashes: Crash[],
  context: LivesContext<Spec>,
): Promise<void> {
  if (slot.life !== undefined && slot.ended === undefined) return;
  const { node, spec } = slot.plan;
  const life = await context.start(node, spec);
  slot.life = life;
  slot.ended = undefined;
  void watchEnd(slot, life, crashes, context);
}

async function settle<Spec>(
  slot: Slot<Spec>,
  settled: () => Promise<boolean>,
  clock: Clock,
): Promise<void> {
  for (let waited = 0; waited < SETTLE_MS_MAX; waited += SETTLE_INTERVAL_MS) {
    if (slot.ended !== undefined || (await settled())) return;
    await sleep(clock, SETTLE_INTERVAL_MS);
  }
}

async function watchEnd<Spec>(
  slot: Slot<Spec>,
  life: Life,
  crashes: Crash[],
  { log, mayEnd }: LivesContext<Spec>,
): Promise<void> {
  const how = await life.ended;
  if (slot.life === life) slot.ended = how;
  if (slot.killed === life) return;
  const { node } = slot.plan;
  if (mayEnd?.(node, how) === true) {
    log.info('a node ended, as was to be expected', { node, how });
    return;
  }
  crashes.push({ node, how });
  log.warn('a node ended by itself', { node, how });
}

async function kill<Spec>(slot: Slot<Spec>): Promise<void> {
  const { life } = slot;
  if (life === undefined || slot.ended !== undefined) return;
  slot.killed = life;
  await life.kill();
  // So that `watchEnd`, which waits for the same, has seen it.
  await life.ended;
}

async function awaitReady<Spec>(slot: Slot<Spec>, clock: Clock, timeoutMs: number): Promise<void> {
  const { node, readiness, logPath } = slot.plan;
  const deadlineMs = msFromNanos(clock.now()) + timeoutMs;
  let seen = 'nothing yet';
  for (;;) {
    const { ended } = slot;
    const what = `${node} to ${readiness.description}`;
    const details = (): { details: string } => ({ details: logTail(logPath) });
    if (ended !== undefined)
      throw new HarnessError(
        'process-failed',
        `${node} ended (${ended}) while waiting for ${what}; its log: ${logPath}`,
        details(),
      );
    try {
      const answer = await readiness.probe();
      if (answer === true) return;
      seen = answer;
    } catch (error) {
      seen = messageOf(error);
    }
    if (msFromNanos(clock.now()) >= deadlineMs)
      throw new HarnessError(
        'deadline',
        `waited ${timeoutMs} ms for ${what}; last seen: ${seen}; its log: ${logPath}`,
        details(),
      );
    await sleep(clock, PROBE_INTERVAL_MS);
  }
}
