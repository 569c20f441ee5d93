/** Decides problems with the compiled search. */
import { invariant } from '../../harness/core/invariant.ts';
import { type EngineInstance, instantiate } from './engine-module.ts';
import type { Problem } from './problem.ts';

/** The rules by which a search may leave out choices; all of them are proven, and on by default. */
export interface Rules {
  /** What would change nothing may count as done. */
  readonly keepers: boolean;
  /** An overwrite may hide the others that are in flight. Only where the model says so. */
  readonly absorption: boolean;
  /** Reads may have read what was hidden. Only where the model says so. */
  readonly credit: boolean;
  /** Of equal operations the one that completes first goes first. */
  readonly symmetry: boolean;
  /** Overwrites go between others only for what depends on them; needs the first three. */
  readonly usefulness: boolean;
}

export const ALL_RULES: Rules = {
  keepers: true,
  absorption: true,
  credit: true,
  symmetry: true,
  usefulness: true,
};

export interface SearchOptions {
  readonly rules?: Rules;
  /**
   * How many configurations of one completion are expanded before those that got further; 0, the
   * default: all, which needs memory for one completion only. 1 is depth-first.
   */
  readonly waveWidth?: number;
  /**
   * Of each kind, with which others its operations of unknown outcome are counted: those with the
   * same number together, which is that of a kind; -1: not at all. Default: each kind by itself.
   * Otherwise `invalid` is still true, and `valid` needs a look at the trail; see refinement.ts.
   */
  readonly groups?: Int32Array;
  /**
   * What is in flight at the first completion may have been done before. Then `invalid` holds
   * whatever came before it, and `valid` says nothing.
   */
  readonly isStretch?: boolean;
  /**
   * One choice after another, which is soon where an order is nearly straight ahead; otherwise it
   * gives up. Only where every outcome is known, and there is one state to begin in.
   */
  readonly isDash?: boolean;
  readonly memoryBytes: number;
}

/** `gave-up`: only a dash does. */
export type Progress = 'running' | 'valid' | 'invalid' | 'memory' | 'states' | 'gave-up' | 'width';

/** Addresses have 32 bits; the last page stays out of reach, so that none overflows. */
const ADDRESSABLE_BYTES = 2 ** 32 - 2 ** 16;

const PROGRESS: readonly Progress[] = [
  'running',
  'valid',
  'invalid',
  'memory',
  'states',
  'gave-up',
];

/** The choices on the way that got furthest, two numbers each; see `choiceAt`. */
export type Trail = Int32Array;

interface Choice {
  /** It was made before this completion had its place. */
  readonly completion: number;
  /**
   * `place`: the operation. `use`: one of unknown outcome of the kind. `hide`: an overwrite went
   * just before the last one that was placed, for reads that need it.
   */
  readonly what: 'place' | 'use' | 'hide';
  /** An operation, or for `use` a kind. */
  readonly which: number;
}

/** A way to go on that ends at the completion that none gets past. */
export interface DeadEnd {
  readonly state: number;
  /** Operations in flight there: these are done, and any of the optional ones may be as well. */
  readonly done: readonly number[];
  readonly optional: readonly number[];
  /** For `trail`; only of a search whose wave width is 0. */
  readonly place: number;
}

const WHAT = ['place', 'use', 'hide'] as const;

export function choiceAt(trail: Trail, at: number): Choice {
  const [choice, completion] = [trail[2 * at], trail[2 * at + 1]];
  invariant(choice !== undefined && completion !== undefined, 'a choice of the trail');
  const what = WHAT[choice & 3];
  invariant(what !== undefined, 'the engine knows three sorts of choices');
  return { what, which: choice >> 2, completion };
}

/** One search at a time, in steps. */
export class Engine {
  readonly #instance: EngineInstance;
  #progress: Progress = 'running';

  constructor(instance: EngineInstance = instantiate()) {
    this.#instance = instance;
  }

