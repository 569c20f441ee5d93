/** Threads that start fast. */
import { extname } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * A thread that runs `file`. Node compiles for each thread anew, which takes some tenths of a second, unless
 * the thread itself asks for the compile cache before it imports anything.
 */
export function startWorker(file: URL, options: Omit<WorkerOptions, 'argv'> = {}): Worker {
  const entry = new URL(`./entry-worker${extname(import.meta.url)}`, import.meta.url);
  return new Worker(entry, { ...options, argv: [file.href] });
}
