import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bytes, MalformedBytes } from '../bytes.ts';
import type { Configuration, Entry, Message, Payload, SnapshotMeta } from '../raft/types.ts';
import { decodeMessage, encodeMessage } from './peer-codec.ts';

const FROM = 'a1';
const TO = 'b2';
const number = fc.maxSafeNat();
const bytes: fc.Arbitrary<Bytes> = fc
  .uint8Array({ maxLength: 300 })
  .map((array) => Buffer.from(array));

/** Plain objects, as decoders make them. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const members = fc.array(fc.constantFrom('1', 'a1', 'b2', 'ffffffffffffffff'), { maxLength: 4 });
const config: fc.Arbitrary<Configuration> = record({ voters: members, learners: members });
const payload: fc.Arbitrary<Payload> = fc.oneof(
  record({ kind: fc.constant('none') }),
  record({ kind: fc.constant('command'), data: bytes }),
  record({ kind: fc.constant('config'), config, data: bytes }),
);
const entry: fc.Arbitrary<Entry> = record({ index: number, term: number, payload });
const meta: fc.Arbitrary<SnapshotMeta> = record({ index: number, term: number, config });

const addressed = { from: fc.constant(FROM), to: fc.constant(TO), term: number };
const message: fc.Arbitrary<Message> = fc.oneof(
  record({
    ...addressed,
    type: fc.constantFrom('pre-vote', 'vote'),
    lastIndex: number,
    lastTerm: number,
    transfer: fc.boolean(),
  }),
  record({
    ...addressed,
    type: fc.constantFrom('pre-vote-reply', 'vote-reply'),
    granted: fc.boolean(),
  }),
  record({
    ...addressed,
    type: fc.constant('append'),
    prevIndex: number,
    prevTerm: number,
    entries: fc.array(entry, { maxLength: 5 }),
    commit: number,
  }),
  record({
    ...addressed,
    type: fc.constant('append-reply'),
    ok: fc.constant(true),
    match: number,
  }),
  record({
    ...addressed,
    type: fc.constant('append-reply'),
    ok: fc.constant(false),
    prevIndex: number,
    hintIndex: number,
    hintTerm: number,
  }),
  record({ ...addressed, type: fc.constant('heartbeat'), commit: number }),
  record({ ...addressed, type: fc.constant('heartbeat'), commit: number, round: number }),
  record({ ...addressed, type: fc.constant('heartbeat-reply') }),
  record({ ...addressed, type: fc.constant('heartbeat-reply'), round: number }),
  record({ ...addressed, type: fc.constant('snapshot'), meta }),
  record({ ...addressed, type: fc.constant('snapshot'), meta, data: bytes }),
  record({
    ...addressed,
    type: fc.constant('propose'),
    commands: fc.array(bytes, { maxLength: 5 }),
  }),
  record({ ...addressed, type: fc.constant('read-request'), id: number }),
  record({ ...addressed, type: fc.constant('read-reply'), id: number, index: number }),
  record({ ...addressed, type: fc.constant('timeout-now') }),
);

function encoded(original: Message): Buffer {
  return Buffer.concat(encodeMessage(original));
}

describe('the bytes of messages', () => {
  it('give back every field, and leave out what was absent', () => {
    fc.assert(
      fc.property(message, (original) => {
        expect(decodeMessage(encoded(original), FROM, TO)).toStrictEqual(original);
      }),
      { numRuns: 1000 },
    );
  });

  it('come from whom the connection belongs to, whatever the message said', () => {
    const original: Message = { type: 'timeout-now', from: '66', to: '77', term: 3 };
    const decoded = decodeMessage(encoded(original), FROM, TO);
    expect(decoded).toStrictEqual({ type: 'timeout-now', from: FROM, to: TO, term: 3 });
  });

  it('are refused when cut anywhere, or when something follows', () => {
    fc.assert(
      fc.property(message, (original) => {
        const whole = encoded(original);
        for (let end = 0; end < whole.length; end++)
          expect(() => decodeMessage(whole.subarray(0, end), FROM, TO)).toThrow(MalformedBytes);
        const longer = Buffer.concat([whole, Buffer.of(0)]);
        expect(() => decodeMessage(longer, FROM, TO)).toThrow(MalformedBytes);
      }),
      { numRuns: 100 },
    );
  });

  it('throw MalformedBytes, and nothing else, for anything at all', () => {
    const changed = fc
      .tuple(message.map(encoded), fc.nat(), fc.integer({ min: 1, max: 255 }))
      .map(([whole, at, flips]) => {
        const place = at % whole.length;
        whole[place] = (whole[place] ?? 0) ^ flips;
        return whole;
      });
    fc.assert(
      fc.property(fc.oneof(bytes, changed), (data) => {
        try {
          decodeMessage(data, FROM, TO);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytes);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
