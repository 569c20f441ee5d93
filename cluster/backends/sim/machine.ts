/** One node's machine: its disk and its clock, and the lives of its process, one after another. */
import type { VirtualClock } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import type { Log } from '../../../harness/core/log.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { msFromNanos, type NodeName } from '../../../harness/core/units.ts';
import type { ProcessState } from '../../../harness/protocols/system.ts';
import type { Served } from './client-link.ts';
import { type DelayDistribution, drawMs } from './delay.ts';
import { SimDisk } from './disk.ts';
import { Life } from './life.ts';
import type { Behind } from './link.ts';
import type { SimNetwork } from './network.ts';
import { NodeTime, nodeClock } from './node-clock.ts';
import { Port } from './port.ts';
import type { SimHost, SimProgram } from './program.ts';
import type { Trace } from './trace.ts';

export interface MachineOptions<Api> {
  readonly node: NodeName;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly log: Log;
  readonly program: SimProgram<Api>;
  readonly network: SimNetwork;
  readonly syncMs: DelayDistribution;
  readonly bootMs: DelayDistribution;
  readonly trace: Trace;
  /** It ended without being killed. */
  crashed(how: string): void;
}

/** What belongs to one life of the process. */
interface Running<Api> {
  readonly life: Life;
  readonly port: Port;
  api: Api | undefined;
  /** Connections of clients, each with what happens when the life ends under it. */
  readonly calls: Set<() => void>;
}

export class Machine<Api> {
  readonly node: NodeName;
  readonly disk: SimDisk;
  readonly time: NodeTime;
  readonly #options: MachineOptions<Api>;
  readonly #boots: Random;
  #running: Running<Api> | undefined;
  #lives = 0;
  /** Without power nobody says that nobody listens. */
  #hasPower = true;
  /** Its last life ended because its disk failed; nobody has done anything about it since. */
  #isWaitingForDisk = false;

  constructor(options: MachineOptions<Api>) {
    const { node, clock, random, syncMs, trace } = options;
    this.#options = options;
    this.node = node;
    this.disk = new SimDisk({
      node,
      clock,
      random: random.fork(`disk/${node}`),
      syncMs,
      trace,
      mended: () => this.#startAgain(),
    });
    this.time = new NodeTime(clock);
    this.#boots = random.fork(`boot/${node}`);
  }

  get state(): ProcessState['state'] {
    if (this.#running === undefined) return 'gone';
    return this.#running.life.isPaused ? 'paused' : 'running';
  }

  get isServing(): boolean {
    return this.#running?.api !== undefined;
  }

  behind(): Behind {
    return this.#running?.port ?? (this.#hasPower ? 'refusing' : 'silent');
  }

  served(): Served<Api> {
    const running = this.#running;
    if (running === undefined) return this.#hasPower ? 'refusing' : 'silent';
    return { life: running.life, calls: running.calls, api: () => running.api };
  }

  /** The state in which a probe finds it; `answer` comes as soon as the process takes part. */
  probed(answer: () => void): ProcessState['state'] {
    this.#running?.life.deliver(answer);
    return this.state;
  }

  /** Does nothing when it runs. */
  start(): void {
    if (this.#running !== undefined) return;
    const { node, clock, bootMs, network, trace } = this.#options;
    this.#hasPower = true;
    this.#isWaitingForDisk = false;
    this.#lives++;
    const life: Life = new Life(node, clock, (error) =>
      this.#crash(running, `threw: ${messageOf(error)}`),
    );
    const running: Running<Api> = {
      life,
      port: new Port(life, network),
      api: undefined,
      calls: new Set(),
    };
    this.#running = running;
    trace?.(`start ${node}`);
    clock.timer(drawMs(bootMs, this.#boots), () => {
      life.deliver(() => void this.#boot(running));
    });
  }

  pause(): void {
    this.#options.trace?.(`pause ${this.node}`);
    this.#running?.life.pause();
  }

  resume(): void {
    this.#options.trace?.(`resume ${this.node}`);
    this.#running?.life.resume();
  }

  /** Nothing of this life runs again. Clients and peers learn of it, if the machine still has power. */
  end(why: 'kill' | 'power failure' | 'crash'): void {
    this.#isWaitingForDisk = false;
    const running = this.#running;
    const isPowerLost = why === 'power failure';
    this.#options.trace?.(`${why} ${this.node}`);
    // What a killed process wrote is the machine's, and goes with it.
    if (isPowerLost) {
      this.#hasPower = false;
      this.disk.powerFailure();
    } else if (running !== undefined) this.disk.crash();
    if (running === undefined) return;
    this.#running = undefined;
    running.life.end();
    this.#options.network.ended(running.port, isPowerLost);
    const calls = [...running.calls];
    running.calls.clear();
    if (!isPowerLost) for (const lost of calls) lost();
  }

  /** Its process ends, and nothing is left on its disk. */
  erase(): void {
    this.end('kill');
    this.#options.trace?.(`erase ${this.node}`);
    this.disk.erase();
  }

  async #boot(running: Running<Api>): Promise<void> {
    try {
      const { api, serving, ended } = await this.#options.program(this.#host(running));
      ended?.then(
        (how) => this.#crash(running, how),
        (error: unknown) => this.#crash(running, messageOf(error)),
      );
      await serving;
      if (!running.life.isDead) running.api = api;
      this.#options.trace?.(`serving ${this.node}`);
    } catch (error) {
      this.#crash(running, `could not start: ${messageOf(error)}`);
    }
  }

  #crash(running: Running<Api>, how: string): void {
    if (running.life.isDead) return;
    const isByDisk = this.disk.explains(how);
    this.end('crash');
    if (!isByDisk) {
      this.#options.crashed(how);
      return;
    }
    this.#options.log.info('a node ended because its disk failed', { node: this.node, how });
    this.#isWaitingForDisk = true;
    // A paused process hears of the error late: maybe after the disk was mended.
    if (this.disk.isSound) this.#startAgain();
  }

  #startAgain(): void {
    if (this.#isWaitingForDisk) this.start();
  }

  #host({ life, port }: Running<Api>): SimHost {
    const { node, clock, random, log } = this.#options;
    const time = this.time;
    const own = nodeClock(time, life, clock);
    return {
      node,
      clock: own,
      random: random.fork(`node/${node}/life-${this.#lives}`),
      log: nodeLog(log, node, () => msFromNanos(time.now())),
      disk: this.disk.mount(life),
      net: port,
    };
  }
}

function nodeLog(log: Log, node: NodeName, nowMs: () => number): Log {
  const fields = (
    more: Readonly<Record<string, unknown>> | undefined,
  ): Record<string, unknown> => ({
    node,
    atMs: nowMs(),
    ...more,
  });
  return {
    info: (message, more) => log.info(message, fields(more)),
    warn: (message, more) => log.warn(message, fields(more)),
    error: (message, more) => log.error(message, fields(more)),
  };
}
