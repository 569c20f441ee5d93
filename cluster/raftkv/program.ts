/** How a member is started as a process of its own. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN: string = fileURLToPath(new URL(`./main${extname(import.meta.url)}`, import.meta.url));

/**
 * The arguments of Node.js before a member's own flags. A member's young objects die young: a small
 * space for them costs little time, and keeps five members in the memory of three.
 */
export const MEMBER_PROGRAM: readonly string[] = ['--max-semi-space-size=4', MAIN];
