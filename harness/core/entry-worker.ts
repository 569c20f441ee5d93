/** Where a thread of `worker.ts` begins. */
import { enableCompileCache, flushCompileCache } from 'node:module';

enableCompileCache();
await import(process.argv[2] ?? '');
// A thread that is terminated would write nothing.
flushCompileCache();