  start(problem: Problem, options: SearchOptions): Progress {
    const { waveWidth = 0, isStretch = false, isDash = false } = options;
    const { exports } = this.#instance;
    const { kinds, flags, starts = 1 } = problem;
    this.#instance.setStep(problem.step);
    this.#progress = 'memory';
    const limit = Math.min(options.memoryBytes, ADDRESSABLE_BYTES);
    if (exports.begin(limit, kinds.length, flags.length) === 0) return this.#progress;
    this.#fill(problem, options.groups);
    const rules = ruleMask(options.rules ?? ALL_RULES, problem);
    const prepared = isDash
      ? exports.prepareToDash(rules)
      : exports.prepare(rules, waveWidth, starts, Number(isStretch));
    this.#progress = prepared === 0 ? 'running' : prepared === 1 ? 'width' : 'memory';
    return this.#progress;
  }

  #fill({ kinds, calls, returns, flags }: Problem, groups: Int32Array | undefined): void {
    const { exports } = this.#instance;
    const { buffer } = exports.memory;
    new Int32Array(buffer, exports.kindsColumn(), kinds.length).set(kinds);
    new Int32Array(buffer, exports.callsColumn(), kinds.length).set(calls);
    new Int32Array(buffer, exports.returnsColumn(), kinds.length).set(returns);
    new Uint8Array(buffer, exports.flagsColumn(), flags.length).set(flags);
    const column = new Int32Array(buffer, exports.groupsColumn(), flags.length);
    for (let kind = 0; kind < column.length; kind++) column[kind] = groups?.[kind] ?? kind;
  }

  /** Goes on by up to so many configurations. */
  run(steps: number): Progress {
    if (this.#progress !== 'running') return this.#progress;
    const progress = PROGRESS[this.#instance.exports.run(steps)];
    invariant(progress !== undefined, 'the engine returns one of its codes');
    this.#progress = progress;
    return progress;
  }

  get steps(): number {
    return this.#instance.exports.stepCount();
  }
  get configurations(): number {
    return this.#instance.exports.configurationCount();
  }
  get states(): number {
    return this.#instance.exports.stateCount();
  }
  /** The most operations in flight at once. */
  get concurrency(): number {
    return this.#instance.exports.concurrency();
  }
  get bytes(): number {
    return this.#instance.exports.arenaBytes();
  }

  /** How many completions have their place in some order. */
  get passed(): number {
    return this.#instance.exports.passed();
  }

  /** The operation whose completion no order got past; undefined: all have. */
  blocked(): number | undefined {
    const { exports } = this.#instance;
    const passed = exports.passed();
    return passed === exports.completions() ? undefined : exports.operationOf(passed);
  }

  /** Of the order that got furthest, or of a dead end; undefined: there was no memory left to tell. */
  trail(to: number = this.#instance.exports.furthestPlace()): Trail | undefined {
    const { exports } = this.#instance;
    const count = exports.trace(to);
    if (count < 0) return undefined;
    return new Int32Array(exports.memory.buffer, exports.tracedAt(), 2 * count).slice();
  }

  /** When there is no order: up to so many of those that get furthest. */
  deadEnds(limit: number): readonly DeadEnd[] {
    const { exports } = this.#instance;
    const count = exports.survey(limit);
    const rows = new Int32Array(exports.memory.buffer, exports.surveyedAt(), 6 * count).slice();
    const operations = (low: number): number[] =>
      Array.from({ length: 64 }, (_, slot) => slot)
        .filter((slot) => (((rows[low + (slot >> 5)] as number) >>> (slot & 31)) & 1) === 1)
        .map((slot) => exports.operationIn(slot));
    return Array.from({ length: count }, (_, at) => ({
      state: rows[6 * at] as number,
      place: rows[6 * at + 1] as number,
      done: operations(6 * at + 2),
      optional: operations(6 * at + 4),
    }));
  }
}

function ruleMask(rules: Rules, { absorption, credit }: Problem): number {
  return (
    (rules.keepers ? 1 : 0) |
    (rules.absorption && absorption ? 2 : 0) |
    (rules.credit && credit ? 4 : 0) |
    (rules.symmetry ? 8 : 0) |
    (rules.usefulness ? 16 : 0)
  );
}
