import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fragmentsOf } from './fragments.ts';
import { countOf, leaseIdOf, longOfId, longOfLease, memberIdOf, numberOf } from './int64.ts';
import type { Long, WireEvent } from './wire.ts';

const signed = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

function longOf(value: bigint): Long {
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
  };
}

test('a lease id of 64 bits is the same after a way there and back', () => {
  fc.assert(
    fc.property(signed, (value) => {
      const id = value.toString();
      const long = longOfLease(id);
      expect(leaseIdOf(long)).toBe(id);
      expect(long).toEqual(value === 0n ? undefined : longOf(value));
    }),
  );
});

test('a member id of 64 bits is the same after a way there and back', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      const id = value.toString(16);
      expect(memberIdOf(longOfId(id))).toBe(id);
      expect(memberIdOf(longOf(BigInt.asIntN(64, value)))).toBe(id);
    }),
  );
});

test('a number is exact as far as numbers are, and keeps its sign beyond', () => {
  fc.assert(
    fc.property(signed, (value) => {
      expect(numberOf(longOf(value))).toBe(Number(value));
      expect(countOf(longOf(value))).toBe(value < 0n ? 0 : Number(value));
    }),
  );
});

test('fragments hold every event once, in order, and are small unless one event is not', () => {
  const event = fc.nat(400).map(
    (size): WireEvent => ({
      kv: { key: new Uint8Array(1), value: new Uint8Array(size), modRevision: 1 },
    }),
  );
  fc.assert(
    fc.property(
      fc.array(event, { minLength: 1 }),
      fc.integer({ min: 1, max: 2_000 }),
      (all, max) => {
        const parts = fragmentsOf(all, max);
        expect(parts.flat()).toEqual(all);
        for (const part of parts) {
          const bytes = part.reduce((sum, { kv }) => sum + 1 + (kv.value?.length ?? 0), 0);
          expect(part.length === 1 || bytes < max).toBe(true);
          expect(part.length).toBeGreaterThan(0);
        }
      },
    ),
  );
});
