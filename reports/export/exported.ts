/** A history in the form of another tool. */
export interface Exported {
  /** Pieces of the text, in order; taken once. */
  readonly text: Iterable<string>;
  /** What was left out or must be known; sentences without an end. */
  readonly notes: readonly string[];
}
