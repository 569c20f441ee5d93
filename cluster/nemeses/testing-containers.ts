/** For tests of nemeses only: what containers can be made to suffer, as a few maps on virtual time. */
import { type Clock, sleep } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { msFromNanos, type NodeName } from '../../harness/core/units.ts';
import type {
  PacketControl,
  PlugControl,
  ResourceControl,
  ResourceUsage,
  UndoFault,
} from '../../harness/protocols/machines.ts';
import type { ProcessState } from '../../harness/protocols/system.ts';

/** What they claim to do and do not; `...-throws`: they refuse instead. */
export type ContainerLie =
  | 'install'
  | 'install-throws-on-n1'
  | 'undo'
  | 'undo-throws'
  /** Installed, and without any effect. */
  | 'no-effect';

/** The nodes, as far as these faults need them. */
export interface FakeNodes {
  state(node: NodeName): ProcessState['state'];
  /** As the kernel does it. */
  end(node: NodeName): void;
  start(node: NodeName): void;
}

/** What each of them is: something on nodes, under a name. */
class Faults {
  readonly lies: Set<ContainerLie> = new Set();
  readonly #clock: Clock;
  readonly #installed: Map<string, { readonly node: NodeName; readonly sinceMs: number }> =
    new Map();
  #names = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async install(what: string, node: NodeName): Promise<UndoFault> {
    await sleep(this.#clock, 1);
    if (this.lies.has('install-throws-on-n1') && node === 'n1')
      throw new HarnessError('engine-failed', 'the engine will not have it on n1');
    const name = `${what} ${node} ${this.#names++}`;
    if (!this.lies.has('install'))
      this.#installed.set(name, { node, sinceMs: msFromNanos(this.#clock.now()) });
    return async () => {
      await sleep(this.#clock, 1);
      if (this.lies.has('undo-throws')) throw new HarnessError('engine-failed', `${name}: stuck`);
      if (!this.lies.has('undo')) this.#installed.delete(name);
    };
  }

  /** Since when, in milliseconds; undefined: nothing of the kind is there, or it has no effect. */
  effectSince(what: string, node: NodeName): number | undefined {
    return this.lies.has('no-effect') ? undefined : this.since(what, node);
  }

  since(what: string, node: NodeName): number | undefined {
    const found = [...this.#installed].find(
      ([name, each]) => name.startsWith(`${what} `) && each.node === node,
    );
    return found?.[1].sinceMs;
  }

  forMs(what: string, node: NodeName): number {
    const since = this.effectSince(what, node);
    return since === undefined ? 0 : msFromNanos(this.#clock.now()) - since;
  }

  installed(): Promise<readonly string[]> {
    return Promise.resolve([...this.#installed.keys()]);
  }
}

const CPU = 'cpu';
const MEMORY = 'memory';
const MEMORY_BYTES = 20_000_000;
/** A squeezed node lives on for so long. */
const LIVES_MS = 1_200;
const MS_PER_PERIOD = 100;

export class FakeResources implements ResourceControl {
  readonly #faults: Faults;
  readonly #nodes: FakeNodes;
  readonly #cpus: Map<NodeName, number> = new Map();
  readonly #ended: Set<NodeName> = new Set();

  constructor(clock: Clock, nodes: FakeNodes) {
    this.#faults = new Faults(clock);
    this.#nodes = nodes;
  }

  get lies(): Set<ContainerLie> {
    return this.#faults.lies;
  }

  squeezeCpu(node: NodeName, cpus: number): Promise<UndoFault> {
    this.#cpus.set(node, cpus);
    return this.#faults.install(CPU, node);
  }

  async squeezeMemory(node: NodeName): Promise<UndoFault> {
    const undo = await this.#faults.install(MEMORY, node);
    return async () => {
      await undo();
      if (this.#faults.since(MEMORY, node) !== undefined || !this.#ended.delete(node)) return;
      this.#nodes.start(node);
    };
  }

  usage(node: NodeName): Promise<ResourceUsage> {
    if (this.#nodes.state(node) === 'running' && this.#faults.forMs(MEMORY, node) > LIVES_MS) {
      this.#nodes.end(node);
      this.#ended.add(node);
    }
    const { cpus, memory } = {
      cpus: this.#faults.since(CPU, node) === undefined ? undefined : this.#cpus.get(node),
      memory: this.#faults.since(MEMORY, node),
    };
    const isRunning = this.#nodes.state(node) === 'running';
    return Promise.resolve({
      cpuLimit: cpus ?? 0,
      throttled: isRunning ? Math.floor(this.#faults.forMs(CPU, node) / MS_PER_PERIOD) : 0,
      memoryBytes: isRunning ? MEMORY_BYTES : 0,
      memoryLimitBytes: memory === undefined ? 0 : MEMORY_BYTES,
      ranOutOfMemory: this.#ended.has(node) && this.#nodes.state(node) === 'gone',
    });
  }

  installed(): Promise<readonly string[]> {
    return this.#faults.installed();
  }
}

const PLUG = 'unplugged';

export class FakePlugs implements PlugControl {
  readonly #faults: Faults;

  constructor(clock: Clock) {
    this.#faults = new Faults(clock);
  }

  get lies(): Set<ContainerLie> {
    return this.#faults.lies;
  }

  pull(node: NodeName): Promise<UndoFault> {
    return this.#faults.install(PLUG, node);
  }

  isPlugged(node: NodeName): Promise<boolean> {
    return Promise.resolve(this.#faults.since(PLUG, node) === undefined);
  }

  /** Whether anybody hears of the node. */
  isSilent(node: NodeName): boolean {
    return this.#faults.effectSince(PLUG, node) !== undefined;
  }

  installed(): Promise<readonly string[]> {
    return this.#faults.installed();
  }
}

const DROP = 'drop';

export class FakePackets implements PacketControl {
  readonly #faults: Faults;

  constructor(clock: Clock) {
    this.#faults = new Faults(clock);
  }

  get lies(): Set<ContainerLie> {
    return this.#faults.lies;
  }

  /** What was asked for, ever: `n2 from n1,n3`. */
  readonly asked: string[] = [];

  drop(node: NodeName, from: readonly NodeName[]): Promise<UndoFault> {
    this.asked.push(`${node} from ${from.join(',')}`);
    return this.#faults.install(DROP, node);
  }

  /** One every heartbeat. */
  dropped(node: NodeName): Promise<number> {
    return Promise.resolve(Math.floor(this.#faults.forMs(DROP, node) / MS_PER_PERIOD));
  }

  installed(): Promise<readonly string[]> {
    return this.#faults.installed();
  }
}
