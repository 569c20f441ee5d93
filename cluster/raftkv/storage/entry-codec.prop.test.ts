import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ByteReader, ByteWriter, MalformedBytes } from '../bytes.ts';
import type { Configuration, Entry, HardState, Payload } from '../raft/types.ts';
import {
  decodeEntry,
  decodeHardState,
  decodeSnapshotMeta,
  encodeEntry,
  encodeHardState,
  encodeSnapshotMeta,
} from './entry-codec.ts';

const number = fc.oneof(fc.nat(200), fc.maxSafeNat());
const member = fc.stringMatching(/^[1-9a-f][0-9a-f]{0,15}$/);
const members = fc.array(member, { maxLength: 4 });
const data = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const config: fc.Arbitrary<Configuration> = fc.record({ voters: members, learners: members });
const payload: fc.Arbitrary<Payload> = fc.oneof(
  fc.constant({ kind: 'none' as const }),
  fc.record({ kind: fc.constant('command' as const), data }),
  fc.record({ kind: fc.constant('config' as const), config, data }),
);
const entry: fc.Arbitrary<Entry> = fc.record({ index: number, term: number, payload });
const hardState: fc.Arbitrary<HardState> = fc.record({
  term: number,
  vote: fc.option(member),
  commit: number,
});

function encoded(entries: readonly Entry[]): Buffer {
  const writer = new ByteWriter();
  for (const item of entries) encodeEntry(writer, item);
  return writer.done();
}

it('entries come back as they were, one after the other', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
      const reader = new ByteReader(encoded(entries));
      expect(entries.map(() => decodeEntry(reader))).toEqual(entries);
      reader.end();
    }),
  );
});

it('hard states and snapshot metas come back as they were', () => {
  fc.assert(
    fc.property(hardState, number, number, config, (state, index, term, members_) => {
      const writer = new ByteWriter();
      encodeHardState(writer, state);
      encodeSnapshotMeta(writer, { index, term, config: members_ });
      const reader = new ByteReader(writer.done());
      expect(decodeHardState(reader)).toEqual(state);
      expect(decodeSnapshotMeta(reader)).toEqual({ index, term, config: members_ });
      reader.end();
    }),
  );
});

it('what is cut short is malformed, never something else', () => {
  fc.assert(
    fc.property(entry, fc.nat(), (item, at) => {
      const bytes = encoded([item]);
      const cut = bytes.subarray(0, at % bytes.length);
      expect(() => decodeEntry(new ByteReader(cut))).toThrow(MalformedBytes);
    }),
  );
});

it('an unknown kind of entry is malformed', () => {
  const bytes = new ByteWriter().number(1).number(1).byte(7).done();
  expect(() => decodeEntry(new ByteReader(bytes))).toThrow('no kind of entry has the number 7');
});
