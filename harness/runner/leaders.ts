import type { Leader } from '../protocols/nemesis.ts';
import type { RoleSample } from '../protocols/system.ts';

/**
 * Enters who leads by these samples, if in a higher term than anybody before; returns the new leader.
 * Where a store says no terms, another node than the last one counts as one term more.
 */
export function noteLeader(led: Leader[], roles: readonly RoleSample[]): Leader | undefined {
  const last = led.at(-1);
  let newest = last;
  for (const { node, role, term } of roles) {
    if (role !== 'leader') continue;
    const counted = node === last?.node ? last.term : (last?.term ?? 0) + 1;
    const leader = { node, term: term ?? counted };
    if (newest === undefined || leader.term > newest.term) newest = leader;
  }
  if (newest === undefined || newest === last) return undefined;
  led.push(newest);
  return newest;
}
