/** Whether an image was built from the sources as they are now. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pickFiles } from './images-pick.ts';
import { type ImageRecipe, RECIPES, ROOT } from './images-table.ts';
import { LABEL } from './labels.ts';

/** False also where nobody can tell: it was built by hand, or the sources are not here. */
export function isStale(tag: string, labels: Readonly<Record<string, string>>): boolean {
  const recipe = RECIPES.find((each) => each.tag === tag);
  const made = labels[LABEL.source];
  if (recipe === undefined || made === undefined || !existsSync(join(ROOT, recipe.dockerfile)))
    return false;
  return sourceHash(recipe) !== made;
}

/** Of everything that an image is made of, but for its base. */
export function sourceHash({ dockerfile, entries }: ImageRecipe): string {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, dockerfile)));
  const { files, packages } = pickFiles(ROOT, entries);
  for (const path of files) hash.update(`${path}\n`).update(readFileSync(join(ROOT, path)));
  // What is in a package does not change without its version.
  for (const folder of packages) hash.update(`${folder} ${versionOf(folder)}\n`);
  return hash.digest('hex').slice(0, 16);
}

function versionOf(folder: string): string {
  const text = readFileSync(join(ROOT, folder, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
