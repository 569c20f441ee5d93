/** Addresses of members: `host:port`, with the host of IPv6 in brackets. */
import type { TlsKeys } from '../tls-files.ts';
import type { Routes } from './config.ts';

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** How one member is dialled. */
export interface Dial {
  /** With a proxy in between this is not where the member says that it is. */
  readonly address: TcpAddress;
  /** Absent: plain. */
  readonly tls?: DialTls;
}

export interface DialTls {
  readonly keys: TlsKeys;
  /** The host that the member advertises: its certificate must be for that one. */
  readonly host: string;
}

const ADDRESS = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^\s:[\]]+)):(?<port>\d{1,5})$/;
const PORT_MAX = 65_535;

/** How to dial what a member advertises. Undefined: that is no address. */
export function dialOf(advertised: string, routes: Routes, tls?: TlsKeys): Dial | undefined {
  const address = parse(routes.get(advertised) ?? advertised);
  const own = parse(advertised);
  if (address === undefined || own === undefined) return undefined;
  return { address, ...(tls !== undefined && { tls: { keys: tls, host: own.host } }) };
}

export function addressText({ host, port }: TcpAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function parse(text: string): TcpAddress | undefined {
  const groups = ADDRESS.exec(text)?.groups;
  const host = groups?.['v6'] ?? groups?.['host'];
  const port = Number(groups?.['port']);
  return host === undefined || port > PORT_MAX ? undefined : { host, port };
}
