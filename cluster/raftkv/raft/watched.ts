import type { Raft } from './types.ts';

/**
 * The same core; `look` is called after every step that may have changed its role, its log, or what
 * of it is committed or applied. What only hands something out, or only forgets, is not one.
 */
export function watched(raft: Raft, look: () => void): Raft {
  return {
    ...raft,
    tick: () => {
      const isNews = raft.tick();
      if (isNews) look();
      return isNews;
    },
    step: (message) => {
      raft.step(message);
      look();
    },
    propose: (commands) => {
      const isTaken = raft.propose(commands);
      look();
      return isTaken;
    },
    proposeChange: (change, data) => {
      const answer = raft.proposeChange(change, data);
      look();
      return answer;
    },
    campaign: () => {
      raft.campaign();
      look();
    },
    takeCommitted: () => {
      const entries = raft.takeCommitted();
      if (entries.length > 0) look();
      return entries;
    },
    persisted: () => {
      raft.persisted();
      look();
    },
  };
}
