import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, VirtualClock } from '../core/clock.ts';
import { withDeadline } from '../core/deadline.ts';
import { EXIT, HarnessError, messageOf } from '../core/errors.ts';
import { InvariantError } from '../core/invariant.ts';
import type { Log } from '../core/log.ts';
import { Random, type Seed } from '../core/prng.ts';
import { msFromNanos } from '../core/units.ts';
import type { Generator } from '../generator/generator.ts';
import type { History } from '../history/history.ts';
import { compressHistory } from '../history/jsonl.ts';
import type { Op, Phase } from '../history/op.ts';
import { Recorder } from '../history/recorder.ts';
import type { AttachedNodes } from '../protocols/attach.ts';
import type { CheckContext, CheckResult } from '../protocols/checker.ts';
import type { Nemesis } from '../protocols/nemesis.ts';
import type { RunConfig, RunManifest, RunProblem, RunResult } from '../protocols/run.ts';
import type { Cluster, System } from '../protocols/system.ts';
import type { UndoRegistry } from '../protocols/undo.ts';
import type { Workload } from '../protocols/workload.ts';
import { recordWithoutSecrets } from '../store/secrets.ts';
import { countOutcomes } from './counts.ts';
import { type Played, play } from './play.ts';
import { judgeRun } from './verdict.ts';

const SETUP_MS_MAX = 90_000;
/** Less than the whole setup, so that the cluster itself can say which node it waits for. */
const READY_MS_MAX = 60_000;
const TEARDOWN_MS_MAX = 20_000;
const COMPRESS_MS_MAX = 300_000;

/** Where a run keeps what it makes; all paths exist. */
export interface RunFolder {
  readonly dir: string;
  readonly testDir: string;
  readonly historyPath: string;
  writeJson(name: string, value: unknown): Promise<void>;
}

export interface RunRequest {
  readonly config: RunConfig;
  readonly manifest: RunManifest;
  readonly folder: RunFolder;
  readonly system: System;
  /** For backend `attach`. It is not stored: what its programs are told may be secret. */
  readonly attach?: AttachedNodes;
  readonly workload: Workload;
  readonly nemeses: readonly Nemesis[];
  /** Builds a lane's schedule when the cluster's timing is known. */
  schedule(nemesis: Nemesis, cluster: Cluster, random: Random): Generator | undefined;
  readonly seed: Seed;
  /** The machine's: for deadlines, checkers, reports, and the run itself unless it is simulated. */
  readonly clock: Clock;
  /**
   * A simulated run: the time of everything from the start of the nodes to their end, of clients,
   * faults, and the history. It moves only then, and nothing that happens in it waits for the machine.
   */
  readonly virtual?: VirtualClock;
  readonly log: Log;
  readonly undo: UndoRegistry;
  readonly interrupt: AbortSignal;
  /** Why `interrupt` aborted. */
  readonly interruptedBy: () => 'SIGINT' | 'SIGTERM' | undefined;
  /** Judges the stored history, in a worker. */
  readonly judge: (
    history: History | undefined,
    ctx: CheckContext,
  ) => Promise<readonly CheckResult[]>;
  /** Each writes one report; one that fails costs only itself. */
  readonly reporters: readonly Reporter[];
  /** Unless it passes, the cluster is not ended: the caller sees to it that nobody else ends it. */
  readonly leaveRunning?: boolean;
  readonly onOp: (op: Op) => void;
  readonly onPhase: (phase: Phase | 'setup' | 'check') => void;
}

export interface Reporter {
  readonly name: string;
  write(result: RunResult, history: History): Promise<void>;
}

/**
 * A run in nine steps. Whatever happens in one of them, the history is on disk, the faults are
 * healed, and what was recorded is judged.
 */
export async function run(request: RunRequest): Promise<RunResult> {
  return new Run(request).all();
}

class Run {
  readonly #request: RunRequest;
  readonly #problems: RunProblem[] = [];
  /** What the history is stamped with. */
  readonly #time: Clock;
  /** Spent on virtual time, in the machine's. */
  #simulatingMs = 0;
  #manifest: RunManifest;
  #cluster: Cluster | undefined;
  /** Setup is over, in whatever way. */
  #isSetUp = false;
  #played: Played = { phases: [], problems: [] };

  constructor(request: RunRequest) {
    this.#request = request;
    this.#time = request.virtual ?? request.clock;
    this.#manifest = request.manifest;
  }

