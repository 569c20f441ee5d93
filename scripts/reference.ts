/** `npm run docs`: writes `docs/reference/` from the code, and the tables of the record from `regressions/`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordPages } from './record.ts';
import { referencePages } from './reference-pages.ts';

const DOCS = join(import.meta.dirname, '..', 'docs');
const FOLDER = join(DOCS, 'reference');

for (const [name, text] of await referencePages()) await writeFile(join(FOLDER, name), text);
for (const [name, text] of await recordPages()) await writeFile(join(DOCS, name), text);
