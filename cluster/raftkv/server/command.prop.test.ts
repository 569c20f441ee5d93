import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bytes, MalformedBytes } from '../bytes.ts';
import type {
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from '../mvcc/types.ts';
import { ALARM_TYPES } from './alarms.ts';
import {
  type Command,
  type CommandRequest,
  type ConfigData,
  decodeCommand,
  decodeConfigData,
  encodeCommand,
  encodeConfigData,
} from './command.ts';
import { TXN_DEPTH_MAX } from './command-requests.ts';

const bytes: fc.Arbitrary<Bytes> = fc
  .uint8Array({ maxLength: 300 })
  .map((array) => Buffer.from(array));
const signed = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, 1, -1));
const lease = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const member = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((id) => id.toString(16));
const texts = fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 3 });

/** Plain objects, as decoders make them. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

/** Any of the fields but the required ones may be absent. */
function partial<T, R extends keyof T>(
  model: { [K in keyof T]: fc.Arbitrary<T[K]> },
  requiredKeys: R[],
): fc.Arbitrary<Partial<T> & Pick<T, R>> {
  const options = { noNullPrototype: true, requiredKeys };
  return fc.record<T, R>(model, options) as fc.Arbitrary<Partial<T> & Pick<T, R>>;
}

const put: fc.Arbitrary<PutRequest> = partial(
  {
    key: bytes,
    value: bytes,
    lease,
    prevKv: fc.boolean(),
    ignoreValue: fc.boolean(),
    ignoreLease: fc.boolean(),
  },
  ['key', 'value'],
);
const deleteRange: fc.Arbitrary<DeleteRangeRequest> = partial(
  { key: bytes, end: bytes, prevKv: fc.boolean() },
  ['key'],
);
const range: fc.Arbitrary<RangeRequest> = partial(
  {
    key: bytes,
    end: bytes,
    limit: signed,
    revision: signed,
    sortOrder: fc.constantFrom('NONE', 'ASCEND', 'DESCEND'),
    sortTarget: fc.constantFrom('KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'),
    keysOnly: fc.boolean(),
    countOnly: fc.boolean(),
    minModRevision: signed,
    maxModRevision: signed,
    minCreateRevision: signed,
    maxCreateRevision: signed,
    serializable: fc.boolean(),
  },
  ['key'],
);

const comparison = partial(
  { key: bytes, end: bytes, result: fc.constantFrom('EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL') },
  ['key', 'result'],
);
const compare: fc.Arbitrary<Compare> = fc
  .tuple(
    comparison,
    fc.oneof(
      record({ target: fc.constantFrom('VERSION', 'CREATE', 'MOD'), number: signed }),
      record({ target: fc.constant('VALUE'), value: bytes }),
      record({ target: fc.constant('LEASE'), lease }),
    ),
  )
  .map(([base, target]): Compare => ({ ...base, ...target }));

const { txn } = fc.letrec<{ txn: TxnRequest; op: RequestOp }>((tie) => ({
  txn: record({
    compare: fc.array(compare, { maxLength: 3 }),
    success: fc.array(tie('op'), { maxLength: 3 }),
    failure: fc.array(tie('op'), { maxLength: 3 }),
  }),
  op: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    record({ type: fc.constant('put'), request: put }),
    record({ type: fc.constant('range'), request: range }),
    record({ type: fc.constant('delete-range'), request: deleteRange }),
    record({ type: fc.constant('txn'), request: tie('txn') }),
  ),
}));

const request: fc.Arbitrary<CommandRequest> = fc.oneof(
  record({ type: fc.constant('put'), request: put }),
  record({ type: fc.constant('delete-range'), request: deleteRange }),
  record({ type: fc.constant('txn'), request: txn }),
  record({ type: fc.constant('compact'), revision: signed }),
  record({ type: fc.constant('lease-grant'), id: lease, ttlSeconds: signed }),
  record({ type: fc.constant('lease-revoke'), id: lease }),
  record({ type: fc.constant('publish'), member, name: fc.string(), clientUrls: texts }),
  record({ type: fc.constant('member-update'), member, peerUrls: texts }),
  record({
    type: fc.constant('alarm'),
    isOn: fc.boolean(),
    alarm: record({ member, type: fc.constantFrom(...ALARM_TYPES) }),
  }),
);
const sequence = fc.maxSafeNat();
const command: fc.Arbitrary<Command> = record({ origin: member, sequence, request });
const configData: fc.Arbitrary<ConfigData> = fc.oneof(
  record({
    type: fc.constant('add'),
    origin: member,
    sequence,
    member,
    peerUrls: texts,
    name: fc.string(),
    isLearner: fc.boolean(),
  }),
  record({ type: fc.constantFrom('promote', 'remove'), origin: member, sequence, member }),
);

