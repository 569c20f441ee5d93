/**
 * Copies what one image needs of this project: `images-pick-main.ts raftkv /schism`. Runs in the
 * first stage of the Dockerfiles, so that the last one holds nothing else.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageFiles, pickFiles } from './images-pick.ts';
import { RECIPES, ROOT } from './images-table.ts';

const [name, target] = process.argv.slice(2);
const entries = RECIPES.find((recipe) => recipe.name === name)?.entries;
if (entries === undefined || target === undefined) {
  process.stderr.write('images-pick-main: say which image, and where to\n');
  process.exitCode = 2;
} else {
  const { files, packages } = pickFiles(ROOT, entries);
  const all = [...files, ...packages.flatMap((folder) => packageFiles(ROOT, folder))];
  for (const path of all) {
    mkdirSync(join(target, dirname(path)), { recursive: true });
    copyFileSync(join(ROOT, path), join(target, path));
  }
  process.stdout.write(`${all.length} files, ${packages.length} packages\n`);
}
