/** What must be put back on a cluster that somebody else owns, as data for a program of its own. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { UndoEntry } from '../../../harness/protocols/undo.ts';

export type Restoration =
  | {
      /** Makes the container run, not paused. */
      readonly kind: 'container';
      /** As `engineAddress` has it. */
      readonly engine: string;
      readonly id: string;
    }
  | {
      /** Takes every toxic from these proxies of these servers. */
      readonly kind: 'links';
      readonly sites: readonly { readonly url: string; readonly proxies: readonly string[] }[];
    };

/** A busy machine takes seconds to start a Node.js, and an engine to start a container. */
const RESTORE_MS_MAX = 15_000;

/** For the watchdog: the program that puts it back when nobody else is left to. */
export function restoring(what: Restoration): UndoEntry {
  const program = new URL(`./restore-main${extname(import.meta.url)}`, import.meta.url);
  return {
    kind: 'command',
    file: process.execPath,
    args: [fileURLToPath(program), JSON.stringify(what)],
    timeoutMs: RESTORE_MS_MAX,
  };
}
