/** What tests of the search share. */

import { raftkv } from '../../cluster/systems/raftkv.ts';
import type { Nanos } from '../../harness/core/units.ts';
import type { Op, OpDraft } from '../../harness/history/op.ts';
import { defaultFlags, type Flags } from '../flags.ts';
import { resolveConfig } from '../options.ts';
import { BUILT_IN, findWorkload } from '../registry.ts';
import { type Space, spaceOf } from './space.ts';

/** Of the simulated raftkv; `given` are flags that somebody gave. */
export async function simulatedSpace(given: Partial<Flags> = {}): Promise<Space> {
  const flags: Flags = { ...defaultFlags(), system: 'raftkv', backend: 'sim', ...given };
  const config = await resolveConfig(flags, raftkv, findWorkload(flags.workload), {});
  return spaceOf({
    system: raftkv,
    catalogue: BUILT_IN,
    flags,
    env: {},
    config,
    isSaid: (option) => Object.hasOwn(given, option),
  });
}

/** Entries in order, `ms` apart. */
export function opsOf(drafts: readonly Partial<OpDraft>[], ms = 1): Op[] {
  return drafts.map((draft, index) => ({
    process: 0,
    type: 'invoke',
    f: 'read',
    value: null,
    phase: 'main',
    ...draft,
    index,
    time: (index * ms * 1e6) as Nanos,
  }));
}
