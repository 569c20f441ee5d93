/** Addresses of members: `host:port`, with the host of IPv6 in brackets. */
import type { Routes } from './config.ts';

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[^\s:[\]]+)):(?<port>\d{1,5})$/;
const PORT_MAX = 65_535;

/** Where to dial what a member advertises. Undefined: that is no address. */
export function routed(advertised: string, routes: Routes): TcpAddress | undefined {
  const groups = ADDRESS.exec(routes.get(advertised) ?? advertised)?.groups;
  const host = groups?.['v6'] ?? groups?.['host'];
  const port = Number(groups?.['port']);
  return host === undefined || port > PORT_MAX ? undefined : { host, port };
}

export function addressText({ host, port }: TcpAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
