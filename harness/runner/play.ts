import type { Clock } from '../core/clock.ts';
import { withDeadline } from '../core/deadline.ts';
import { messageOf } from '../core/errors.ts';
import { InvariantError } from '../core/invariant.ts';
import type { JsonValue } from '../core/json.ts';
import type { Log } from '../core/log.ts';
import { Random, type Seed } from '../core/prng.ts';
import { type Nanos, nanos, nanosFromMs } from '../core/units.ts';
import { any } from '../generator/combine.ts';
import { ThreadTable } from '../generator/context.ts';
import type { Generator, Thread } from '../generator/generator.ts';
import { clients, nemesis as nemesisLane } from '../generator/route.ts';
import type { History } from '../history/history.ts';
import type { Op, OpDraft, Phase } from '../history/op.ts';
import type {
  FaultBoard,
  FaultValue,
  Leader,
  Nemesis,
  NemesisContext,
} from '../protocols/nemesis.ts';
import type { PhaseSpan, RunConfig, RunProblem } from '../protocols/run.ts';
import type { Cluster } from '../protocols/system.ts';
import type { WorkloadInstance } from '../protocols/workload.ts';
import { ClientPool } from './client-pool.ts';
import { healAll, type OpenFault } from './heal.ts';
import { type Ended, interpret, type Stage } from './interpreter.ts';
import { recordInvariants } from './invariants.ts';
import { observeRoles } from './observer.ts';
import { probeUntilOk } from './recover.ts';
import { Triggers, triggerOf, withoutTrigger } from './triggers.ts';

/** Beyond a client's own timeout: a node that is started again may take long to answer. */
const DRAIN_GRACE_MS = 20_000;
const CLOSE_MS_MAX = 5000;
const RECOVER_MS_MAX = 30_000;
const FINAL_MS_MAX = 60_000;

export interface PlayRequest {
  readonly config: RunConfig;
  readonly cluster: Cluster;
  readonly workload: WorkloadInstance;
  /** One for each lane, and named as the lane is. */
  readonly nemeses: readonly Nemesis[];
  /** One generator a lane, by its name. */
  readonly schedules: ReadonlyMap<string, Generator>;
  readonly seed: Seed;
  readonly clock: Clock;
  readonly log: Log;
  readonly recorder: {
    readonly record: (draft: OpDraft) => Op;
    /** Everything up to now. */
    readonly snapshot: () => History;
  };
  /** Aborts on the first interrupt: no more load; heal, then judge what there is. */
  readonly interrupt: AbortSignal;
  readonly onPhase: (phase: Phase) => void;
}

export interface Played {
  readonly phases: readonly PhaseSpan[];
  readonly problems: readonly RunProblem[];
}

/** Steps 4 to 8 of a run: everything that makes history. Never throws for what it met on the way. */
export async function play(request: PlayRequest): Promise<Played> {
  await using run = new Play(request);
  await run.all();
  return { phases: run.phases, problems: run.problems };
}

