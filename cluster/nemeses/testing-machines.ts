/** For tests of nemeses only: disks and clocks that are a few numbers, and that can be told to lie. */
import { type Clock, sleep } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type {
  ClockControl,
  ClockSkew,
  DiskAbility,
  DiskControl,
  DiskProbe,
  UndoFault,
} from '../../harness/protocols/machines.ts';

/** What the fake disks claim to do and do not; `...-throws`: they refuse instead. */
export type DiskLie = 'install' | 'install-throws-on-n1' | 'undo' | 'undo-throws';

const SYNC_MS = 2;

type Installed =
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'failing' | 'full' };

export class FakeDisks implements DiskControl {
  readonly can: Set<DiskAbility> = new Set(['slow', 'fail-sync', 'fill']);
  readonly lies: Set<DiskLie> = new Set();
  readonly #clock: Clock;
  readonly #faults: Map<string, { readonly node: NodeName; readonly fault: Installed }> = new Map();
  #names = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  slow(node: NodeName, delayMs: number): Promise<UndoFault> {
    return this.#install(node, { kind: 'slow', delayMs });
  }

  failSync(node: NodeName): Promise<UndoFault> {
    return this.#install(node, { kind: 'failing' });
  }

  fill(node: NodeName): Promise<UndoFault> {
    return this.#install(node, { kind: 'full' });
  }

  async probe(node: NodeName): Promise<DiskProbe> {
    const faults = this.#on(node);
    const slow = faults.reduce(
      (sum, fault) => sum + (fault.kind === 'slow' ? fault.delayMs : 0),
      0,
    );
    const syncMs = SYNC_MS + slow;
    await sleep(this.#clock, syncMs);
    if (faults.some(({ kind }) => kind === 'full')) return { error: 'ENOSPC', syncMs };
    return faults.some(({ kind }) => kind === 'failing') ? { error: 'EIO', syncMs } : { syncMs };
  }

  installed(): Promise<readonly string[]> {
    return Promise.resolve([...this.#faults.keys()]);
  }

  async #install(node: NodeName, fault: Installed): Promise<UndoFault> {
    await sleep(this.#clock, 1);
    if (this.lies.has('install-throws-on-n1') && node === 'n1')
      throw new HarnessError('process-failed', 'the disk of n1 is on fire');
    const name = `${fault.kind} ${node} ${this.#names++}`;
    if (!this.lies.has('install')) this.#faults.set(name, { node, fault });
    return async () => {
      await sleep(this.#clock, 1);
      if (this.lies.has('undo-throws')) throw new HarnessError('process-failed', `${name}: stuck`);
      if (!this.lies.has('undo')) this.#faults.delete(name);
    };
  }

  #on(node: NodeName): Installed[] {
    return [...this.#faults.values()].flatMap((one) => (one.node === node ? [one.fault] : []));
  }
}

/** What the fake clocks claim to do and do not. */
export type ClockLie = 'jump' | 'rate' | 'both';

export class FakeClocks implements ClockControl {
  readonly lies: Set<ClockLie> = new Set();
  readonly #clock: Clock;
  readonly #set: Map<NodeName, ClockSkew & { readonly sinceMs: number }> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  skew(node: NodeName, { offsetMs, rate }: ClockSkew): Promise<void> {
    if (this.lies.has('both')) return Promise.resolve();
    this.#set.set(node, {
      offsetMs: this.lies.has('jump') ? 0 : offsetMs,
      rate: this.lies.has('rate') ? 1 : rate,
      sinceMs: this.#clock.wallMs(),
    });
    return Promise.resolve();
  }

  read(node: NodeName): Promise<{ readonly nodeMs: number; readonly worldMs: number }> {
    const worldMs = this.#clock.wallMs();
    const { offsetMs, rate, sinceMs } = this.#set.get(node) ?? RIGHT;
    return Promise.resolve({ worldMs, nodeMs: sinceMs + offsetMs + (worldMs - sinceMs) * rate });
  }

  /** Nodes whose clock is wrong. */
  wrong(): string[] {
    return [...this.#set].flatMap(([node, { offsetMs, rate }]) =>
      offsetMs === 0 && rate === 1 ? [] : [`clock ${node}`],
    );
  }
}

const RIGHT = { offsetMs: 0, rate: 1, sinceMs: 0 };
