/** Changes of the configuration, one at a time (thesis §4.1). */
import type { Bytes } from '../bytes.ts';
import { applyChange } from './configuration.ts';
import { grantConfirmed } from './reads.ts';
import { advanceCommit, appendAsLeader, followMembers } from './replication.ts';
import { type Core, configOf, hasCommittedInTerm } from './state.ts';
import { reviewTransfer } from './transfer.ts';
import type { ChangeRefusal, ConfigChange } from './types.ts';

/**
 * Appends the changed configuration; it counts from now on. Only when the last change and an entry
 * of this term are committed: otherwise two leaders may each rely on a majority that does not
 * overlap the other's (thesis §4.1, and its author's correction of July 2015).
 */
export function proposeChange(
  core: Core,
  change: ConfigChange,
  data: Bytes,
): 'accepted' | ChangeRefusal {
  const { leadership, log } = core;
  if (leadership === undefined) return 'not-leader';
  if (leadership.transferee !== undefined) return 'transferring';
  // Breaks: changes that overlap may leave two majorities that do not (thesis §4.1).
  if (log.config.index > core.commit && !core.bugs.has('two-changes')) return 'change-pending';
  // Breaks: an earlier leader's change may yet come back (the author's correction of July 2015).
  if (!hasCommittedInTerm(core) && !core.bugs.has('early-change')) return 'no-commit-in-term';
  const config = applyChange(configOf(core), change);
  if (typeof config === 'string') return config;
  appendAsLeader(core, [{ kind: 'config', config, data }]);
  followMembers(core);
  // A smaller quorum may already have what the larger one still lacked.
  advanceCommit(core);
  grantConfirmed(core);
  reviewTransfer(core);
  return 'accepted';
}
