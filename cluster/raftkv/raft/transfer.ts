/** Handing leadership over (thesis §3.10). */
import { isVoter } from './configuration.ts';
import { type Core, configOf, send } from './state.ts';
import type { MemberId } from './types.ts';

/** Proposals stop, so that the target can catch up; then it is told to start an election. */
export function startTransfer(core: Core, to: MemberId): boolean {
  const { leadership } = core;
  if (leadership === undefined || !isVoter(configOf(core), to)) return false;
  if (to === core.id || to === leadership.transferee) return true;
  leadership.transferee = to;
  leadership.transferSince = leadership.now;
  continueTransfer(core, to);
  return true;
}

/** Something was heard from `member`: if it is the target and has everything, it is its turn. */
export function continueTransfer(core: Core, member: MemberId): void {
  const { leadership, log } = core;
  if (leadership === undefined || leadership.transferee !== member) return;
  if (leadership.progress.get(member)?.match !== log.last) return;
  // Said again each time it is heard from: it may be lost, and a second one is of a past term.
  leadership.hasHandedOver = true;
  send(core, member, { type: 'timeout-now' });
}

/** The target is no voter any more, or had an election timeout's time in vain. */
export function reviewTransfer(core: Core): void {
  const { leadership } = core;
  if (leadership?.transferee === undefined) return;
  const isLate = leadership.now - leadership.transferSince >= core.options.electionTicks;
  if (isLate || !isVoter(configOf(core), leadership.transferee)) leadership.transferee = undefined;
}
