import type { JsonValue } from '../core/json.ts';
import type { Op, OpDraft, Phase } from '../history/op.ts';
import type { Cluster } from '../protocols/system.ts';

/** Writes what was found broken since last time; `isLast`: and how much was looked at in all. */
export function recordInvariants(
  { invariants }: Pick<Cluster, 'invariants'>,
  record: (draft: OpDraft) => Op,
  phase: Phase,
  isLast = false,
): void {
  if (invariants === undefined) return;
  const note = (f: string, value: JsonValue): void => {
    record({ process: 'observer', type: 'info', f, value, phase });
  };
  for (const broken of invariants.take()) note('raft-invariant', { ...broken } as JsonValue);
  if (isLast) note('raft-invariants', { ...invariants.counts() });
}
