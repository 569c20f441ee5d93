/** The `process` backend: each node is a child process of this one, and nothing more is known. */
import { type Clock, sleep } from '../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import { invariant } from '../../harness/core/invariant.ts';
import { msFromNanos, type NodeName } from '../../harness/core/units.ts';
import type { NodeLog, ProcessControl } from '../../harness/protocols/system.ts';
import { type Child, type ChildContext, type ChildSpec, type Exit, startChild } from './child.ts';
import { logTail } from './log-tail.ts';

const PROBE_INTERVAL_MS = 25;
const SETTLE_INTERVAL_MS = 5;
/** Not an error: whether the node gets ready is what counts. */
const SETTLE_MS_MAX = 2_000;

/** How one finds out that a node serves; a value, so that an error can say what was awaited. */
export interface Readiness {
  /** Completes `waited for ... to ...`: `answer Status with a leader`. */
  readonly description: string;
  /** True, or in words what was seen instead. May throw: that is what was seen, then. */
  probe(): Promise<true | string>;
}

/** One node: its program with everything it needs, so that it can be started again and again. */
export interface NodePlan {
  readonly node: NodeName;
  readonly spec: Omit<ChildSpec, 'name'>;
  readonly readiness: Readiness;
  /** When the next node may be started, at the very first start; at once by default. */
  readonly settled?: () => Promise<boolean>;
}

export interface Crash {
  readonly node: NodeName;
  /** `exit code 2`, `signal SIGSEGV`. */
  readonly how: string;
}

export interface LocalProcesses extends AsyncDisposable {
  readonly control: ProcessControl;
  /**
   * In one go, so that nobody starts it in between: ends what runs, lets `prepare` do its work, and
   * starts the node with what it says, now and each later time.
   */
  renew(node: NodeName, prepare: () => Promise<NodePlan['spec']>): Promise<void>;
  /** Waits for every node at once; throws `process-failed` or `deadline` with the log's last lines. */
  ready(timeoutMs: number): Promise<void>;
  /** Ends that no `kill` asked for, since the first start. */
  crashed(): readonly Crash[];
  logs(): readonly NodeLog[];
}

/** What the backend knows of one node over all its lives. */
interface Slot {
  plan: NodePlan;
  child: Child | undefined;
  /** How its last life ended; undefined while it runs. */
  ended: Exit | undefined;
  /** The life that a fault or the teardown ends now: such an end is no crash. */
  killed: Child | undefined;
  /** Starts and kills of one node follow each other. */
  queue: Promise<void>;
}

export interface ProcessesContext extends ChildContext {
  /** Asked when a node ends by itself: true, and it is no crash. */
  readonly mayEnd?: (node: NodeName) => boolean;
}

/** Starts the nodes in their order. When one cannot be started, none is left. */
export async function startProcesses(
  plans: readonly NodePlan[],
  context: ProcessesContext,
): Promise<LocalProcesses> {
  const slots = new Map<NodeName, Slot>();
  const crashes: Crash[] = [];
  for (const plan of plans)
    slots.set(plan.node, {
      plan,
      child: undefined,
      ended: undefined,
      killed: undefined,
      queue: Promise.resolve(),
    });
  const all = [...slots.values()];
  const processes: LocalProcesses = {
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
    logs: () => plans.map(({ node, spec }) => ({ node, path: spec.logPath })),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(all.map((slot) => inTurn(slot, () => kill(slot))));
    },
  };
  try {
    for (const slot of all) {
      await start(slot, crashes, context);
      await settle(slot, context.clock);
    }
  } catch (error) {
    await processes[Symbol.asyncDispose]();
    throw error;
  }
  return processes;
}

/**
 * Killing what is dead, starting what runs, pausing what is gone: all do nothing. The nemesis sees
 * in `/proc` whether its fault took effect.
 */
function controlOf(
  slots: ReadonlyMap<NodeName, Slot>,
  crashes: Crash[],
  context: ProcessesContext,
): ProcessControl {
  const of = (node: NodeName): Slot => slotOf(slots, node);
  const signal = (node: NodeName, name: 'SIGSTOP' | 'SIGCONT'): Promise<void> => {
    const slot = of(node);
    return inTurn(slot, () => {
      slot.child?.signal(name);
      return Promise.resolve();
    });
  };
  return {
    kill: (node) => inTurn(of(node), () => kill(of(node))),
    start: (node) => inTurn(of(node), () => start(of(node), crashes, context)),
    pause: (node) => signal(node, 'SIGSTOP'),
    resume: (node) => signal(node, 'SIGCONT'),
    state: (node) => Promise.resolve(of(node).child?.state() ?? { state: 'gone' }),
  };
}

function slotOf(slots: ReadonlyMap<NodeName, Slot>, node: NodeName): Slot {
  const slot = slots.get(node);
  invariant(slot !== undefined, `there is no node '${node}'`);
  return slot;
}

function inTurn(slot: Slot, act: () => Promise<void>): Promise<void> {
  const turn = slot.queue.then(act);
  slot.queue = turn.catch(() => undefined);
  return turn;
}

async function start(slot: Slot, crashes: Crash[], context: ProcessesContext): Promise<void> {
  if (slot.child !== undefined && slot.ended === undefined) return;
  const { node, spec } = slot.plan;
  const child = await startChild({ ...spec, name: node }, context);
  slot.child = child;
  slot.ended = undefined;
  void watchEnd(slot, child, crashes, context);
}

async function settle(slot: Slot, clock: Clock): Promise<void> {
  for (let waited = 0; waited < SETTLE_MS_MAX; waited += SETTLE_INTERVAL_MS) {
    const { settled } = slot.plan;
    if (settled === undefined || slot.ended !== undefined || (await settled())) return;
    await sleep(clock, SETTLE_INTERVAL_MS);
  }
}

async function watchEnd(
  slot: Slot,
  child: Child,
  crashes: Crash[],
  { log, mayEnd }: ProcessesContext,
): Promise<void> {
  const exit = await child.exited;
  if (slot.child === child) slot.ended = exit;
  if (slot.killed === child) return;
  const [node, how] = [slot.plan.node, exitText(exit)];
  if (mayEnd?.(node) === true) {
    log.info('a node ended, as was to be expected', { node, how });
    return;
  }
  crashes.push({ node, how });
  log.warn('a node ended by itself', { node, how });
}

async function kill(slot: Slot): Promise<void> {
  const { child } = slot;
  if (child === undefined || slot.ended !== undefined) return;
  slot.killed = child;
  await child[Symbol.asyncDispose]();
}

export function exitText({ code, signal }: Exit): string {
  return signal === undefined ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
}

async function awaitReady(slot: Slot, clock: Clock, timeoutMs: number): Promise<void> {
  const { node, readiness, spec } = slot.plan;
  const deadlineMs = msFromNanos(clock.now()) + timeoutMs;
  let seen = 'nothing yet';
  for (;;) {
    const { ended } = slot;
    const what = `${node} to ${readiness.description}`;
    const details = (): { details: string } => ({ details: logTail(spec.logPath) });
    if (ended !== undefined)
      throw new HarnessError(
        'process-failed',
        `${node} ended (${exitText(ended)}) while waiting for ${what}; its log: ${spec.logPath}`,
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
        `waited ${timeoutMs} ms for ${what}; last seen: ${seen}; its log: ${spec.logPath}`,
        details(),
      );
    await sleep(clock, PROBE_INTERVAL_MS);
  }
}
