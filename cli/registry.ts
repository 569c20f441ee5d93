import { primaryBackupSystem } from '../cluster/backends/sim/example-system.ts';
import { clockSkew } from '../cluster/nemeses/clock-skew.ts';
import { compact } from '../cluster/nemeses/compact.ts';
import { cpuSqueeze } from '../cluster/nemeses/cpu-squeeze.ts';
import { dropPackets } from '../cluster/nemeses/drop-packets.ts';
import { failingSync } from '../cluster/nemeses/failing-sync.ts';
import { fullDisk } from '../cluster/nemeses/full-disk.ts';
import { kill } from '../cluster/nemeses/kill.ts';
import {
  bandwidth,
  blackhole,
  hold,
  latency,
  link,
  reset,
  slowClose,
} from '../cluster/nemeses/link.ts';
import { membership } from '../cluster/nemeses/membership.ts';
import { memorySqueeze } from '../cluster/nemeses/memory-squeeze.ts';
import { partition } from '../cluster/nemeses/partition.ts';
import { pause } from '../cluster/nemeses/pause.ts';
import { power } from '../cluster/nemeses/power.ts';
import { slowDisk } from '../cluster/nemeses/slow-disk.ts';
import { unplug } from '../cluster/nemeses/unplug.ts';
import { etcd } from '../cluster/systems/etcd.ts';
import { memory } from '../cluster/systems/memory.ts';
import { raftkv } from '../cluster/systems/raftkv.ts';
import { HarnessError } from '../harness/core/errors.ts';
import { suggest } from '../harness/core/suggest.ts';
import type { Nemesis } from '../harness/protocols/nemesis.ts';
import type { System } from '../harness/protocols/system.ts';
import type { Workload } from '../harness/protocols/workload.ts';
import { findNamed, unknownName, WORKLOADS } from './workloads.ts';

export { findNamed, findWorkload, WORKLOADS } from './workloads.ts';

/** Everything a run can be made of: to add one is one file and one line here. */
export const SYSTEMS: readonly System[] = [raftkv, etcd, memory, primaryBackupSystem];
/** A nemesis holds state, so each run makes its own. */
export const NEMESES: Readonly<Record<string, () => Nemesis>> = {
  partition,
  kill,
  pause,
  power,
  membership,
  compact,
  link,
  latency,
  bandwidth,
  hold,
  blackhole,
  reset,
  'slow-close': slowClose,
  'slow-disk': slowDisk,
  'failing-sync': failingSync,
  'full-disk': fullDisk,
  'clock-skew': clockSkew,
  'cpu-squeeze': cpuSqueeze,
  'memory-squeeze': memorySqueeze,
  unplug,
  'drop-packets': dropPackets,
};

/** What runs can be made of: what comes with us, and what a config adds. */
export interface Catalogue {
  readonly systems: readonly System[];
  readonly workloads: readonly Workload[];
  readonly nemeses: Readonly<Record<string, () => Nemesis>>;
}

export const BUILT_IN: Catalogue = { systems: SYSTEMS, workloads: WORKLOADS, nemeses: NEMESES };

/** Throws `bad-option` for a name that is taken: stored runs are found again by their names. */
export function catalogueOf({
  systems = [],
  workloads = [],
  nemeses = {},
}: Partial<Catalogue>): Catalogue {
  const all = [...SYSTEMS, ...systems];
  requireDistinct('system', all.map(nameOf));
  requireDistinct('workload', [...WORKLOADS, ...workloads].map(nameOf));
  requireDistinct('fault', [...Object.keys(NEMESES), ...Object.keys(nemeses)]);
  return {
    systems: all,
    workloads: [...WORKLOADS, ...workloads],
    nemeses: { ...NEMESES, ...nemeses },
  };
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

function requireDistinct(what: string, names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  throw new HarnessError(
    'bad-option',
    `there is a ${what} '${twice}' already; call yours otherwise`,
  );
}

/** Throws `bad-option` with the nearest name for an unknown one. */
export function makeNemesis(name: string, { nemeses }: Catalogue = BUILT_IN): Nemesis {
  const make = Object.hasOwn(nemeses, name) ? nemeses[name] : undefined;
  if (make !== undefined) return make();
  throw unknownName('fault', name, Object.keys(nemeses));
}

/**
 * A system by its name. `auto`: the first there is; with `bug` the first that can be wrong in all
 * those ways. Throws `bad-option` with the nearest name for an unknown one.
 */
export function chooseSystem(
  { system, bug }: { readonly system: string; readonly bug?: string },
  { systems }: Catalogue = BUILT_IN,
): System {
  if (system !== 'auto') return findNamed('system', systems, system);
  const asked = bug === undefined ? [] : bug.split(',').map((name) => name.trim());
  const found = systems.find(({ bugs = [] }) => asked.every((name) => bugs.includes(name)));
  if (found !== undefined) return found;
  const wrong = systems.flatMap(({ name, bugs = [] }) =>
    bugs.length === 0 ? [] : [`${name} has: ${bugs.join(', ')}`],
  );
  const known = systems.flatMap(({ bugs = [] }) => bugs);
  throw new HarnessError(
    'bad-option',
    `--bug: no system has '${bug}'${suggest(asked[0] ?? '', known)}; ${wrong.join('; ')}`,
  );
}
