/**
 * How etcd counted the answers to rounds of reads before its issue 20418: a round is known by the id
 * of the request it was sent for, and an id that is asked again is the same round again. Only the
 * planted bug `read-index-retry` comes here.
 */
import { agreedBy, type Core, type Leadership, type PendingRead } from './state.ts';
import type { MemberId } from './types.ts';

/** One round for each request that is not under way; those that are, are only sent once more. */
export function startRoundById(core: Core, leadership: Leadership): boolean {
  const asked = leadership.newReads;
  leadership.newReads = [];
  for (const read of asked) {
    core.round = read.id;
    if (leadership.readRounds.some(({ round }) => round === read.id)) continue;
    leadership.readRounds.push({ round: read.id, reads: [read], answered: new Set() });
  }
  return asked.length > 0;
}

/** A quorum's answers release the round they name and all that were queued before it. */
export function releasedById(core: Core, from: MemberId, id: number): readonly PendingRead[] {
  const { leadership } = core;
  const at = leadership?.readRounds.findIndex(({ round }) => round === id) ?? -1;
  const answered = leadership?.readRounds[at]?.answered;
  if (leadership === undefined || answered === undefined) return [];
  answered.add(from);
  const agreed = agreedBy(core, (voter) => (voter === core.id || answered.has(voter) ? 1 : 0));
  const done = agreed === 0 ? [] : leadership.readRounds.splice(0, at + 1);
  return done.flatMap(({ reads }) => reads);
}
