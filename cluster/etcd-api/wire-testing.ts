/** Looks at HTTP/2 from outside any library, to count what a client really sends. For tests. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { HarnessError } from '../../harness/core/errors.ts';
import { invariant } from '../../harness/core/invariant.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const HEADER_BYTES = 9;

/** RFC 9113, section 6. */
export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7 } as const;
const END_STREAM = 1;
const ACK = 1;
const REFUSED_STREAM = 7;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Cuts the bytes that a client sends into frames; bytes may arrive in any pieces. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  #sawPreface = false;

  push(bytes: Buffer): Frame[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    if (!this.#sawPreface) {
      if (this.#rest.length < PREFACE.length) return frames;
      invariant(this.#rest.subarray(0, PREFACE.length).equals(PREFACE), 'not an HTTP/2 client');
      this.#rest = this.#rest.subarray(PREFACE.length);
      this.#sawPreface = true;
    }
    while (this.#rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) break;
      frames.push({
        type: this.#rest.readUInt8(3),
        flags: this.#rest.readUInt8(4),
        stream: this.#rest.readUInt32BE(5) & 0x7fffffff,
        payload: this.#rest.subarray(HEADER_BYTES, end),
      });
      this.#rest = this.#rest.subarray(end);
    }
    return frames;
  }
}

/** What was seen so far, over all connections. */
export interface Seen {
  /** HEADERS frames from clients: one opens one stream, which is one request. */
  headers: number;
  /** How often each operation's id, `op-<n>.`, appeared in a request's body. */
  readonly ids: Map<string, number>;
}

export interface Watched extends AsyncDisposable {
  readonly address: string;
  readonly seen: Seen;
}

/** How a server misbehaves at each request, once it has all of it. */
export type Misbehaviour = 'refused-stream' | 'goaway-drop' | 'goaway-stay' | 'drop';

/** Speaks just enough HTTP/2 to never answer: each request meets the same misbehaviour. */
export function fakeServer(misbehaviour: Misbehaviour): Promise<Watched> {
  const seen: Seen = { headers: 0, ids: new Map() };
  return listen(seen, (socket) => {
    const reader = new FrameReader();
    socket.write(frame(FRAME.settings, 0, 0, Buffer.alloc(0)));
    socket.on('data', (bytes) => {
      for (const got of reader.push(bytes)) {
        count(seen, got);
        if (got.type === FRAME.settings && (got.flags & ACK) === 0)
          socket.write(frame(FRAME.settings, ACK, 0, Buffer.alloc(0)));
        if (got.type === FRAME.ping && (got.flags & ACK) === 0)
          socket.write(frame(FRAME.ping, ACK, 0, got.payload));
        if (got.type === FRAME.data && (got.flags & END_STREAM) !== 0)
          misbehave(socket, misbehaviour, got.stream);
      }
    });
  });
}

/** Passes everything through to `target` and counts what clients send. */
export function tap(target: string): Promise<Watched> {
  const seen: Seen = { headers: 0, ids: new Map() };
  const [host, port] = target.split(':');
  return listen(seen, (socket) => {
    const reader = new FrameReader();
    const upstream = connect({ host: host ?? '', port: Number(port) });
    upstream.on('error', () => socket.destroy());
    upstream.on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    socket.on('data', (bytes) => {
      for (const got of reader.push(bytes)) count(seen, got);
      upstream.write(bytes);
    });
    upstream.pipe(socket);
  });
}

function count(seen: Seen, { type, payload }: Frame): void {
  if (type === FRAME.headers) seen.headers++;
  if (type !== FRAME.data) return;
  for (const [id] of payload.toString('latin1').matchAll(/op-\d+\./g))
    seen.ids.set(id, (seen.ids.get(id) ?? 0) + 1);
}

function misbehave(socket: Socket, misbehaviour: Misbehaviour, stream: number): void {
  const refused = Buffer.alloc(4);
  refused.writeUInt32BE(REFUSED_STREAM);
  // Last stream 0, no error: no request was processed. Node's own goaway() cannot say so.
  const goaway = frame(FRAME.goaway, 0, 0, Buffer.alloc(8));
  switch (misbehaviour) {
    case 'refused-stream':
      socket.write(frame(FRAME.reset, 0, stream, refused));
      break;
    case 'goaway-drop':
      socket.end(goaway);
      break;
    case 'goaway-stay':
      socket.write(goaway);
      break;
    case 'drop':
      socket.resetAndDestroy();
  }
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

async function listen(seen: Seen, serve: (socket: Socket) => void): Promise<Watched> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new HarnessError('network-failed', 'the test server has no port');
  return {
    address: `127.0.0.1:${address.port}`,
    seen,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
