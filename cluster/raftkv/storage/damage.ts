/** What a node says when its own files cannot be trusted, and how one failure stays. */
import { HarnessError } from '../../../harness/core/errors.ts';
import { InvariantError } from '../../../harness/core/invariant.ts';

const WHAT_TO_DO =
  'remove this member with `member remove`, empty its data folder and add it again; ' +
  'or restore the folder from a copy';

/** A file holds what was never written there: the node must not start. Code `store-failed`. */
export function damaged(file: string, offset: number, seen: string): HarnessError {
  return new HarnessError(
    'store-failed',
    `${file} is damaged at byte ${offset}: ${seen}; ${WHAT_TO_DO}`,
  );
}

/**
 * After a disk's error nobody knows what is on it (a failed fsync may have dropped what it should
 * have written), so everything after fails as well, and with the same error.
 */
export class Fuse {
  #error: unknown;
  #isBlown = false;

  /** Throws what blew it. */
  check(): void {
    if (this.#isBlown) throw this.#error;
  }

  run<T>(work: () => T): T {
    this.check();
    try {
      return work();
    } catch (error) {
      throw this.#blow(error);
    }
  }

  async guard<T>(work: () => Promise<T>): Promise<T> {
    this.check();
    try {
      return await work();
    } catch (error) {
      throw this.#blow(error);
    }
  }

  #blow(error: unknown): unknown {
    // A call that should not have been made did nothing to the disk.
    if (error instanceof InvariantError) return error;
    if (!this.#isBlown) {
      this.#isBlown = true;
      this.#error = error;
    }
    return this.#error;
  }
}
