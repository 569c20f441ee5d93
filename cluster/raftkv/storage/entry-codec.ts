/** Entries, hard states and snapshot metas as bytes: in the log on disk and between peers. */

import { unreachable } from '../../../harness/core/invariant.ts';
import { type ByteReader, type ByteWriter, MalformedBytes } from '../bytes.ts';
import type {
  Configuration,
  Entry,
  HardState,
  MemberId,
  Payload,
  SnapshotMeta,
} from '../raft/types.ts';

const NONE = 0;
const COMMAND = 1;
const CONFIG = 2;

export function encodeEntry(writer: ByteWriter, entry: Entry): void {
  writer.number(entry.index).number(entry.term);
  const { payload } = entry;
  switch (payload.kind) {
    case 'none':
      writer.byte(NONE);
      return;
    case 'command':
      writer.byte(COMMAND).bytes(payload.data);
      return;
    case 'config':
      writer.byte(CONFIG);
      encodeConfiguration(writer, payload.config);
      writer.bytes(payload.data);
      return;
    default:
      unreachable(payload);
  }
}

/** Its `data` is a view of what is read, not a copy. Throws `MalformedBytes`. */
export function decodeEntry(reader: ByteReader): Entry {
  const index = reader.number();
  const term = reader.number();
  return { index, term, payload: decodePayload(reader) };
}

function decodePayload(reader: ByteReader): Payload {
  const kind = reader.byte();
  if (kind === NONE) return { kind: 'none' };
  if (kind === COMMAND) return { kind: 'command', data: reader.bytes() };
  if (kind !== CONFIG) throw new MalformedBytes(`no kind of entry has the number ${kind}`);
  const config = decodeConfiguration(reader);
  return { kind: 'config', config, data: reader.bytes() };
}

export function encodeConfiguration(writer: ByteWriter, config: Configuration): void {
  writer.list(config.voters, (member) => writer.text(member));
  writer.list(config.learners, (member) => writer.text(member));
}

/** Throws `MalformedBytes`. */
export function decodeConfiguration(reader: ByteReader): Configuration {
  const member = (): MemberId => reader.text();
  const voters = reader.list(member);
  return { voters, learners: reader.list(member) };
}

export function encodeSnapshotMeta(writer: ByteWriter, meta: SnapshotMeta): void {
  writer.number(meta.index).number(meta.term);
  encodeConfiguration(writer, meta.config);
}

/** Throws `MalformedBytes`. */
export function decodeSnapshotMeta(reader: ByteReader): SnapshotMeta {
  const index = reader.number();
  const term = reader.number();
  return { index, term, config: decodeConfiguration(reader) };
}

/** No member has an empty id, so that an empty text says that nobody was voted for. */
export function encodeHardState(writer: ByteWriter, state: HardState): void {
  writer
    .number(state.term)
    .text(state.vote ?? '')
    .number(state.commit);
}

/** Throws `MalformedBytes`. */
export function decodeHardState(reader: ByteReader): HardState {
  const term = reader.number();
  const vote = reader.text();
  return { term, vote: vote === '' ? null : vote, commit: reader.number() };
}
