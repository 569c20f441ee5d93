/**
 * What all fault families share: begin and end in turns, the quorum claim on the board, errors
 * as evidence, and heal. A family says only how to choose, install and remove its fault.
 */
import { sleep } from '../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import { InvariantError, invariant } from '../../harness/core/invariant.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Random } from '../../harness/core/prng.ts';
import { type NodeName, nanosFromMs } from '../../harness/core/units.ts';
import type { Op } from '../../harness/history/op.ts';
import type {
  Evidence,
  FaultValue,
  Nemesis,
  NemesisContext,
} from '../../harness/protocols/nemesis.ts';
import type { DirectedLink } from '../../harness/protocols/network.ts';
import type { Cluster, Timing } from '../../harness/protocols/system.ts';
import { NO_LEADER } from '../targets.ts';
import { failed, linkText, type Measured, skipped } from './evidence.ts';
import type { FaultOptions, Place } from './options.ts';
import { randomSchedule } from './schedule.ts';

/** A decided fault, before anything was done. */
export interface Plan<Held> {
  /** For people: `isolate n2 (leader), both ways`. */
  readonly text: string;
  readonly targets: readonly NodeName[];
  /** Nodes that count as down while it lasts. */
  readonly hit: ReadonlySet<NodeName>;
  /** Links that it disturbs: another lane's probe may miss something there. */
  readonly links?: readonly DirectedLink[];
  /** What the family needs to install, measure and remove it. */
  readonly held: Held;
}

/**
 * One kind of fault. `survey` looks at the cluster; `plan` decides, in one go, so that the claim
 * on the board cannot race with another lane; `install` and `remove` act and measure. `remove`
 * may be called again after it failed, and then does what is left. What takes time to measure and
 * changes seldom, `look` can see while the fault still waits for its event.
 */
export interface FaultFamily<Spec, Survey, Held, Look = never> {
  readonly name: string;
  /** See `Nemesis`. */
  readonly single?: string;
  available(cluster: Cluster): true | string;
  /** Throws `bad-input` for options that are not its own. */
  read(place: Place, timing: Timing): Spec;
  /** The options of one random fault. */
  draw(random: Random, timing: Timing): FaultOptions;
  /** Absent, or undefined: nothing that could be seen ahead. */
  look?(spec: Spec, ctx: NemesisContext): Promise<Look> | undefined;
  survey(spec: Spec, ctx: NemesisContext, seen?: Look): Promise<Survey>;
  plan(spec: Spec, survey: Survey, ctx: NemesisContext): Plan<Held> | { readonly reason: string };
  install(held: Held, ctx: NemesisContext): Promise<Measured>;
  remove(held: Held, ctx: NemesisContext): Promise<Measured>;
}

/** How long a fault that needs a leader waits for one. */
const ELECTIONS_MAX = 6;

/** Only to read options before a cluster exists; the durations it gives are thrown away. */
const ANY_TIMING: Timing = { heartbeatMs: 100, electionMs: 1000 };

export function nemesisOf<Spec, Survey, Held, Look = never>(
  family: FaultFamily<Spec, Survey, Held, Look>,
): Nemesis {
  const lane = new Lane(family);
  return {
    name: family.name,
    ...(family.single !== undefined && { single: family.single }),
    available: (cluster) => family.available(cluster),
    check: (options, where) => {
      family.read({ options, where }, ANY_TIMING);
    },
    schedule: (options) =>
      randomSchedule(family.name, options, (random) => family.draw(random, options.timing)),
    lookAhead: (op, ctx, signal) => lane.lookAhead(op, ctx, signal),
    invoke: (op, ctx) => lane.invoke(op, ctx),
    heal: (ctx) => lane.heal(ctx),
  };
}

type Description = Pick<FaultValue, 'text' | 'targets'>;

