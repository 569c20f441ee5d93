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

/** Whom the server may listen to, and whom it may lead to. It has no password. */
export interface AddressRules {
  /** Any address will do: for a server in a network namespace of its own, such as a container. */
  readonly allowRemote: boolean;
  /** Hosts, or host:port, that proxies may lead to although they are not on loopback. */
  readonly allowUpstream: ReadonlySet<string>;
}

/** Where to listen; `:80` means on every address. Throws where others could reach the server. */
export function listenAddress(text: string, { allowRemote }: AddressRules): Address {
  const everywhere = allowRemote && text.startsWith(':') ? `0.0.0.0${text}` : text;
  const address = parseAddress(text === '' ? '127.0.0.1:0' : everywhere);
  if (address !== undefined && (allowRemote || isLoopback(address))) return address;
  if (allowRemote) throw new ApiError(400, `listen address '${text}' is not host:port`);
  throw new ApiError(
    400,
    `listen address '${text}' refused: this server listens on loopback only, such as 127.0.0.1:0; ` +
      'in a container, start it with --allow-remote',
  );
}

/** Where a proxy may connect to: loopback, or what the rules allow. */
export function upstreamAddress(
  text: string,
  { allowRemote, allowUpstream }: AddressRules,
): Address {
  const address = parseAddress(text);
  if (address === undefined)
    throw new ApiError(400, `upstream '${text}' refused: write host:port, such as 127.0.0.1:80`);
  const isNamed = allowUpstream.has(text) || allowUpstream.has(address.host);
  if (allowRemote || isNamed || isLoopback(address)) return address;
  throw new ApiError(
    400,
    `upstream '${text}' refused: it is not on loopback; ` +
      'start the server with --allow-upstream HOST to allow it, in a container with --allow-remote',
  );
}
