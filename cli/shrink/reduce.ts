/** In which order a run is made smaller: what helps most to understand it goes first. */
import type { RunConfig, ScheduledFault } from '../../harness/protocols/run.ts';
import type { Timing } from '../../harness/protocols/system.ts';
import type { Workload } from '../../harness/protocols/workload.ts';
import {
  type Change,
  earlier,
  endOfFaults,
  faultLine,
  halfAsLong,
  latencyInstead,
  rounder,
  rounderLatencies,
  shorterFaults,
  timeText,
  withClients,
  withDuration,
  withFewerLanes,
  withLatency,
  withNodes,
  withOneKey,
  withoutDelay,
  withoutFaults,
  withoutLane,
  withoutNamed,
  withoutTrigger,
  withQuiet,
  withSchedule,
  withWorkload,
} from './changes.ts';

export interface Reducing {
  /** Plays a candidate. The configuration that showed it (with its seed), or undefined. */
  readonly accepts: (change: Change) => Promise<RunConfig | undefined>;
  /** Nothing more is to be tried: the budget is spent, or somebody interrupted. */
  readonly isOver: () => boolean;
  /** Candidates cost little and say all: every fault is made shorter by itself, and all of it is done again. */
  readonly isExact: boolean;
  /** Of the system under the run's options. */
  readonly timing: Timing;
  /** Of the run, each by itself. */
  readonly workloads: readonly Workload[];
}

const ROUNDS_MAX = 6;

/** The smallest configuration that was accepted; the given one if none was. */
export async function reduce(config: RunConfig, reducing: Reducing): Promise<RunConfig> {
  const reducer = new Reducer(config, reducing);
  await reducer.run();
  return reducer.config;
}

class Reducer {
  config: RunConfig;
  readonly #reducing: Reducing;
  /** What was refused once is not tried again. */
  readonly #refused: Set<string> = new Set();

  constructor(config: RunConfig, reducing: Reducing) {
    this.config = config;
    this.#reducing = reducing;
  }

