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
import { reads } from '../workloads/reads.ts';
import { register } from '../workloads/register.ts';
import { together } from '../workloads/together.ts';

/** Everything a run can be made of: to add one is one file and one line here. */
export const SYSTEMS: readonly System[] = [raftkv, etcd, memory, primaryBackupSystem];
export const WORKLOADS: readonly Workload[] = [register, reads];
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

/** Throws `bad-option` with the nearest name for an unknown one. */
export function findNamed<T extends { readonly name: string }>(
  what: string,
  all: readonly T[],
  name: string,
): T {
  const found = all.find((item) => item.name === name);
  if (found !== undefined) return found;
  const names = all.map((item) => item.name);
  throw new HarnessError(
    'bad-option',
    `unknown ${what} '${name}'${suggest(name, names)}; there are: ${names.join(', ')}`,
  );
}

/**
 * One workload by its name, or several to run together: `register,reads` on the command line,
 * `register+reads` in what is stored. Throws `bad-option` with the nearest name for an unknown one.
 */
export function findWorkload(names: string): Workload {
  const parts = names.split(/[,+]/).map((name) => findNamed('workload', WORKLOADS, name.trim()));
  return together([...new Set(parts)]);
}

/** Throws `bad-option` with the nearest name for an unknown one. */
export function makeNemesis(name: string): Nemesis {
  const make = Object.hasOwn(NEMESES, name) ? NEMESES[name] : undefined;
  if (make !== undefined) return make();
  const names = Object.keys(NEMESES);
  throw new HarnessError(
    'bad-option',
    `unknown fault '${name}'${suggest(name, names)}; there are: ${names.join(', ')}`,
  );
}
