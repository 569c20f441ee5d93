/** What entries of the log say to the state machine, and how they say it in bytes. */
import { unreachable } from '../../../harness/core/invariant.ts';
import { ByteReader, type Bytes, ByteWriter, MalformedBytes } from '../bytes.ts';
import type { DeleteRangeRequest, LeaseId, PutRequest, TxnRequest } from '../mvcc/types.ts';
import type { MemberId } from '../raft/types.ts';
import { ALARM_TYPES, type Alarm } from './alarms.ts';
import {
  readDeleteRange,
  readLease,
  readPut,
  readSigned,
  readTxn,
  writeDeleteRange,
  writeLease,
  writePut,
  writeSigned,
  writeTxn,
} from './command-requests.ts';

/** Who waits for the result: the `sequence`-th that `origin` proposed since it started. */
export interface Origin {
  readonly origin: MemberId;
  readonly sequence: number;
}

/** Of entries that nobody waits for, such as those a cluster starts with. */
export const NOBODY: Origin = { origin: '0', sequence: 0 };

/** The data of a `command` entry. */
export interface Command extends Origin {
  readonly request: CommandRequest;
}

export type CommandRequest =
  | { readonly type: 'put'; readonly request: PutRequest }
  | { readonly type: 'delete-range'; readonly request: DeleteRangeRequest }
  | { readonly type: 'txn'; readonly request: TxnRequest }
  | { readonly type: 'compact'; readonly revision: number }
  | { readonly type: 'lease-grant'; readonly id: LeaseId; readonly ttlSeconds: number }
  | { readonly type: 'lease-revoke'; readonly id: LeaseId }
  /** A member that started says how it is called and where its clients find it. */
  | {
      readonly type: 'publish';
      readonly member: MemberId;
      readonly name: string;
      readonly clientUrls: readonly string[];
    }
  | {
      readonly type: 'member-update';
      readonly member: MemberId;
      readonly peerUrls: readonly string[];
    }
  | { readonly type: 'alarm'; readonly isOn: boolean; readonly alarm: Alarm };

/** The data of a `config` entry: what changed, beside who counts (which raft itself knows). */
export type ConfigData = Origin &
  (
    | {
        readonly type: 'add';
        readonly member: MemberId;
        readonly peerUrls: readonly string[];
        readonly name: string;
        readonly isLearner: boolean;
      }
    | { readonly type: 'promote' | 'remove'; readonly member: MemberId }
  );

/** On disk and on the wire: numbers are for good, new ones go to the end. */
const COMMAND_TYPES = [
  'put',
  'delete-range',
  'txn',
  'compact',
  'lease-grant',
  'lease-revoke',
  'publish',
  'member-update',
  'alarm',
] as const satisfies readonly CommandRequest['type'][];

const CHANGE_TYPES = ['add', 'promote', 'remove'] as const satisfies readonly ConfigData['type'][];

/**
 * Transactions may nest up to `TXN_DEPTH_MAX` levels, numbers must be whole and within 2^53: to
 * refuse others is the task of whoever proposes.
 */
export function encodeCommand(command: Command): Bytes {
  const writer = new ByteWriter();
  const { request } = command;
  writer.byte(COMMAND_TYPES.indexOf(request.type));
  writeOrigin(writer, command);
  writeRequest(writer, request);
  return writer.done();
}

/** Byte strings in it are views of `data`. Throws `MalformedBytes`, and nothing else. */
export function decodeCommand(data: Bytes): Command {
  const reader = new ByteReader(data);
  const type = COMMAND_TYPES[reader.byte()];
  if (type === undefined) throw new MalformedBytes('no such command');
  const origin = readMember(reader);
  const sequence = reader.number();
  const request = readRequest(reader, type);
  reader.end();
  return { origin, sequence, request };
}

export function encodeConfigData(data: ConfigData): Bytes {
  const writer = new ByteWriter();
  writer.byte(CHANGE_TYPES.indexOf(data.type));
  writeOrigin(writer, data);
  writer.text(data.member);
  if (data.type === 'add') {
    writeTexts(writer, data.peerUrls);
    writer.text(data.name).byte(data.isLearner ? 1 : 0);
  }
  return writer.done();
}

/** Throws `MalformedBytes`, and nothing else. */
export function decodeConfigData(data: Bytes): ConfigData {
  const reader = new ByteReader(data);
  const type = CHANGE_TYPES[reader.byte()];
  if (type === undefined) throw new MalformedBytes('no such change of the configuration');
  const origin = readMember(reader);
  const sequence = reader.number();
  const member = readMember(reader);
  const change = { origin, sequence, member };
  const decoded: ConfigData =
    type === 'add'
      ? {
          ...change,
          type,
          peerUrls: readTexts(reader),
          name: reader.text(),
          isLearner: reader.byte() !== 0,
        }
      : { ...change, type };
  reader.end();
  return decoded;
}

function writeOrigin(writer: ByteWriter, { origin, sequence }: Origin): void {
  writer.text(origin).number(sequence);
}

function writeRequest(writer: ByteWriter, request: CommandRequest): void {
  switch (request.type) {
    case 'put':
      return writePut(writer, request.request);
    case 'delete-range':
      return writeDeleteRange(writer, request.request);
    case 'txn':
      return writeTxn(writer, request.request);
    case 'compact':
      return writeSigned(writer, request.revision);
    case 'lease-grant':
      writeLease(writer, request.id);
      return writeSigned(writer, request.ttlSeconds);
    case 'lease-revoke':
      return writeLease(writer, request.id);
    case 'publish':
      writer.text(request.member).text(request.name);
      return writeTexts(writer, request.clientUrls);
    case 'member-update':
      writer.text(request.member);
      return writeTexts(writer, request.peerUrls);
    case 'alarm': {
      const { isOn, alarm } = request;
      writer
        .byte(isOn ? 1 : 0)
        .byte(ALARM_TYPES.indexOf(alarm.type))
        .text(alarm.member);
      return undefined;
    }
    default:
      return unreachable(request);
  }
}

function readRequest(reader: ByteReader, type: CommandRequest['type']): CommandRequest {
  switch (type) {
    case 'put':
      return { type, request: readPut(reader) };
    case 'delete-range':
      return { type, request: readDeleteRange(reader) };
    case 'txn':
      return { type, request: readTxn(reader) };
    case 'compact':
      return { type, revision: readSigned(reader) };
    case 'lease-grant':
      return { type, id: readLease(reader), ttlSeconds: readSigned(reader) };
    case 'lease-revoke':
      return { type, id: readLease(reader) };
    case 'publish':
      return {
        type,
        member: readMember(reader),
        name: reader.text(),
        clientUrls: readTexts(reader),
      };
    case 'member-update':
      return { type, member: readMember(reader), peerUrls: readTexts(reader) };
    case 'alarm': {
      const isOn = reader.byte() !== 0;
      const alarm = ALARM_TYPES[reader.byte()];
      if (alarm === undefined) throw new MalformedBytes('no such alarm');
      return { type, isOn, alarm: { type: alarm, member: readMember(reader) } };
    }
    default:
      return unreachable(type);
  }
}

const MEMBER_ID = /^(?:0|[1-9a-f][0-9a-f]{0,15})$/;

function readMember(reader: ByteReader): MemberId {
  const id = reader.text();
  if (!MEMBER_ID.test(id)) throw new MalformedBytes('not the id of a member');
  return id;
}

function writeTexts(writer: ByteWriter, texts: readonly string[]): void {
  writer.list(texts, (text) => writer.text(text));
}

function readTexts(reader: ByteReader): string[] {
  return reader.list(() => reader.text());
}
