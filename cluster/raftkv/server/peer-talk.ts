/** What members say to each other on a connection, beside raft's messages. */
import { unreachable } from '../../../harness/core/invariant.ts';
import { ByteReader, type Bytes, ByteWriter, MalformedBytes } from '../bytes.ts';
import type { MemberId, Message } from '../raft/types.ts';
import type { FoundCluster } from './config.ts';
import { encodeMessage } from './peer-codec.ts';
import { type Body, FIRST_KIND, frameOf, type ReceivedBody } from './peer-frames.ts';

/** Said first on every connection, so that others who dial this port by mistake are noticed. */
const MAGIC = 'raftkv peer 1';

/** Who dialled whom, and of which cluster both should be. */
export interface Hello {
  readonly cluster: string;
  readonly from: MemberId;
  readonly to: MemberId;
}

export type Talk =
  /** The first word of a member that has messages; nothing is answered on this connection. */
  | ({ readonly type: 'hello' } & Hello)
  /** The first word of somebody who wants to know if anybody is there: answered by `alive`. */
  | { readonly type: 'probe' }
  /** The first word of a member that joins: answered by `found`. */
  | { readonly type: 'find' }
  | { readonly type: 'found'; readonly found: FoundCluster }
  /** Nothing to say. */
  | { readonly type: 'alive' }
  /** As `peer-codec.ts` encodes it. */
  | { readonly type: 'message'; readonly data: Bytes }
  | {
      readonly type: 'call';
      readonly id: number;
      readonly method: string;
      readonly body: Bytes;
    }
  /** To a call that came on the connection of the other direction. */
  | { readonly type: 'reply'; readonly id: number; readonly body: Bytes };

/** The numbers, counted from `FIRST_KIND`, are for good; new ones go to the end. */
const KINDS = [
  'hello',
  'probe',
  'find',
  'found',
  'alive',
  'message',
  'call',
  'reply',
] as const satisfies readonly Talk['type'][];

const MESSAGE = FIRST_KIND + KINDS.indexOf('message');

export function bodyOf(talk: Talk): Body {
  return { kind: FIRST_KIND + KINDS.indexOf(talk.type), pieces: piecesOf(talk) };
}

function piecesOf(talk: Talk): readonly Bytes[] {
  const writer = new ByteWriter();
  switch (talk.type) {
    case 'hello':
      return [writer.text(MAGIC).text(talk.cluster).text(talk.from).text(talk.to).done()];
    case 'probe':
    case 'find':
      return [writer.text(MAGIC).done()];
    case 'found':
      return [encodeFound(writer, talk.found)];
    case 'alive':
      return [];
    case 'message':
      return [talk.data];
    case 'call':
      return [writer.number(talk.id).text(talk.method).number(talk.body.length).done(), talk.body];
    case 'reply':
      return [writer.number(talk.id).number(talk.body.length).done(), talk.body];
    default:
      return unreachable(talk);
  }
}

/** Without its data put together. */
export function messageBody(message: Message): Body {
  return { kind: MESSAGE, pieces: encodeMessage(message) };
}

/** Byte strings in it are views. Throws `MalformedBytes`, and nothing else. */
export function talkOf({ kind, content }: ReceivedBody): Talk {
  const type = KINDS[kind - FIRST_KIND];
  if (type === undefined) throw new MalformedBytes('no such kind of frame');
  if (type === 'message') return { type, data: content };
  const reader = new ByteReader(content);
  switch (type) {
    case 'hello':
      checkMagic(reader);
      return ended(reader, {
        type,
        cluster: reader.text(),
        from: reader.text(),
        to: reader.text(),
      });
    case 'probe':
    case 'find':
      checkMagic(reader);
      return ended(reader, { type });
    case 'found':
      return ended(reader, { type, found: decodeFound(reader) });
    case 'alive':
      return ended(reader, { type });
    case 'call':
      return ended(reader, {
        type,
        id: reader.number(),
        method: reader.text(),
        body: reader.bytes(),
      });
    case 'reply':
      return ended(reader, { type, id: reader.number(), body: reader.bytes() });
    default:
      return unreachable(type);
  }
}

function checkMagic(reader: ByteReader): void {
  if (reader.text() !== MAGIC) throw new MalformedBytes('not the protocol of members');
}

function ended<T extends Talk>(reader: ByteReader, talk: T): T {
  reader.end();
  return talk;
}

function encodeFound(writer: ByteWriter, { cluster, members }: FoundCluster): Bytes {
  writer.text(cluster);
  writer.list(members, ({ id, peerUrls }) => {
    writer.text(id).list(peerUrls, (url) => writer.text(url));
  });
  return writer.done();
}

function decodeFound(reader: ByteReader): FoundCluster {
  return {
    cluster: reader.text(),
    members: reader.list(() => ({
      id: reader.text(),
      peerUrls: reader.list(() => reader.text()),
    })),
  };
}

/**
 * Any member that is well answers this with at least one byte, at once, and closes: to measure a
 * link with. It disturbs nobody and leaves no trace.
 */
export const PEER_PROBE: Uint8Array = frameOf(bodyOf({ type: 'probe' }));