class Play implements AsyncDisposable {
  readonly #request: PlayRequest;
  readonly phases: PhaseSpan[] = [];
  readonly problems: RunProblem[] = [];
  readonly #stage: Stage;
  readonly #pool: ClientPool;
  readonly #board: FaultBoard & { readonly led: Leader[] } = {
    hit: new Map(),
    links: new Map(),
    led: [],
  };
  readonly #triggers: Triggers;
  /** The end of the phase that is played. */
  #until: Nanos = nanos(0);
  readonly #openFaults: Map<string, OpenFault> = new Map();
  readonly #stopObserver: AbortController = new AbortController();
  #observer: Promise<void> | undefined;
  #phase: Phase = 'quiet';

  constructor(request: PlayRequest) {
    this.#request = request;
    const { cluster, clock, config, log, recorder, workload } = request;
    this.#pool = new ClientPool(
      (node) => cluster.open(node),
      (apis) => workload.client(apis),
      log,
    );
    this.#triggers = new Triggers({
      cluster,
      clock,
      led: this.#board.led,
      isSimulated: config.backend === 'sim' || config.backend === 'memory',
    });
    this.#stage = {
      clock,
      table: new ThreadTable({
        clients: config.workloadOptions.clients,
        lanes: request.nemeses.map(({ name }) => name),
        nodes: cluster.nodes,
        random: this.#random('threads'),
      }),
      record: (draft) => recorder.record(draft),
      invoke: (thread, op) => this.#invoke(thread, op),
      onBug: (error, op) => {
        this.#problem('main', `operation ${op.index} (${op.f}) broke the harness`, error, true);
      },
    };
  }

  async all(): Promise<void> {
    const { workload, interrupt, cluster } = this.#request;
    this.#observer = observeRoles(
      cluster,
      {
        ...this.#stage,
        log: this.#request.log,
        onRoles: (roles) => this.#triggers.rolesSeen(roles),
      },
      () => this.#phase,
      this.#stopObserver.signal,
    );
    const loaded = await this.#load();
    await this.#heal();
    // An interrupted run is judged as it stands: people who press Ctrl-C do not want to wait.
    if (interrupt.aborted || !loaded) return;
    const recovered = await this.#recover();
    if (interrupt.aborted) return;
    const keys = keysOf(this.#request.recorder.snapshot());
    const done = await this.#playOut('final', clients(workload.final(keys)), FINAL_MS_MAX);
    // What follows from a node that never came back is said once.
    if (interrupt.aborted || !recovered) return;
    const missing = unread(keys, this.#request.recorder.snapshot());
    if (!done)
      this.#incomplete('final', `the final reads were not done within ${FINAL_MS_MAX / 1000} s`);
    else if (missing.length > 0)
      this.#incomplete('final', `in the end nobody could read ${missing.slice(0, 5).join(', ')}`);
  }

  /** False when our own code broke: what was done so far is healed and judged all the same. */
  async #load(): Promise<boolean> {
    const { config, workload, interrupt } = this.#request;
    try {
      const main = await this.#play('quiet', clients(workload.main), config.quietMs);
      if (interrupt.aborted || main === undefined) return true;
      const lanes = [...this.#request.schedules].map(([lane, generator]) =>
        nemesisLane(lane, generator),
      );
      await this.#play('main', any([main, ...lanes], this.#random('any')), config.durationMs);
      return true;
    } catch (error) {
      this.#problem('main', 'the load broke off', error, true);
      return false;
    }
  }

  #random(name: string): Random {
    return Random.stream(this.#request.seed, `runner/${name}`);
  }

  /** A phase that ends by itself; its time is only a bound. False when that cut it short. */
  async #playOut(phase: Phase, generator: Generator, ms: number): Promise<boolean> {
    const rest = await this.#play(phase, generator, ms);
    return rest === undefined || this.#request.interrupt.aborted;
  }

  /** A phase that ends by the clock, or by an interrupt. */
  async #play(phase: Phase, generator: Generator, ms: number): Promise<Generator | undefined> {
    const { clock, config, interrupt } = this.#request;
    const start = this.#enter(phase);
    this.#until = nanos(start + nanosFromMs(ms));
    const rest = await interpret(this.#stage, generator, {
      phase,
      until: this.#until,
      drainMs: config.workloadOptions.clientTimeoutMs + DRAIN_GRACE_MS,
      signal: interrupt,
    });
    this.phases.push({ phase, startNanos: start, endNanos: clock.now() });
    return rest;
  }

  #enter(phase: Phase): number {
    this.#phase = phase;
    this.#request.onPhase(phase);
    return this.#request.clock.now();
  }

  async #heal(): Promise<void> {
    const { clock, cluster, nemeses } = this.#request;
    const start = this.#enter('heal');
    const problems = await healAll({
      nemeses,
      openFaults: this.#openFaults,
      context: { cluster, clock, random: this.#random('heal'), board: this.#board },
      record: this.#stage.record,
    });
    this.problems.push(...problems);
    this.phases.push({ phase: 'heal', startNanos: start, endNanos: clock.now() });
  }

  async #recover(): Promise<boolean> {
    const { cluster, workload } = this.#request;
    const { clients: count } = this.#request.config.workloadOptions;
    // With fewer clients than nodes, some nodes have nobody who could ask them.
    const nodes = cluster.nodes.slice(0, Math.max(1, Math.min(count, cluster.nodes.length)));
    const probes = clients(probeUntilOk(nodes, workload.probe));
    if (await this.#playOut('recover', probes, RECOVER_MS_MAX)) return true;
    const within = `${RECOVER_MS_MAX / 1000} s after the faults were healed`;
    this.#incomplete('recover', `not every node answered within ${within}`);
    return false;
  }

  /** What was not tested did not pass. */
  #incomplete(step: string, message: string): void {
    this.problems.push({ step, severity: 'fatal', message });
  }

  async #invoke(thread: Thread, op: Op): Promise<Ended> {
    if (typeof thread === 'number') {
      const node = this.#stage.table.nodeOf(thread);
      if (node === undefined) throw new InvariantError(`client thread ${thread} has no node`);
      const ended = this.#pool.invoke(thread, node, op);
      this.#triggers.sent(op, node, ended);
      return ended;
    }
    const value = await this.#invokeFault(op);
    this.#remember(op, value);
    this.#triggers.faultSeen(op.lane ?? op.f, value);
    return { type: 'info', value: asJson(value) };
  }

  /** A fault that is to follow something waits for it here, in its lane's own time. */
  async #invokeFault(op: Op): Promise<FaultValue> {
    const { lane = op.f } = op;
    const trigger = triggerOf(op);
    if (trigger === undefined) {
      const { nemesis, context } = this.#nemesisFor(op);
      return nemesis.invoke(op, context);
    }
    const patience = { lane, until: this.#until, signal: this.#request.interrupt };
    const asked = withoutTrigger(op);
    const { nemesis, context } = this.#nemesisFor(op);
    const over = new AbortController();
    const looking = nemesis.lookAhead?.(asked, context, over.signal);
    const waited = await this.#triggers.wait(trigger, patience);
    over.abort();
    if ('reason' in waited) {
      await looking;
      const evidence = { result: 'skipped', why: waited.reason } as const;
      return { stage: 'begin', fault: op.f, text: `no ${op.f}`, targets: [], evidence };
    }
    const value = await nemesis.invoke(asked, context);
    await looking;
    return { ...value, text: `${value.text}, once ${waited.event}`, trigger: waited };
  }

  #nemesisFor(op: Op): { readonly nemesis: Nemesis; readonly context: NemesisContext } {
    const nemesis = this.#request.nemeses.find(({ name }) => name === op.lane);
    if (nemesis === undefined) throw new InvariantError(`no nemesis for lane ${op.lane}`);
    const { cluster, clock } = this.#request;
    const random = this.#random(`nemesis/${op.id}`);
    const context = { cluster, clock, random, board: this.#board, lane: nemesis.name };
    return { nemesis, context };
  }

  #remember(op: Op, value: FaultValue): void {
    const { lane = '' } = op;
    if (value.stage === 'end') {
      // What could not be undone stays open, so that the heal phase records its attempt, too.
      if (value.evidence.result !== 'failed') this.#openFaults.delete(lane);
    } else if (value.evidence.result !== 'skipped') this.#openFaults.set(lane, { op, value });
  }

  #problem(step: string, what: string, error: unknown, bug: boolean): void {
    const details = error instanceof Error ? error.stack : undefined;
    this.problems.push({
      step,
      severity: 'fatal',
      bug,
      message: `${what}: ${messageOf(error)}`,
      ...(details !== undefined && { details }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopObserver.abort();
    const { clock } = this.#request;
    const closing = Promise.all([this.#observer, this.#pool[Symbol.asyncDispose]()]);
    try {
      await withDeadline(clock, CLOSE_MS_MAX, 'closing the clients', closing);
    } catch (error) {
      this.#request.log.warn('closing the clients failed', { error: messageOf(error) });
    }
    recordInvariants(this.#request.cluster, this.#stage.record, this.#phase, true);
  }
}

/** The keys of all client operations, in order of first use. */
function keysOf(history: History): string[] {
  const keys = new Set<string>();
  for (const { invoke } of history.operations()) if (invoke.key !== undefined) keys.add(invoke.key);
  return [...keys];
}

/** Keys that no operation of the final phase saw. */
function unread(keys: readonly string[], history: History): string[] {
  const seen = new Set<string>();
  for (const { invoke, completion } of history.operations())
    if (invoke.phase === 'final' && invoke.key !== undefined && completion?.type === 'ok')
      seen.add(invoke.key);
  return keys.filter((key) => !seen.has(key));
}

function asJson(value: FaultValue): JsonValue {
  return {
    ...value,
    evidence: { ...value.evidence },
    ...(value.matrix && { matrix: value.matrix }),
    ...(value.trigger && { trigger: { ...value.trigger } }),
  };
}
