/** The requests within commands, as bytes: one byte or number of flags says which fields follow. */
import { invariant, unreachable } from '../../../harness/core/invariant.ts';
import { type ByteReader, type Bytes, type ByteWriter, MalformedBytes } from '../bytes.ts';
import type {
  Compare,
  CompareResult,
  DeleteRangeRequest,
  LeaseId,
  PutRequest,
  RangeRequest,
  RequestOp,
  SortOrder,
  SortTarget,
  TxnRequest,
} from '../mvcc/types.ts';

/** Transactions within transactions; more would be a stack that a client can overflow. */
export const TXN_DEPTH_MAX = 100;

/** On disk and on the wire: numbers are for good, new ones go to the end. */
const SORT_ORDERS: readonly SortOrder[] = ['NONE', 'ASCEND', 'DESCEND'];
const SORT_TARGETS: readonly SortTarget[] = ['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'];
const COMPARE_RESULTS: readonly CompareResult[] = ['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'];
const COMPARE_TARGETS: readonly Compare['target'][] = [
  'VERSION',
  'CREATE',
  'MOD',
  'VALUE',
  'LEASE',
];
const OPS: readonly RequestOp['type'][] = ['range', 'put', 'delete-range', 'txn'];

const PRESENT = 1;
const TRUE = 2;

/** Two bits of flags for each field that may be absent: whether it is there, and if it is true. */
function flag(field: boolean | undefined, at: number): number {
  if (field === undefined) return 0;
  return (PRESENT | (field ? TRUE : 0)) << (2 * at);
}

function present(field: unknown, at: number): number {
  return field === undefined ? 0 : PRESENT << (2 * at);
}

function isPresent(flags: number, at: number): boolean {
  return ((flags >>> (2 * at)) & PRESENT) !== 0;
}

function isTrue(flags: number, at: number): boolean {
  return ((flags >>> (2 * at)) & TRUE) !== 0;
}

export function writePut(writer: ByteWriter, request: PutRequest): void {
  const { key, value, lease } = request;
  writer.byte(
    flag(request.prevKv, 0) |
      flag(request.ignoreValue, 1) |
      flag(request.ignoreLease, 2) |
      present(lease, 3),
  );
  writer.bytes(key).bytes(value);
  if (lease !== undefined) writeLease(writer, lease);
}

export function readPut(reader: ByteReader): PutRequest {
  const flags = reader.byte();
  const key = reader.bytes();
  // A copy: the store keeps it for long, and a view would keep the whole message it came in.
  const value = Buffer.from(reader.bytes());
  // Most puts are bare.
  if (flags === 0) return { key, value };
  return {
    key,
    value,
    ...(isPresent(flags, 3) && { lease: readLease(reader) }),
    ...(isPresent(flags, 0) && { prevKv: isTrue(flags, 0) }),
    ...(isPresent(flags, 1) && { ignoreValue: isTrue(flags, 1) }),
    ...(isPresent(flags, 2) && { ignoreLease: isTrue(flags, 2) }),
  };
}

export function writeDeleteRange(writer: ByteWriter, request: DeleteRangeRequest): void {
  writer.byte(flag(request.prevKv, 0) | present(request.end, 1)).bytes(request.key);
  if (request.end !== undefined) writer.bytes(request.end);
}

export function readDeleteRange(reader: ByteReader): DeleteRangeRequest {
  const flags = reader.byte();
  return {
    key: reader.bytes(),
    ...(isPresent(flags, 1) && { end: reader.bytes() }),
    ...(isPresent(flags, 0) && { prevKv: isTrue(flags, 0) }),
  };
}

export function writeTxn(writer: ByteWriter, request: TxnRequest, depth = 1): void {
  invariant(depth <= TXN_DEPTH_MAX, `a transaction nests more than ${TXN_DEPTH_MAX} levels`);
  writer.list(request.compare, (compare) => writeCompare(writer, compare));
  writer.list(request.success, (op) => writeOp(writer, op, depth));
  writer.list(request.failure, (op) => writeOp(writer, op, depth));
}

export function readTxn(reader: ByteReader, depth = 1): TxnRequest {
  if (depth > TXN_DEPTH_MAX) throw new MalformedBytes('a transaction nests too deeply');
  return {
    compare: reader.list(() => readCompare(reader)),
    success: reader.list(() => readOp(reader, depth)),
    failure: reader.list(() => readOp(reader, depth)),
  };
}

function writeOp(writer: ByteWriter, op: RequestOp, depth: number): void {
  writer.byte(OPS.indexOf(op.type));
  switch (op.type) {
    case 'range':
      return writeRange(writer, op.request);
    case 'put':
      return writePut(writer, op.request);
    case 'delete-range':
      return writeDeleteRange(writer, op.request);
    case 'txn':
      return writeTxn(writer, op.request, depth + 1);
    default:
      return unreachable(op);
  }
}

function readOp(reader: ByteReader, depth: number): RequestOp {
  const type = readChoice(reader, OPS);
  switch (type) {
    case 'range':
      return { type, request: readRange(reader) };
    case 'put':
      return { type, request: readPut(reader) };
    case 'delete-range':
      return { type, request: readDeleteRange(reader) };
    case 'txn':
      return { type, request: readTxn(reader, depth + 1) };
    default:
      return unreachable(type);
  }
}

