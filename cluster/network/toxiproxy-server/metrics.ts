import type { Proxy } from './proxy.ts';
import type { StreamName } from './toxics/toxic.ts';

const COUNTERS = ['received', 'sent'] as const;
const STREAMS: readonly StreamName[] = ['upstream', 'downstream'];

/**
 * The byte counters in Prometheus' text format, named and labelled as the original's. Ours are
 * live; the original adds a connection's bytes when it ends.
 */
export function metricsText(proxies: readonly Proxy[]): string {
  const lines: string[] = [];
  for (const counter of COUNTERS) {
    const name = `toxiproxy_proxy_${counter}_bytes_total`;
    lines.push(`# HELP ${name} Bytes ${counter} by a proxy in one direction`);
    lines.push(`# TYPE ${name} counter`);
    for (const proxy of proxies)
      for (const stream of STREAMS)
        lines.push(`${name}{${labels(proxy, stream)}} ${proxy.counters[stream][counter]}`);
  }
  return `${lines.join('\n')}\n`;
}

function labels(proxy: Proxy, stream: StreamName): string {
  const pairs = {
    direction: stream,
    listener: proxy.listen,
    proxy: proxy.name,
    upstream: proxy.upstream,
  };
  return Object.entries(pairs)
    .map(([key, value]) => `${key}="${escaped(value)}"`)
    .join(',');
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
