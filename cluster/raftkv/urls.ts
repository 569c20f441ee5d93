/** The addresses in members' URLs, `http://host:port`. */

export interface UrlAddress {
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
}

const URL_PATTERN =
  /^http:\/\/(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9._-]+)):(?<port>\d{1,5})$/;
const PORT_MAX = 65_535;

/** Undefined: it is none, or not plain http, or it has a path. */
export function addressOfUrl(url: string): UrlAddress | undefined {
  const groups = URL_PATTERN.exec(url)?.groups;
  const host = groups?.['v6'] ?? groups?.['host'];
  const port = Number(groups?.['port']);
  return host === undefined || port > PORT_MAX ? undefined : { host, port };
}

/** Whether only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