function writeCompare(writer: ByteWriter, compare: Compare): void {
  writer.byte(COMPARE_TARGETS.indexOf(compare.target));
  writer.byte(COMPARE_RESULTS.indexOf(compare.result));
  writer.bytes(compare.key);
  writeOptional(writer, compare.end);
  switch (compare.target) {
    case 'VALUE':
      writer.bytes(compare.value);
      return;
    case 'LEASE':
      return writeLease(writer, compare.lease);
    case 'VERSION':
    case 'CREATE':
    case 'MOD':
      return writeSigned(writer, compare.number);
    default:
      return unreachable(compare);
  }
}

function readCompare(reader: ByteReader): Compare {
  const target = readChoice(reader, COMPARE_TARGETS);
  const result = readChoice(reader, COMPARE_RESULTS);
  const key = reader.bytes();
  const end = readOptional(reader);
  const base = { key, ...(end && { end }), result };
  switch (target) {
    case 'VALUE':
      return { ...base, target, value: reader.bytes() };
    case 'LEASE':
      return { ...base, target, lease: readLease(reader) };
    case 'VERSION':
    case 'CREATE':
    case 'MOD':
      return { ...base, target, number: readSigned(reader) };
    default:
      return unreachable(target);
  }
}

/** In the order of their flags, after the three booleans. */
const RANGE_NUMBERS = [
  'limit',
  'revision',
  'minModRevision',
  'maxModRevision',
  'minCreateRevision',
  'maxCreateRevision',
] as const satisfies readonly (keyof RangeRequest)[];
const FIRST_NUMBER = 3;
const END = FIRST_NUMBER + RANGE_NUMBERS.length;
const SORT_ORDER = END + 1;
const SORT_TARGET = END + 2;

function writeRange(writer: ByteWriter, request: RangeRequest): void {
  let flags =
    flag(request.keysOnly, 0) |
    flag(request.countOnly, 1) |
    flag(request.serializable, 2) |
    present(request.end, END) |
    present(request.sortOrder, SORT_ORDER) |
    present(request.sortTarget, SORT_TARGET);
  for (const [at, name] of RANGE_NUMBERS.entries())
    flags |= present(request[name], FIRST_NUMBER + at);
  writer.number(flags).bytes(request.key);
  for (const name of RANGE_NUMBERS) {
    const value = request[name];
    if (value !== undefined) writeSigned(writer, value);
  }
  if (request.end !== undefined) writer.bytes(request.end);
  if (request.sortOrder !== undefined) writer.byte(SORT_ORDERS.indexOf(request.sortOrder));
  if (request.sortTarget !== undefined) writer.byte(SORT_TARGETS.indexOf(request.sortTarget));
}

function readRange(reader: ByteReader): RangeRequest {
  const flags = reader.number();
  const key = reader.bytes();
  const numbers: { -readonly [Name in (typeof RANGE_NUMBERS)[number]]?: number } = {};
  for (const [at, name] of RANGE_NUMBERS.entries())
    if (isPresent(flags, FIRST_NUMBER + at)) numbers[name] = readSigned(reader);
  return {
    key,
    ...numbers,
    ...(isPresent(flags, END) && { end: reader.bytes() }),
    ...(isPresent(flags, SORT_ORDER) && { sortOrder: readChoice(reader, SORT_ORDERS) }),
    ...(isPresent(flags, SORT_TARGET) && { sortTarget: readChoice(reader, SORT_TARGETS) }),
    ...(isPresent(flags, 0) && { keysOnly: isTrue(flags, 0) }),
    ...(isPresent(flags, 1) && { countOnly: isTrue(flags, 1) }),
    ...(isPresent(flags, 2) && { serializable: isTrue(flags, 2) }),
  };
}

function writeOptional(writer: ByteWriter, value: Bytes | undefined): void {
  writer.byte(value === undefined ? 0 : 1);
  if (value !== undefined) writer.bytes(value);
}

function readOptional(reader: ByteReader): Bytes | undefined {
  return reader.byte() === 0 ? undefined : reader.bytes();
}

/** etcd's numbers are signed, and clients may say -1 where it makes no sense. */
export function writeSigned(writer: ByteWriter, value: number): void {
  writer.byte(value < 0 ? 1 : 0).number(Math.abs(value));
}

export function readSigned(reader: ByteReader): number {
  const isNegative = reader.byte() !== 0;
  const value = reader.number();
  return isNegative && value !== 0 ? -value : value;
}

const LEASE = /^(?:0|-?[1-9]\d{0,18})$/;
const LEASE_BITS = 64;

export function writeLease(writer: ByteWriter, lease: LeaseId): void {
  writer.text(lease);
}

/** Checked, since others make a number of it. */
export function readLease(reader: ByteReader): LeaseId {
  const lease = reader.text();
  if (!LEASE.test(lease) || BigInt.asIntN(LEASE_BITS, BigInt(lease)) !== BigInt(lease))
    throw new MalformedBytes('not the id of a lease');
  return lease;
}

function readChoice<T>(reader: ByteReader, choices: readonly T[]): T {
  const choice = choices[reader.byte()];
  if (choice === undefined) throw new MalformedBytes('no such choice');
  return choice;
}
