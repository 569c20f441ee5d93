/** The addresses in members' URLs: `http://host:port`, or with TLS `https://host:port`. */

export interface UrlAddress {
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
}

const URL_PATTERN =
  /^https?:\/\/(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9._-]+)):(?<port>\d{1,5})$/;
const PORT_MAX = 65_535;

/** Undefined: it is none, or neither http nor https, or it has a path. */
export function addressOfUrl(url: string): UrlAddress | undefined {
  const groups = URL_PATTERN.exec(url)?.groups;
  const host = groups?.['v6'] ?? groups?.['host'];
  const port = Number(groups?.['port']);
  return host === undefined || port > PORT_MAX ? undefined : { host, port };
}

/** Whether what it leads to speaks TLS. */
export function isSecure(url: string): boolean {
  return url.startsWith('https://');
}

/** `host:port`, as it is written in the URL. */
export function hostAndPort(url: string): string {
  return url.replace(/^https?:\/\//, '');
}

/** Whether only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
