import { type Seed, seedText } from '../harness/core/prng.ts';
import type { RunManifest } from '../harness/protocols/run.ts';
import { clean } from './words.ts';

export function seedOf(manifest: RunManifest): string {
  return seedText(manifest.config.seed as Seed);
}

/**
 * Judges the same history once more; always the same verdict. Empty for one that came through
 * standard input, which is gone.
 */
export function checkCommand(manifest: RunManifest): string {
  const { argv, run, startedAt } = manifest;
  if (startedAt === '' && argv.includes('-')) return '';
  if (startedAt === '' && argv.length > 0) return ['npx schism', ...argv.map(quoted)].join(' ');
  const at = argv.findIndex((word) => word === '-o' || word === '--output');
  const root = at < 0 ? argv.find((word) => word.startsWith('--output=')) : argv[at + 1];
  const output = root === undefined ? '' : ` -o ${quoted(root.replace('--output=', ''))}`;
  return `npx schism check ${quoted(run)}${output}`;
}

/**
 * Asks for the same again: the same flags, with the seed that was drawn. Empty for a history that
 * came alone, without the run that made it.
 */
export function againCommand(manifest: RunManifest): string {
  const { argv, startedAt } = manifest;
  if (startedAt === '') return '';
  const start = argv.findIndex((word) => word === 'run' || word === 'test');
  const flags = withoutSeed(argv.slice(start + 1)).map(quoted);
  return ['npx schism run', ...flags, '--seed', seedOf(manifest)].join(' ');
}

function withoutSeed(words: readonly string[]): readonly string[] {
  return words.filter(
    (word, at) => word !== '--seed' && !word.startsWith('--seed=') && words[at - 1] !== '--seed',
  );
}

/** For a POSIX shell; a word with anything unusual in it stands between single quotes. */
function quoted(word: string): string {
  const safe = clean(word);
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(safe)
    ? safe
    : `'${safe.replaceAll("'", String.raw`'\''`)}'`;
}

/** `etcd/register`: what was tested, and with which workload. */
export function titleOf({ config }: RunManifest): string {
  return clean(`${config.system}/${config.workload}`);
}