  async all(): Promise<RunResult> {
    const { folder, clock } = this.#request;
    const startMs = clock.wallMs();
    // 1 the caller resolved the configuration; 2 the store is open.
    await this.#writeManifest();
    const recorder = await Recorder.open(folder.historyPath, this.#time, clock);
    // 3 links and nodes; 4 to 8 quiet start, main, heal, recover, final.
    await this.#attempt('setup', SETUP_MS_MAX, () => this.#deploy());
    this.#isSetUp = true;
    if (this.#cluster !== undefined) await this.#play(this.#cluster, recorder);
    // 9 each on its own: what fails in one never costs the others.
    const logs = this.#cluster?.logs() ?? [];
    const mayStay = this.#request.leaveRunning === true && this.#cluster !== undefined;
    if (!mayStay) await this.#attempt('teardown', TEARDOWN_MS_MAX, () => this.#teardown());
    const history = await this.#close(recorder);
    const checks = await this.#check(history, logs);
    this.#isLeft = mayStay && this.#isWorthALook(checks);
    if (mayStay && !this.#isLeft)
      await this.#attempt('teardown', TEARDOWN_MS_MAX, () => this.#teardown());
    await this.#attempt('collect', COMPRESS_MS_MAX, async () => {
      await compressHistory(folder.historyPath);
    });
    const result = this.#result(history, checks, clock.wallMs() - startMs);
    return this.#report(result, history);
  }

  async #deploy(): Promise<void> {
    const request = this.#request;
    const { system, config, log, folder, undo, seed } = request;
    request.onPhase('setup');
    const dir = join(folder.testDir, 'nodes');
    await mkdir(dir, { recursive: true });
    const cluster = await this.#inTime(() =>
      system.deploy({
        backend: config.backend,
        nodes: config.nodes,
        clock: this.#time,
        log,
        random: Random.stream(seed, `system/${system.name}`),
        runId: request.manifest.run,
        dir,
        undo,
        options: config.systemOptions,
        ...(request.attach !== undefined && { attach: request.attach }),
        ...(config.latencyMs !== undefined && { latencyMs: config.latencyMs }),
      }),
    );
    if (this.#isSetUp) {
      // Nobody waits for it any more, so nobody else would end it.
      await this.#inTime(async () => cluster[Symbol.asyncDispose]());
      return;
    }
    this.#cluster = cluster;
    const facts = recordWithoutSecrets(cluster.facts);
    this.#manifest = { ...this.#manifest, timing: cluster.timing, cluster: facts };
    await this.#writeManifest();
    requireLatency(config, cluster);
    await this.#inTime(() =>
      Promise.race([cluster.ready(READY_MS_MAX), aborted(request.interrupt)]),
    );
  }

  #isLeft = false;

  /** Whoever interrupts a run that found nothing has seen enough. */
  #isWorthALook(checks: readonly CheckResult[]): boolean {
    const { config, interruptedBy } = this.#request;
    const { verdict, exitCode } = judgeRun(config, checks, this.#problems);
    return exitCode !== EXIT.pass && (verdict === 'fail' || interruptedBy() === undefined);
  }

  /** On virtual time, if this run is simulated; that stands still before and after. */
  async #inTime<T>(task: () => Promise<T>): Promise<T> {
    const { virtual, clock } = this.#request;
    if (virtual === undefined) return task();
    const startMs = clock.wallMs();
    try {
      return await virtual.run(task());
    } finally {
      this.#simulatingMs += clock.wallMs() - startMs;
    }
  }

  async #writeManifest(): Promise<void> {
    try {
      await this.#request.folder.writeJson('run.json', this.#manifest);
    } catch (error) {
      throw new HarnessError('store-failed', `cannot write run.json: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async #play(cluster: Cluster, recorder: Recorder): Promise<void> {
    const request = this.#request;
    const { config, seed, log, interrupt } = request;
    if (interrupt.aborted || this.#problems.some(({ severity }) => severity === 'fatal')) return;
    try {
      const stream = Random.stream(seed, `workload/${request.workload.name}`);
      const schedules = new Map<string, Generator>();
      const nemeses = request.nemeses.filter((nemesis) => this.#isAvailable(nemesis, cluster));
      for (const nemesis of nemeses) {
        const lane = Random.stream(seed, `schedule/${nemesis.name}`);
        const generator = request.schedule(nemesis, cluster, lane);
        if (generator !== undefined) schedules.set(nemesis.name, generator);
      }
      this.#played = await this.#inTime(() =>
        play({
          config,
          cluster,
          workload: request.workload.build(config.workloadOptions, stream),
          nemeses,
          schedules,
          seed,
          clock: this.#time,
          log,
          recorder: {
            record: (draft) => {
              const op = recorder.record(draft);
              request.onOp(op);
              return op;
            },
            snapshot: () => recorder.history(),
          },
          interrupt,
          onPhase: (phase) => {
            request.onPhase(phase);
          },
        }),
      );
      this.#problems.push(...this.#played.problems);
    } catch (error) {
      this.#problem('main', error);
    }
  }

  /** A fault that this cluster cannot have is refused with its reason, never left out in silence. */
  #isAvailable(nemesis: Nemesis, cluster: Cluster): boolean {
    const available = nemesis.available(cluster);
    if (available === true) return true;
    this.#problems.push({
      step: 'setup',
      severity: this.#request.config.requireFaults ? 'fatal' : 'warning',
      message: `fault ${nemesis.name} cannot be had here: ${available}`,
    });
    return false;
  }

  async #teardown(): Promise<void> {
    await this.#inTime(async () => this.#cluster?.[Symbol.asyncDispose]());
  }

  async #close(recorder: Recorder): Promise<History> {
    const { log } = this.#request;
    try {
      await recorder[Symbol.asyncDispose]();
    } catch (error) {
      log.error('closing the history failed', { error: messageOf(error) });
    }
    if (recorder.failure !== undefined)
      this.#problems.push({
        step: 'collect',
        severity: 'warning',
        message: `the history on disk is incomplete: ${messageOf(recorder.failure)}; it was judged from memory`,
      });
    this.#diskComplete = recorder.failure === undefined;
    return recorder.history();
  }
  #diskComplete = true;
  #checkMs = 0;

  async #check(
    history: History,
    logs: readonly { readonly node: string; readonly path: string }[],
  ): Promise<readonly CheckResult[]> {
    const { config, judge, onPhase, clock } = this.#request;
    onPhase('check');
    if (history.length === 0) return [];
    const timing = this.#manifest.timing ?? { heartbeatMs: 100, electionMs: 1000 };
    const startMs = clock.wallMs();
    try {
      return await judge(this.#diskComplete ? undefined : history, {
        nodes: config.nodes,
        timing,
        promises: config.promises,
        faults: config.faults,
        requireFaults: config.requireFaults,
        logs,
        limits: config.checkLimits,
      });
    } catch (error) {
      this.#problem('check', error);
      return [];
    } finally {
      this.#checkMs = clock.wallMs() - startMs;
    }
  }

  #result(history: History, checks: readonly CheckResult[], wallMs: number): RunResult {
    const { config, interruptedBy, virtual } = this.#request;
    const interrupted = interruptedBy();
    return {
      manifest: this.#manifest,
      ...judgeRun(config, checks, this.#problems, interrupted),
      checks,
      problems: this.#problems,
      phases: this.#played.phases,
      ...(interrupted !== undefined && { interrupted }),
      counts: countOutcomes(history),
      wallMs,
      checkMs: this.#checkMs,
      ...(this.#isLeft && { leftRunning: true as const }),
      ...(!this.#diskComplete && { incomplete: true as const }),
      ...(virtual !== undefined && {
        simulated: { virtualMs: msFromNanos(virtual.now()), realMs: this.#simulatingMs },
      }),
    };
  }

  /** Reports in their order; one that fails becomes a warning that the later ones show. */
  async #report(result: RunResult, history: History): Promise<RunResult> {
    let current = result;
    for (const reporter of this.#request.reporters) {
      await this.#attempt('report', TEARDOWN_MS_MAX, async () => {
        try {
          await reporter.write(current, history);
        } catch (error) {
          throw new HarnessError(
            'store-failed',
            `the ${reporter.name} report could not be written: ${messageOf(error)}`,
            { cause: error },
          );
        }
      });
      current = { ...current, problems: [...this.#problems] };
    }
    return current;
  }

  /** Runs a step within its deadline; what goes wrong is kept as a problem. */
  async #attempt(step: string, ms: number, act: () => Promise<void>): Promise<void> {
    try {
      await withDeadline(this.#request.clock, ms, step, act());
    } catch (error) {
      this.#problem(step, error);
    }
  }

  #problem(step: string, error: unknown): void {
    const bug = isBug(error);
    const details = error instanceof HarnessError ? error.details : stackOf(error);
    const late = step === 'teardown' || step === 'report' || step === 'collect';
    this.#request.log.error(`${step} failed`, { error: messageOf(error), stack: stackOf(error) });
    this.#problems.push({
      step,
      severity: late ? 'warning' : 'fatal',
      message: messageOf(error),
      ...(details !== undefined && { details }),
      ...(bug && { bug }),
    });
  }
}

/** A run whose nodes are nearer to each other than was asked would be another run. */
export function requireLatency(
  { latencyMs = 0, system }: Pick<RunConfig, 'latencyMs' | 'system'>,
  { network }: Pick<Cluster, 'network'>,
): void {
  const there = network?.latencyMs ?? 0;
  if (there === latencyMs) return;
  const links = network === undefined ? 'has no links here' : `has links of ${there} ms`;
  throw new HarnessError(
    'unsupported',
    latencyMs === 0
      ? `no latency was asked for, and ${system} ${links}: ask for --latency ${there}ms`
      : `a latency of ${latencyMs} ms was asked for, and ${system} ${links}: leave --latency out`,
  );
}

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Ours, not the machine's. What failed on the network may be a TypeError, too: with its cause. */
function isBug(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof InvariantError) return true;
  const wrong = [TypeError, RangeError, ReferenceError].some((kind) => error instanceof kind);
  return wrong && error.cause === undefined;
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
