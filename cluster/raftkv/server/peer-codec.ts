/**
 * Raft's messages as bytes. Who says it to whom is not among them: one connection carries what one
 * member says to one other, and both are known from its hello, so that no message can claim
 * another origin than its connection has.
 */
import { unreachable } from '../../../harness/core/invariant.ts';
import { ByteReader, type Bytes, ByteWriter, MalformedBytes } from '../bytes.ts';
import type { AppendReply, AppendRequest, MemberId, Message } from '../raft/types.ts';
import {
  decodeEntry,
  decodeSnapshotMeta,
  encodeEntry,
  encodeSnapshotMeta,
} from '../storage/entry-codec.ts';

/** The numbers are for good, new ones go to the end. */
const TYPES = [
  'pre-vote',
  'vote',
  'pre-vote-reply',
  'vote-reply',
  'append',
  'append-reply',
  'heartbeat',
  'heartbeat-reply',
  'snapshot',
  'propose',
  'read-request',
  'read-reply',
  'timeout-now',
] as const satisfies readonly Message['type'][];

/** In pieces to be sent one after the other, so that a snapshot's data is not copied. */
export function encodeMessage(message: Message): readonly Bytes[] {
  const writer = new ByteWriter();
  writer.byte(TYPES.indexOf(message.type)).number(message.term);
  switch (message.type) {
    case 'pre-vote':
    case 'vote':
      writer.number(message.lastIndex).number(message.lastTerm).byte(bit(message.transfer));
      break;
    case 'pre-vote-reply':
    case 'vote-reply':
      writer.byte(bit(message.granted));
      break;
    case 'append':
      encodeAppend(writer, message);
      break;
    case 'append-reply':
      encodeAppendReply(writer, message);
      break;
    case 'heartbeat':
      writer.number(message.commit);
      encodeRound(writer, message.round);
      break;
    case 'heartbeat-reply':
      encodeRound(writer, message.round);
      break;
    case 'snapshot':
      encodeSnapshotMeta(writer, message.meta);
      writer.byte(bit(message.data !== undefined));
      if (message.data === undefined) break;
      return [writer.number(message.data.length).done(), message.data];
    case 'propose':
      writer.list(message.commands, (command) => writer.bytes(command));
      break;
    case 'read-request':
      writer.number(message.id);
      break;
    case 'read-reply':
      writer.number(message.id).number(message.index);
      break;
    case 'timeout-now':
      break;
    default:
      unreachable(message);
  }
  return [writer.done()];
}

/** Byte strings in it are views of `data`. Throws `MalformedBytes`, and nothing else. */
export function decodeMessage(data: Bytes, from: MemberId, to: MemberId): Message {
  const reader = new ByteReader(data);
  const type = TYPES[reader.byte()];
  if (type === undefined) throw new MalformedBytes('no such message');
  const message = decodeAs(reader, type, { from, to, term: reader.number() });
  reader.end();
  return message;
}

function decodeAs(
  reader: ByteReader,
  type: Message['type'],
  address: Pick<Message, 'from' | 'to' | 'term'>,
): Message {
  switch (type) {
    case 'pre-vote':
    case 'vote': {
      const lastIndex = reader.number();
      const lastTerm = reader.number();
      return { ...address, type, lastIndex, lastTerm, transfer: decodeBit(reader) };
    }
    case 'pre-vote-reply':
    case 'vote-reply':
      return { ...address, type, granted: decodeBit(reader) };
    case 'append':
      return { ...address, ...decodeAppend(reader) };
    case 'append-reply':
      return { ...address, ...decodeAppendReply(reader) };
    case 'heartbeat':
      return { ...address, type, commit: reader.number(), ...decodeRound(reader) };
    case 'heartbeat-reply':
      return { ...address, type, ...decodeRound(reader) };
    case 'snapshot': {
      const meta = decodeSnapshotMeta(reader);
      return { ...address, type, meta, ...(decodeBit(reader) && { data: reader.bytes() }) };
    }
    case 'propose':
      return { ...address, type, commands: reader.list(() => reader.bytes()) };
    case 'read-request':
      return { ...address, type, id: reader.number() };
    case 'read-reply':
      return { ...address, type, id: reader.number(), index: reader.number() };
    case 'timeout-now':
      return { ...address, type };
    default:
      return unreachable(type);
  }
}

function encodeAppend(writer: ByteWriter, append: AppendRequest): void {
  writer.number(append.prevIndex).number(append.prevTerm).number(append.commit);
  writer.list(append.entries, (entry) => encodeEntry(writer, entry));
}

function decodeAppend(reader: ByteReader): AppendRequest {
  return {
    type: 'append',
    prevIndex: reader.number(),
    prevTerm: reader.number(),
    commit: reader.number(),
    entries: reader.list(() => decodeEntry(reader)),
  };
}

function encodeAppendReply(writer: ByteWriter, reply: AppendReply): void {
  writer.byte(bit(reply.ok));
  if (reply.ok) writer.number(reply.match);
  else writer.number(reply.prevIndex).number(reply.hintIndex).number(reply.hintTerm);
}

function decodeAppendReply(reader: ByteReader): AppendReply {
  const type = 'append-reply';
  if (decodeBit(reader)) return { type, ok: true, match: reader.number() };
  return {
    type,
    ok: false,
    prevIndex: reader.number(),
    hintIndex: reader.number(),
    hintTerm: reader.number(),
  };
}

function encodeRound(writer: ByteWriter, round: number | undefined): void {
  writer.byte(bit(round !== undefined));
  if (round !== undefined) writer.number(round);
}

function decodeRound(reader: ByteReader): { readonly round?: number } {
  return decodeBit(reader) ? { round: reader.number() } : {};
}

function bit(value: boolean): number {
  return value ? 1 : 0;
}

function decodeBit(reader: ByteReader): boolean {
  const value = reader.byte();
  if (value > 1) throw new MalformedBytes('neither yes nor no');
  return value === 1;
}
