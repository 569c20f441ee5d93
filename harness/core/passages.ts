/**
 * From a follower to its leader, from there to the others, and all the way back; twice, since an
 * answer may have to wait for one that is under way.
 */
const PASSAGES = 8;

/**
 * What a linearizable request may take longer where every message between nodes takes `latencyMs`
 * longer, one way; in milliseconds.
 */
export function lagMs(latencyMs = 0): number {
  return PASSAGES * latencyMs;
}
