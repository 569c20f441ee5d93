/**
 * The program `schism`; see `process.ts`. What Node makes of the code is kept in its compile cache (for
 * the next start, which takes half the time), so nothing else may be imported before it is on.
 */
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('./process.ts');
