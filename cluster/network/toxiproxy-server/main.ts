/** The link server; see `process.ts`. Nothing else may be imported before Node's compile cache is on. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('./process.ts');
