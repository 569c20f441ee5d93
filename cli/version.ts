import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder with the package's manifest, which lies above this file in both of its forms. */
export const PACKAGE_ROOT: string = rootAbove(import.meta.dirname);

/** As the manifest says it. */
export const VERSION: string = (
  JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: string }
).version;

function rootAbove(dir: string): string {
  try {
    readFileSync(join(dir, 'package.json'));
    return dir;
  } catch (error) {
    const parent = dirname(dir);
    if (parent === dir) throw error;
    return rootAbove(parent);
  }
}
