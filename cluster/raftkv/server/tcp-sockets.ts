/** Connections between members, dialled and accepted: plain, or with TLS that both sides prove. */
import {
  isIP,
  connect as plainly,
  createServer as plainServer,
  type Server,
  type Socket,
} from 'node:net';
import { checkServerIdentity, createServer, connect as securely, type TLSSocket } from 'node:tls';
import { messageOf, systemCodeOf } from '../../../harness/core/errors.ts';
import { TLS_VERSION_MIN, type TlsKeys } from '../tls-files.ts';
import type { Dial } from './tcp-address.ts';

/** With TLS two more journeys belong to a dial, and some arithmetic on a machine that may be busy. */
const DIAL_MS = 1000;
const SECURE_DIAL_MS = 5000;

export interface Dialled {
  readonly socket: Socket;
  /** After which it may be written to; the other side's certificate was accepted. */
  readonly opened: 'connect' | 'secureConnect';
  /** How long that may take. */
  readonly withinMs: number;
}

/** What goes wrong comes as the socket's `error`. */
export function dial({ address, tls }: Dial): Dialled {
  if (tls === undefined) {
    const socket = plainly({ ...address, noDelay: true });
    return { socket, opened: 'connect', withinMs: DIAL_MS };
  }
  const { keys, host } = tls;
  const socket = securely({
    ...address,
    ...keys,
    minVersion: TLS_VERSION_MIN,
    // Addresses are never sent as names (RFC 6066).
    servername: isIP(host) === 0 ? host : '',
    checkServerIdentity: (_dialled, certificate) => checkServerIdentity(host, certificate),
  });
  socket.setNoDelay(true);
  return { socket, opened: 'secureConnect', withinMs: SECURE_DIAL_MS };
}

/** What a listener makes of those who dial. */
export interface Reception {
  /** Somebody is there. `line` names the connection, and ends it. */
  readonly dialled: (line: Socket) => void;
  /** Somebody may be listened to, on `socket`; with plain connections it is `line` itself. */
  readonly opened: (line: Socket, socket: Socket) => void;
  /** Somebody's TLS was not accepted, or was none. */
  readonly refused: (from: string, why: string) => void;
}

/** Does not listen yet. With TLS it must know an authority, and accepts its certificates only. */
export function listener(tls: TlsKeys | undefined, reception: Reception): Server {
  if (tls === undefined)
    return plainServer({ noDelay: true }, (socket) => {
      reception.dialled(socket);
      reception.opened(socket, socket);
    });
  const server = createServer({
    ...tls,
    minVersion: TLS_VERSION_MIN,
    requestCert: true,
    rejectUnauthorized: true,
    noDelay: true,
  });
  // Those whose handshake is not over, by where they are.
  const lines = new Map<string, Socket>();
  server.on('connection', (line: Socket) => {
    const from = peerOf(line);
    lines.set(from, line);
    line.once('close', () => {
      if (lines.get(from) === line) lines.delete(from);
    });
    reception.dialled(line);
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    const from = peerOf(socket);
    const line = lines.get(from);
    lines.delete(from);
    if (line === undefined) socket.destroy();
    else reception.opened(line, socket);
  });
  server.on('tlsClientError', (error, socket) => {
    const why = refusalOf(error, socket);
    if (why !== undefined) reception.refused(socket.remoteAddress ?? 'somebody', why);
  });
  return server;
}

/** Why a dial failed, for people. OpenSSL's own texts have addresses and lines of its sources. */
export function whyDialFailed(error: unknown): string {
  const reason = reasonOf(error);
  return reason === undefined ? messageOf(error) : `TLS failed: ${reason}`;
}

/** Undefined: it only went away. */
function refusalOf(error: Error, socket: TLSSocket): string | undefined {
  // Null, or a code, whatever its type says.
  const seen: unknown = socket.authorizationError;
  if (typeof seen === 'string') return `its certificate is not accepted: ${seen}`;
  if (systemCodeOf(error) === 'ECONNRESET') return undefined;
  return `TLS failed: ${reasonOf(error) ?? messageOf(error)}`;
}

/** OpenSSL's, without where it came from. Other errors have a `reason` that says less than they. */
function reasonOf(error: unknown): string | undefined {
  if (systemCodeOf(error)?.startsWith('ERR_SSL_') !== true) return undefined;
  const { reason } = error as { readonly reason?: unknown };
  return typeof reason === 'string' ? reason : undefined;
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