/** Any of: bytes of its own, one changed, the end missing, something after the end. */
function damaged(good: fc.Arbitrary<Bytes>): fc.Arbitrary<Bytes> {
  return fc.oneof(
    bytes,
    fc.tuple(good, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([whole, at, change]) => {
      const copy = Buffer.from(whole);
      const place = at % copy.length;
      copy[place] = (copy[place] ?? 0) ^ change;
      return copy;
    }),
    fc.tuple(good, fc.nat()).map(([whole, at]) => whole.subarray(0, at % whole.length)),
    good.map((whole) => Buffer.concat([whole, Buffer.of(0)])),
  );
}

/** Damage may make another valid command; what it must not do is to throw anything else. */
function failsWell(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    return error instanceof MalformedBytes;
  }
}

describe('the bytes of commands', () => {
  it('give back every field, and leave out what was absent', () => {
    fc.assert(
      fc.property(command, (original) => {
        expect(decodeCommand(encodeCommand(original))).toStrictEqual(original);
      }),
      { numRuns: 500 },
    );
  });

  it('give back what changed in the configuration', () => {
    fc.assert(
      fc.property(configData, (original) => {
        expect(decodeConfigData(encodeConfigData(original))).toStrictEqual(original);
      }),
    );
  });

  it('throw MalformedBytes, and nothing else, when damaged', () => {
    fc.assert(
      fc.property(damaged(command.map(encodeCommand)), (data) =>
        failsWell(() => decodeCommand(data)),
      ),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(damaged(configData.map(encodeConfigData)), (data) =>
        failsWell(() => decodeConfigData(data)),
      ),
      { numRuns: 500 },
    );
  });

  it('are refused when cut anywhere, or when something follows', () => {
    fc.assert(
      fc.property(command, (original) => {
        const whole = encodeCommand(original);
        for (let end = 0; end < whole.length; end++)
          expect(() => decodeCommand(whole.subarray(0, end))).toThrow(MalformedBytes);
        expect(() => decodeCommand(Buffer.concat([whole, Buffer.of(0)]))).toThrow(MalformedBytes);
      }),
      { numRuns: 30 },
    );
  });
});

describe('transactions within transactions', () => {
  const nested = (levels: number): Command => {
    let inner: TxnRequest = { compare: [], success: [], failure: [] };
    for (let level = 1; level < levels; level++)
      inner = { compare: [], success: [{ type: 'txn', request: inner }], failure: [] };
    return { origin: '1', sequence: 1, request: { type: 'txn', request: inner } };
  };

  it('may nest up to the limit', () => {
    const deepest = nested(TXN_DEPTH_MAX);
    expect(decodeCommand(encodeCommand(deepest))).toStrictEqual(deepest);
  });

  it('are refused beyond it, however deep, without a stack overflow', () => {
    expect(() => encodeCommand(nested(TXN_DEPTH_MAX + 1))).toThrow('nests');
    const [empty] = [encodeCommand(nested(1))];
    // Type, origin and sequence; then "no compare, one operation, a transaction" without end.
    const head = empty.subarray(0, empty.length - 3);
    const bottomless = Buffer.concat([head, Buffer.alloc(300_000, Buffer.of(0, 1, 3))]);
    expect(() => decodeCommand(bottomless)).toThrow(MalformedBytes);
  });
});

describe('ids of leases', () => {
  const revoke = (id: string): Bytes =>
    encodeCommand({ origin: '1', sequence: 1, request: { type: 'lease-revoke', id } });

  it.each(['9223372036854775808', '-9223372036854775809', '01', '-0', '', 'x', '1 '])(
    'are refused when they are no signed 64-bit number: %j',
    (id) => {
      expect(() => decodeCommand(revoke(id))).toThrow(MalformedBytes);
    },
  );
});
