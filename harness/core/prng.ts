import { randomInt } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { HarnessError } from './errors.ts';
import { invariant } from './invariant.ts';

declare const seedBrand: unique symbol;
/** 32 bits, unsigned; printed as `0x5eed1234`. */
export type Seed = number & { readonly [seedBrand]: true };

export function seedFrom(value: number): Seed {
  return (value >>> 0) as Seed;
}

/** A fresh seed: the one place where a run takes chance from outside. */
export function freshSeed(): Seed {
  return randomInt(0, 2 ** 32) as Seed;
}

export function seedText(seed: Seed): string {
  return `0x${seed.toString(16).padStart(8, '0')}`;
}

/** Reads `0x5eed1234` or `1592594996`; throws `bad-option` for anything else. */
export function parseSeed(text: string): Seed {
  const value = /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 0 && value < 2 ** 32))
    throw new HarnessError(
      'bad-option',
      `--seed: '${text}' is not a seed; write up to 8 hex digits such as 0x5eed1234, or a number below 4294967296`,
    );
  return value as Seed;
}

/**
 * A stream of chance. Streams of one seed with different names are independent, so that a new
 * consumer never shifts what the others draw. A generator that must stay immutable draws from a
 * `clone()` and keeps it only when its offer was taken.
 */
export class Random {
  readonly #source: RandomGenerator;
  readonly #name: string;
  readonly #seed: Seed;

  private constructor(seed: Seed, name: string, source: RandomGenerator) {
    this.#seed = seed;
    this.#name = name;
    this.#source = source;
  }

  static stream(seed: Seed, name: string): Random {
    const words = [1, 2, 3, 4].map((salt) =>
      hash32(name, (seed ^ Math.imul(salt, 0x9e3779b9)) | 0),
    );
    // All zeros is the one state this generator never leaves.
    if (!words.some((word) => word !== 0)) words[0] = 1;
    return new Random(seed, name, xoroshiro128plusFromState(words));
  }

  /** A stream of its own below this one, by name; draws nothing from this one. */
  fork(name: string): Random {
    return Random.stream(this.#seed, `${this.#name}/${name}`);
  }

  clone(): Random {
    return new Random(this.#seed, this.#name, this.#source.clone());
  }

  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number {
    invariant(min <= max, `int(${min}, ${max}): an empty range`);
    return uniformInt(this.#source, min, max);
  }

  /** From 0 (included) to 1 (excluded). */
  float(): number {
    return uniformFloat64(this.#source);
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  pick<T>(items: readonly T[]): T {
    invariant(items.length > 0, 'pick from an empty list');
    return items[this.int(0, items.length - 1)] as T;
  }

  /** A new list in random order (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }

  /** An index drawn by weight; weights are not negative and not all zero. */
  weighted(weights: readonly number[]): number {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    invariant(total > 0, 'weights must not all be zero');
    let left = this.float() * total;
    for (const [index, weight] of weights.entries()) {
      left -= weight;
      if (left < 0) return index;
    }
    return weights.findLastIndex((weight) => weight > 0);
  }
}

/** MurmurHash3's mixing of a string's code units into 32 bits (Appleby, public domain). */
function hash32(text: string, salt: number): number {
  let h = salt;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0xcc9e2d51);
    h = (h << 15) | (h >>> 17);
    h = Math.imul(h, 5) + 0xe6546b64;
  }
  h ^= text.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}
