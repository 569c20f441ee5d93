import { invariant } from '../../harness/core/invariant.ts';
import type { Nemesis } from '../../harness/protocols/nemesis.ts';
import type { ProcessControl } from '../../harness/protocols/system.ts';
import type { TargetWord } from '../targets.ts';
import { type End, endingNemesis } from './kill.ts';
import type { ProcessFaultOptions } from './process-fault.ts';

/** A room loses its power with all that is in it: that is what replication alone does not survive. */
const USUAL_TARGETS: readonly TargetWord[] = ['all', 'majority', 'minority', 'leader', 'one'];

/**
 * A power failure: the nodes end at one moment, and of what they wrote and did not sync some is lost
 * and some is torn. At the end they are started on what is left.
 */
export function power(options: ProcessFaultOptions = {}): Nemesis {
  const kind = {
    lane: 'power',
    verb: 'power failure of',
    available: (processes: ProcessControl) =>
      'powerFailure' in processes || 'only a simulated machine loses its power: --backend sim',
  } as const;
  const end: End = async (node, processes) => {
    invariant('powerFailure' in processes, 'a power failure was decided without power');
    await processes.powerFailure?.(node);
  };
  return endingNemesis(kind, end, { targets: USUAL_TARGETS, ...options });
}