class Lane<Spec, Survey, Held, Look> {
  readonly #family: FaultFamily<Spec, Survey, Held, Look>;
  /** What is installed, or may be, because an attempt to install or remove it failed half-way. */
  #current: Plan<Held> | undefined;
  /** The latest look of a fault that waits. */
  #seen: Look | undefined;
  /** An interrupt may call `heal` while an invocation is under way: one after the other. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(family: FaultFamily<Spec, Survey, Held, Look>) {
    this.#family = family;
  }

  async lookAhead(op: Op, ctx: NemesisContext, signal: AbortSignal): Promise<void> {
    const { clock, cluster } = ctx;
    this.#seen = undefined;
    try {
      const spec = this.#specOf(requestOf(op.value).options, ctx);
      while (!signal.aborted) {
        const seen = await this.#family.look?.(spec, ctx);
        if (seen === undefined) return;
        // What comes when the fault has begun shows the fault.
        if (!signal.aborted) this.#seen = seen;
        await sleep(clock, cluster.timing.electionMs, signal);
      }
    } catch {
      // Then it is looked at when it begins, and what is wrong is told there: nobody waits here yet.
    }
  }

  invoke(op: Op, ctx: NemesisContext): Promise<FaultValue> {
    return this.#inTurn(() => {
      const { stage, options } = requestOf(op.value);
      return stage === 'begin' ? this.#begin(options, ctx) : this.#end(ctx);
    });
  }

  heal(ctx: NemesisContext): Promise<Evidence> {
    return this.#inTurn(async () => {
      const { evidence } = await this.#remove(ctx);
      // The run's faults are over: what could not be undone is reported, not planned around.
      this.#release(ctx);
      return evidence;
    });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(task);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #begin(options: FaultOptions, ctx: NemesisContext): Promise<FaultValue> {
    const { name } = this.#family;
    const left = await this.#remove(ctx);
    if (left.evidence.result === 'failed') {
      const why = `the fault before it is still there: ${left.evidence.why}`;
      return this.#value('begin', nothing(name), { evidence: failed(why) });
    }
    const decided = await this.#decide(options, ctx);
    if ('evidence' in decided) return this.#value('begin', nothing(name), decided);
    const measured = await asEvidence(() => this.#family.install(decided.held, ctx));
    return this.#value('begin', decided, measured);
  }

  async #end(ctx: NemesisContext): Promise<FaultValue> {
    const description = this.#current ?? nothing(this.#family.name);
    return this.#value('end', description, await this.#remove(ctx));
  }

  /** Chooses whom to hit and claims it on the board, or says why not. */
  async #decide(options: FaultOptions, ctx: NemesisContext): Promise<Plan<Held> | Measured> {
    const family = this.#family;
    const available = family.available(ctx.cluster);
    if (available !== true) return { evidence: skipped(available) };
    try {
      const spec = this.#specOf(options, ctx);
      const plan = await this.#planOnceLed(spec, ctx);
      return 'reason' in plan ? { evidence: skipped(plan.reason) } : plan;
    } catch (error) {
      return { evidence: failed(whyOf(error)) };
    }
  }

  #specOf(options: FaultOptions, { cluster }: NemesisContext): Spec {
    return this.#family.read({ options, where: this.#family.name }, cluster.timing);
  }

  /** A fault that needs a leader waits for an election that is under way, for a while. */
  async #planOnceLed(
    spec: Spec,
    ctx: NemesisContext,
  ): Promise<Plan<Held> | { readonly reason: string }> {
    const { clock, cluster } = ctx;
    const { electionMs } = cluster.timing;
    const deadline = clock.now() + nanosFromMs(ELECTIONS_MAX * electionMs);
    let seen = this.#seen;
    this.#seen = undefined;
    for (;;) {
      const survey = await this.#family.survey(spec, ctx, seen);
      // No await between the look at the board and the claim on it.
      const plan = this.#family.plan(spec, survey, ctx);
      if (!('reason' in plan)) {
        this.#claim(plan, ctx);
        return plan;
      }
      if (seen !== undefined) {
        // It may be of a time that is past: only what is seen now is a reason.
        seen = undefined;
        continue;
      }
      if (!plan.reason.includes(NO_LEADER) || clock.now() >= deadline) return plan;
      await sleep(clock, electionMs / 4);
    }
  }

  #claim(plan: Plan<Held>, { board, lane = this.#family.name }: NemesisContext): void {
    invariant(this.#current === undefined, `lane ${lane}: a fault began inside another`);
    this.#current = plan;
    if (plan.hit.size > 0) board.hit.set(lane, plan.hit);
    if (plan.links !== undefined) board.links?.set(lane, new Set(plan.links.map(linkText)));
  }

  /** Removes the current fault; it stays current, and on the board, until that is proven. */
  async #remove(ctx: NemesisContext): Promise<Measured> {
    const plan = this.#current;
    if (plan === undefined) return { evidence: skipped('nothing was installed') };
    const measured = await asEvidence(() => this.#family.remove(plan.held, ctx));
    if (measured.evidence.result !== 'failed') {
      this.#current = undefined;
      this.#release(ctx);
    }
    return measured;
  }

  #release({ board, lane = this.#family.name }: NemesisContext): void {
    board.hit.delete(lane);
    board.links?.delete(lane);
  }

  #value(stage: FaultValue['stage'], about: Description, measured: Measured): FaultValue {
    const { text, targets } = about;
    return { stage, fault: this.#family.name, text, targets, ...measured };
  }
}

function nothing(name: string): Description {
  return { text: `no ${name}`, targets: [] };
}

/** `{ "stage": "begin", ...options }`, or `{ "stage": "end" }`. */
function requestOf(value: JsonValue): { stage: FaultValue['stage']; options: FaultOptions } {
  invariant(typeof value === 'object' && value !== null, 'a fault event has an object as value');
  invariant(!Array.isArray(value), 'a fault event has an object as value');
  const { stage, ...options } = value as FaultOptions;
  invariant(
    stage === 'begin' || stage === 'end',
    `a fault event has no stage ${JSON.stringify(stage)}`,
  );
  return { stage, options };
}

/** What the machine or the links refuse is evidence of failure; our own bugs go on up. */
async function asEvidence(act: () => Promise<Measured>): Promise<Measured> {
  try {
    return await act();
  } catch (error) {
    return { evidence: failed(whyOf(error)) };
  }
}

function whyOf(error: unknown): string {
  if (error instanceof InvariantError) throw error;
  if (error instanceof HarnessError && error.details !== undefined)
    return `${error.message}: ${messageOf(error.details)}`;
  return messageOf(error);
}
