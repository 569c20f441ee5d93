/** Every bound over outside input and every queue, in one place, so that they can be judged together. */
export const LIMITS = {
  /** The etcd design allows 1 to 7 members; more is slower and not safer. */
  nodesMax: 7,
  clientsMax: 1_000,
  /** Of all links, one way: half around the earth is a tenth of it. */
  latencyMsMax: 1_000,
  /** Faults of one scripted schedule; more than a day of one a second. */
  scheduleEntriesMax: 100_000,
  /** Bytes of one history line; a longer one is not ours. */
  historyLineBytesMax: 4_194_304,
  /** Buffered history bytes that force a write. */
  recorderBufferBytes: 65_536,
  /** The same where time is virtual: much more is recorded in a moment, and none waits for it. */
  recorderBufferBytesVirtual: 1_048_576,
  /** The longest that a recorded event stays in memory only. */
  recorderFlushMs: 100,
  /** Lines of a program's stderr that an error message carries. */
  stderrTailLines: 20,
} as const;