  async run(): Promise<void> {
    const { isExact } = this.#reducing;
    for (let round = 0; round < (isExact ? ROUNDS_MAX : 1); round++) {
      const before = this.config;
      // The boldest goes first where it costs one run, and last where it takes many to refuse it.
      if (isExact) await this.#noFaults();
      await this.#fewerFaults();
      await this.#triggers();
      await this.#latency(round === 0);
      await this.#oneWorkload();
      await this.#shorterRun();
      await this.#earlier();
      await this.#shorterFaults();
      await this.#fewerNodes();
      await this.#fewerClients();
      await this.#oneKey();
      await this.#rounder();
      if (!isExact) await this.#noFaults();
      if (this.#reducing.isOver()) return;
      if (this.config === before && !(isExact && (await this.#oneFaultFewer()))) return;
    }
  }

  /** When nothing else goes, and runs are short: with seeds enough one more fault may. */
  async #oneFaultFewer(): Promise<boolean> {
    const { timing } = this.#reducing;
    const count = this.#schedule().length;
    for (const [at, fault] of this.#schedule().entries()) {
      const slow = latencyInstead(this.config, at, timing);
      if (await this.#try('instead', slowText(slow), slow, true)) return true;
      const fewer = withoutNamed(this.config, at);
      const nodes = `${fewer?.nodes.length} nodes and no ${faultLine(fault)}`;
      if (await this.#try('instead', nodes, fewer, true)) return true;
      const without = withSchedule(this.config, this.#schedule().toSpliced(at, 1));
      if (count > 1 && (await this.#try('without', faultLine(fault), without, true))) return true;
    }
    return false;
  }

  async #noFaults(): Promise<void> {
    if (this.config.faults.length > 0)
      await this.#try('without', 'any fault', withoutFaults(this.config));
  }

  async #try(
    kind: Change['kind'],
    what: string,
    config: RunConfig | undefined,
    isWorthMore = false,
  ): Promise<boolean> {
    if (config === undefined || this.#reducing.isOver()) return false;
    const name = `${isWorthMore} ${JSON.stringify({ ...config, seed: 0 })}`;
    if (this.#refused.has(name)) return false;
    const accepted = await this.#reducing.accepts({ kind, what, config, isWorthMore });
    if (accepted === undefined) this.#refused.add(name);
    else this.config = accepted;
    return accepted !== undefined;
  }

  async #fewerFaults(): Promise<void> {
    for (const lane of this.config.faults)
      if (this.config.faults.length > 1)
        await this.#try('without', lane, withoutLane(this.config, lane));
    for (let size = this.#schedule().length >> 1; size >= 1; size >>= 1)
      for (let first = 0; first < this.#schedule().length; )
        if (!(await this.#withoutFaults(first, size))) first += size;
  }

  #schedule(): readonly ScheduledFault[] {
    return this.config.schedule ?? [];
  }

  #withoutFaults(first: number, size: number): Promise<boolean> {
    const all = this.#schedule();
    const gone = all.slice(first, first + size);
    // To be without the last one is to be without any.
    if (gone.length === all.length || this.#reducing.isOver()) return Promise.resolve(false);
    const [only] = gone;
    const what =
      gone.length === 1 && only !== undefined
        ? faultLine(only)
        : `${gone.length} of ${all.length} faults`;
    const rest = all.toSpliced(first, gone.length);
    return this.#try('without', what, withSchedule(this.config, rest));
  }

  /** By the clock if that will do, at least without a delay; and in no more lanes than it takes. */
  async #triggers(): Promise<void> {
    for (const at of this.#schedule().keys()) {
      const timed = withoutTrigger(this.config, at);
      const fault = timed?.schedule?.[at];
      if (fault === undefined || (await this.#try('instead', faultLine(fault), timed))) continue;
      const prompt = withoutDelay(this.config, at);
      const early = prompt?.schedule?.[at];
      if (early !== undefined) await this.#try('instead', faultLine(early), prompt);
    }
    await this.#try('instead', 'in fewer lanes', withFewerLanes(this.config));
  }

  /** None, or one for the whole run instead of a fault: where a cluster lives is no fault. */
  async #latency(isFirst: boolean): Promise<void> {
    const { timing } = this.#reducing;
    const now = (): string => timeText(this.config.latencyMs ?? 0);
    await this.#try('without', `the ${now()} between nodes`, withLatency(this.config, 0, timing));
    for (let at = 0; at < this.#schedule().length; ) {
      const slow = latencyInstead(this.config, at, timing);
      // Before times are made to fit a fault that comes and goes, and again as a last chance.
      if (!(await this.#try('instead', slowText(slow), slow, isFirst))) at++;
    }
  }

  async #oneWorkload(): Promise<void> {
    if (this.#workloads().length === 1) return;
    for (const workload of this.#workloads())
      if (
        await this.#try(
          'instead',
          `${workload.name} instead of ${this.config.workload}`,
          withWorkload(this.config, workload),
        )
      )
        return;
  }

  #workloads(): readonly Workload[] {
    const names = this.config.workload.split('+');
    return this.#reducing.workloads.filter(({ name }) => names.includes(name));
  }

  async #shorterRun(): Promise<void> {
    const quiet = withQuiet(this.config);
    const what = `${timeText(quiet?.quietMs ?? 0)} instead of ${timeText(this.config.quietMs)} before it`;
    await this.#try('instead', what, quiet);
    const enough = endOfFaults(this.config);
    if (enough !== undefined) await this.#lasting(enough);
    while (!this.#reducing.isOver()) {
      const half = halfAsLong(this.config);
      if (half === undefined || !(await this.#lasting(half))) return;
    }
  }

  #lasting(ms: number): Promise<boolean> {
    const what = `${timeText(ms)} instead of ${timeText(this.config.durationMs)}`;
    return this.#try('instead', what, withDuration(this.config, ms));
  }

  async #earlier(): Promise<void> {
    await this.#try('instead', 'its faults from the start', earlier(this.config));
  }

  async #shorterFaults(): Promise<void> {
    if (!this.#reducing.isExact) {
      await this.#try(
        'instead',
        'faults half as long',
        shorterFaults(this.config, () => true),
      );
      return;
    }
    for (let at = 0; at < this.#schedule().length; at++) {
      for (;;) {
        const fault = this.#schedule()[at];
        const shorter = shorterFaults(this.config, (each) => each === at);
        const ms = shorter?.schedule?.[at]?.forMs ?? 0;
        const what = `${fault?.fault} for ${timeText(ms)} instead of ${timeText(fault?.forMs ?? 0)}`;
        if (!(await this.#try('instead', what, shorter))) break;
      }
    }
  }

  async #fewerNodes(): Promise<void> {
    const { length } = this.config.nodes;
    for (const count of [1, 3, length - 1]) {
      const what = `${count} instead of ${length} nodes`;
      if (await this.#try('instead', what, withNodes(this.config, count))) return;
    }
  }

  async #fewerClients(): Promise<void> {
    const clientsMin = this.#workloads().length;
    const now = (): number => this.config.workloadOptions.clients;
    const fewer = (count: number): Promise<boolean> =>
      this.#try('instead', `${count} instead of ${now()} clients`, withClients(this.config, count));
    if (await fewer(clientsMin)) return;
    while (now() > clientsMin && (await fewer(Math.max(clientsMin, now() >> 1))));
  }

  async #oneKey(): Promise<void> {
    if (this.#workloads().some(({ options }) => 'keys' in options))
      await this.#try('instead', 'one key at a time', withOneKey(this.config));
  }

  async #rounder(): Promise<void> {
    await this.#rounderLatency();
    if (await this.#try('instead', 'rounder times', rounder(this.config))) return;
    if (!this.#reducing.isExact) return;
    for (const at of this.#schedule().keys()) {
      const one = rounder(this.config, (each) => each === at);
      const fault = one?.schedule?.[at];
      if (fault !== undefined) await this.#try('instead', `rounder: ${faultLine(fault)}`, one);
    }
  }

  async #rounderLatency(): Promise<void> {
    const { latencyMs = 0 } = this.config;
    for (const [ms, config] of rounderLatencies(this.config, this.#reducing.timing)) {
      const what = `${timeText(ms)} instead of ${timeText(latencyMs)} between nodes`;
      if (await this.#try('instead', what, config)) return;
    }
  }
}

/** Of a run in which that took the place of a fault. */
function slowText(config: RunConfig | undefined): string {
  return `${timeText(config?.latencyMs ?? 0)} between nodes instead of a fault`;
}
