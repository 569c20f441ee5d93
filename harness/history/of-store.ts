/** What is asked of single nodes, or of the store as a whole, and leaves every key as it is. */
export const OF_STORE: ReadonlySet<string> = new Set([
  'hash',
  'compact',
  'defragment',
  'move-leader',
  'backup',
]);
