import type { JsonValue } from '../../harness/core/json.ts';
import type { RunManifest } from '../../harness/protocols/run.ts';
import { seedOf } from '../command.ts';
import { clean, clipped } from '../words.ts';

/** Name and value, both clean: `workloadOptions.rate`, `500`. */
export type Parameter = readonly [name: string, value: string];

/** Facts about single members are mostly ports that were free at the time. */
const OF_THAT_MOMENT = /^cluster\.members\./;

/** All that a run depended on, sorted by name; when it was and what it was called is left out. */
export function parametersOf(manifest: RunManifest): readonly Parameter[] {
  const { config, timing, cluster, version, node, platform } = manifest;
  const all = [
    ...flattened('schism', version),
    ...flattened('node.js', node),
    ...flattened('platform', platform),
    ...flattened('', { ...config, seed: seedOf(manifest) } as unknown as JsonValue),
    ...flattened('timing', (timing ?? null) as unknown as JsonValue),
    ...flattened('cluster', cluster ?? null),
  ];
  const lasting = all.filter(([name]) => !OF_THAT_MOMENT.test(name));
  return lasting.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Lists of plain values stay together; what is empty says nothing. */
function flattened(name: string, value: JsonValue | undefined): readonly Parameter[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object') return [[clean(name), clipped(clean(String(value)), 500)]];
  if (isPlainList(value))
    return value.length === 0
      ? []
      : [[clean(name), clipped(clean(value.map(String).join(', ')), 500)]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flattened(name === '' ? key : `${name}.${key}`, inner),
  );
}

function isPlainList(value: JsonValue): value is readonly (string | number | boolean | null)[] {
  return Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null);
}
