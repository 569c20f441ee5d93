import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version in the package's manifest, which lies above this file in both of its forms. */
export const VERSION: string = versionAbove(import.meta.dirname);

function versionAbove(dir: string): string {
  try {
    const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as {
      version: string;
    };
    return manifest.version;
  } catch (error) {
    const parent = dirname(dir);
    if (parent === dir) throw error;
    return versionAbove(parent);
  }
}
