/** 64-bit numbers of the wire as what the node uses: numbers, decimal text, hexadecimal ids. */
import type { LeaseId } from '../mvcc/types.ts';
import type { MemberId } from '../raft/types.ts';
import type { Long } from './wire.ts';

const WORD = 2 ** 32;

/** Signed. Beyond 2^53 it is not exact, but as far beyond every revision as it was. */
export function numberOf(long: Long | undefined): number {
  return long === undefined ? 0 : long.high * WORD + (long.low >>> 0);
}

/** As `numberOf`, but what is negative means what 0 means. */
export function countOf(long: Long | undefined): number {
  return Math.max(0, numberOf(long));
}

/** Signed, exact. */
export function leaseIdOf(long: Long | undefined): LeaseId {
  if (long === undefined) return '0';
  return (BigInt(long.high) * BigInt(WORD) + BigInt(long.low >>> 0)).toString();
}

/** Undefined for no lease, which the wire leaves out. */
export function longOfLease(id: LeaseId): Long | undefined {
  if (id === '0') return undefined;
  const value = BigInt(id);
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
  };
}

/** Unsigned. */
export function memberIdOf(long: Long | undefined): MemberId {
  if (long === undefined) return '0';
  const low = (long.low >>> 0).toString(16);
  return long.high === 0 ? low : (long.high >>> 0).toString(16) + low.padStart(8, '0');
}

/** Of a member's or cluster's id, up to 16 hexadecimal digits. */
export function longOfId(id: string): Long {
  const digits = id.padStart(16, '0');
  return {
    low: Number.parseInt(digits.slice(8), 16) | 0,
    high: Number.parseInt(digits.slice(0, 8), 16) | 0,
  };
}
