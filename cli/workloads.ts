/** Apart from the rest of the registry, since it is all that a judge needs: a worker starts sooner. */
import { HarnessError } from '../harness/core/errors.ts';
import { suggest } from '../harness/core/suggest.ts';
import type { Workload } from '../harness/protocols/workload.ts';
import { admin } from '../workloads/admin.ts';
import { reads } from '../workloads/reads.ts';
import { register } from '../workloads/register.ts';
import { together } from '../workloads/together.ts';

export const WORKLOADS: readonly Workload[] = [register, reads, admin];

/**
 * One workload by its name, or several to run together: `register,reads` on the command line,
 * `register+reads` in what is stored. Throws `bad-option` with the nearest name for an unknown one.
 */
export function findWorkload(
  names: string,
  { workloads }: { readonly workloads: readonly Workload[] } = { workloads: WORKLOADS },
): Workload {
  const parts = names.split(/[,+]/).map((name) => findNamed('workload', workloads, name.trim()));
  return together([...new Set(parts)]);
}

/** Throws `bad-option` with the nearest name for an unknown one. */
export function findNamed<T extends { readonly name: string }>(
  what: string,
  all: readonly T[],
  name: string,
): T {
  const found = all.find((item) => item.name === name);
  if (found !== undefined) return found;
  throw unknownName(
    what,
    name,
    all.map((item) => item.name),
  );
}

/** An error that names the nearest of what there is. */
export function unknownName(what: string, name: string, names: readonly string[]): HarnessError {
  return new HarnessError(
    'bad-option',
    `unknown ${what} '${name}'${suggest(name, names)}; there are: ${names.join(', ')}`,
  );
}
