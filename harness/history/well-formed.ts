import type { Op, Process } from './op.ts';

/**
 * What every history keeps, entry by entry: dense indices, time that never goes back, one operation
 * at a time for each process (and lane of faults), completions that match, no process after info.
 */
export class WellFormed {
  #index = 0;
  #time = 0;
  /** By process, or by lane of faults: the f of the operation under way. */
  readonly #open: Map<number | string, string> = new Map();
  readonly #spent: Set<Process> = new Set();

  /** What is wrong with `op` as the next entry, if anything; call it for each in order. */
  problem(op: Op): string | undefined {
    if (op.index !== this.#index) return `entry ${op.index} stands where ${this.#index} should`;
    if (op.time < this.#time) return `time ${op.time} lies before that of the entry above`;
    this.#index++;
    this.#time = op.time;
    switch (op.process) {
      case 'observer':
        return op.type === 'info' ? undefined : `the observer only records info, not ${op.type}`;
      case 'nemesis':
        return this.#pair(op, `lane ${op.lane ?? ''}`, `lane '${op.lane ?? ''}'`);
      default:
        if (this.#spent.has(op.process))
          return `process ${op.process} goes on after info, which had ended it`;
        return this.#pair(op, op.process, `process ${op.process}`);
    }
  }

  #pair(op: Op, owner: number | string, name: string): string | undefined {
    const open = this.#open.get(owner);
    if (op.type === 'invoke') {
      if (open !== undefined) return `${name} invokes ${op.f} while its ${open} is under way`;
      this.#open.set(owner, op.f);
      return undefined;
    }
    if (op.process === 'nemesis' && op.type !== 'info')
      return `a fault completes with info, not ${op.type}`;
    if (open === undefined) return `${name} completes ${op.f}, which it did not invoke`;
    if (open !== op.f) return `${name} completes ${op.f}, but ${open} is under way`;
    this.#open.delete(owner);
    if (op.type === 'info' && op.process !== 'nemesis') this.#spent.add(op.process);
    return undefined;
  }
}
