/** The deliberately wrong twins of the in-process store: what each does, and what shows it. */
export const MEMORY_BUGS = {
  'stale-read': 'linearizable reads are answered from the node’s own, lagging copy',
  'lost-write': 'one write in fifty is acknowledged and dropped',
  'dirty-read': 'one write in twenty is seen by readers, then refused',
  'cas-two-winners': 'compare and set are two steps, so two clients can win one cas',
  'split-brain': 'each side of a partition goes on accepting writes; the larger side survives',
} as const;

export type MemoryBug = keyof typeof MEMORY_BUGS;

export function isMemoryBug(name: string): name is MemoryBug {
  return Object.hasOwn(MEMORY_BUGS, name);
}
