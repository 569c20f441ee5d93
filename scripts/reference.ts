/** `npm run docs`: writes the pages of `docs/reference/` that are made from the code. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { referencePages } from './reference-pages.ts';

const FOLDER = join(import.meta.dirname, '..', 'docs', 'reference');

for (const [name, text] of await referencePages()) await writeFile(join(FOLDER, name), text);
