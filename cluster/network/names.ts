/** How links, nodes and addresses are written and looked up. */
import { invariant } from '../../harness/core/invariant.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Endpoint } from './probe.ts';

/** The name of a link's proxy, and of the direction that it carries upstream. */
export function linkName({ from, to }: { readonly from: NodeName; readonly to: NodeName }): string {
  return `${from}>${to}`;
}

/** Reads `127.0.0.1:80` and `[::1]:80`. */
export function endpointFrom(address: string): Endpoint {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(?<v6>.*)\]$/, '$<v6>');
  return { host, port: Number(address.slice(colon + 1)) };
}

export function endpointText({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `n1>n2, n1>n3, n1>n4 and 2 more` */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

export function inMap<K extends string, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  invariant(value !== undefined, `links: nothing is known of '${key}'`);
  return value;
}
