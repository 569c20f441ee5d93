/** What a config and a test file may say, from the interfaces that declare it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { helpOf } from './reference-cli.ts';
import { code, page, table } from './reference-markdown.ts';
import { aliasesIn, type Interface, interfacesIn } from './reference-types.ts';

const ROOT = join(import.meta.dirname, '..');

/** Where what the types of a config name is declared. */
const TYPE_FILES: readonly string[] = [
  'cli/config/config.ts',
  'harness/protocols/system.ts',
  'harness/history/op.ts',
];
/** Keys of a config whose flags are called otherwise. */
const FLAG_OF: Readonly<Record<string, string>> = {
  faults: '--fault',
  promises: '--promise',
  readModes: '--read-mode',
  systemOptions: '-O',
  thresholds: '--threshold',
  workloadOptions: '-W',
};

export async function configPage(): Promise<string> {
  const sourceOf = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');
  const [config, ...others] = await Promise.all(TYPE_FILES.map(sourceOf));
  const flags = await helpOf(['run']);
  const shown = interfacesIn(config ?? '').filter(({ members }) => members.length > 0);
  const tests = interfacesIn(await sourceOf('cli/suite/chaos-test.ts')).filter(({ name }) =>
    name.endsWith('Options'),
  );
  const all = [...shown, ...tests];
  const used = all.flatMap(({ members }) => members.map(({ type }) => type)).join(' ');
  const aliases = [config ?? '', ...others].flatMap((source) => [...aliasesIn(source)]);
  return page('The config and test files', [
    '`schism.config.ts` (or `.mts`, `.js`, `.mjs`, `.json`), found in the working folder or named by ' +
      '`--config`, and `*.chaos.ts` files with `test(...)`. Where the same thing is said more than ' +
      'once: a flag wins over the test, the test over its project, the project over the config.',
    ...all.flatMap((each) => interfaceParts(each, flags)),
    '## Types',
    table(
      ['type', 'is'],
      aliases
        .filter(([name]) => new RegExp(`\\b${name}\\b`).test(used))
        .map(([name, type]) => [code(name), code(type)]),
    ),
  ]);
}

function interfaceParts({ name, bases, doc, members }: Interface, flags: string): string[] {
  const all = bases.map((base) => `those of [${base}](#${base.toLowerCase()})`);
  const head = [doc, all.length === 0 ? '' : `Has ${all.join(', ')}, and:`];
  return [
    `## ${name}`,
    ...head.filter((line) => line !== ''),
    table(
      ['key', 'type', 'meaning'],
      members.map(({ name: key, type, isOptional, doc: meaning }) => [
        `${code(key)}${isOptional ? '' : ' (must be given)'}`,
        code(type),
        [meaning, ...(name === 'RunOptions' ? flagText(key, flags) : [])]
          .filter((text) => text !== '')
          .join(' '),
      ]),
    ),
  ];
}

/** The flag that says the same, with its line of help. */
function flagText(key: string, help: string): string[] {
  const flag = FLAG_OF[key] ?? `--${key.replaceAll(/[A-Z]/g, (big) => `-${big.toLowerCase()}`)}`;
  const known = new RegExp(`^ +(?:-\\w, )?${flag}\\b`, 'm').test(help);
  return known ? [`[${code(flag)}](cli.md#schism-run)`] : [];
}
