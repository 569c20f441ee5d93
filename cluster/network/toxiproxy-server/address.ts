import { isIP } from 'node:net';
import { ApiError } from './api-error.ts';

/** An IP address (or, for upstreams that were allowed by name, a host name) and a port. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads `127.0.0.1:80`, `localhost:80` or `[::1]:80`; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<name>[^:[\]\s/]+)):(?<port>\d{1,5})$/i.exec(text);
  const { v6, name, port } = match?.groups ?? {};
  const host = v6 ?? name;
  if (host === undefined || Number(port) > 65_535) return undefined;
  return { host: host === 'localhost' ? '127.0.0.1' : host, port: Number(port) };
}

function isLoopback({ host }: Address): boolean {
  return host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Where a proxy may listen: this server has no password, so never where others can reach it. */
export function listenAddress(text: string): Address {
  const address = parseAddress(text === '' ? '127.0.0.1:0' : text);
  if (address === undefined || !isLoopback(address))
    throw new ApiError(
      400,
      `listen address '${text}' refused: this server listens on loopback only, such as 127.0.0.1:0`,
    );
  return address;
}

/** Where a proxy may connect to: loopback, or what `--allow-upstream` names. */
export function upstreamAddress(text: string, allowed: ReadonlySet<string>): Address {
  const address = parseAddress(text);
  if (
    address !== undefined &&
    (isLoopback(address) || allowed.has(text) || allowed.has(address.host))
  )
    return address;
  throw new ApiError(
    400,
    `upstream '${text}' refused: it is not on loopback; ` +
      'start the server with --allow-upstream HOST to allow it',
  );
}
