import { type Seed, seedText } from '../harness/core/prng.ts';
import type { RunManifest, RunResult } from '../harness/protocols/run.ts';
import type { SuiteManifest } from '../harness/protocols/suite.ts';
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
  return `npx schism check ${quoted(run)}${ofStore(argv)}`;
}

/** Looks for the smallest history that still shows the violation; empty where there is none to see. */
export function shrinkCommand({
  manifest,
  checks,
}: Pick<RunResult, 'manifest' | 'checks'>): string {
  const shown = checks.some(({ anomalies }) => anomalies.some(({ ops }) => ops.length > 0));
  if (manifest.startedAt === '' || !shown) return '';
  return `npx schism shrink ${quoted(manifest.run)}${ofStore(manifest.argv)}`;
}

/** The flags by which a stored run is found again, and what it was made of. */
function ofStore(argv: readonly string[]): string {
  const flags = [
    ['-o', '--output'],
    ['-c', '--config'],
  ] as const;
  return flags
    .map(([short, long]) => {
      const at = argv.findIndex((word) => word === short || word === long);
      const value = at < 0 ? argv.find((word) => word.startsWith(`${long}=`)) : argv[at + 1];
      return value === undefined ? '' : ` ${short} ${quoted(value.replace(`${long}=`, ''))}`;
    })
    .join('');
}

/**
 * Once more what did not pass, by the same words; of shards that were joined without those that say
 * which shard it was and where it was kept. Empty for a night with `--budget`: its runs are replayed one
 * by one.
 */
export function lastFailedCommand({
  argv,
  mergedFrom,
}: Pick<SuiteManifest, 'argv' | 'mergedFrom'>): string {
  const words = argv[0] === 'run' || argv[0] === 'test' ? argv : ['run'];
  if (words.some((word) => /^--budget(=|$)/.test(word))) return '';
  const gone = [
    '--last-failed',
    ...(mergedFrom === undefined ? [] : ['--shard', '--output', '-o']),
  ];
  const kept = words.filter((word, at) => {
    // The value of a flag stands behind it or in it.
    const isValue = gone.includes(words[at - 1] ?? '') && !word.startsWith('-');
    return !isValue && !gone.some((flag) => word === flag || word.startsWith(`${flag}=`));
  });
  return ['npx schism', ...kept.map(quoted), '--last-failed'].join(' ');
}

/**
 * Asks for the same again: the same flags, with the seed that was drawn; for one test of a suite
 * its run by name. Empty for a history that came alone, without the run that made it.
 */
export function againCommand(manifest: RunManifest): string {
  const { argv, config, run, startedAt } = manifest;
  if (startedAt === '') return '';
  if (config.test !== undefined) return `npx schism replay ${quoted(run)}${ofStore(argv)}`;
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

/** The test's own title, or `etcd/register`: what was tested, and with which workload. */
export function titleOf({ config }: RunManifest): string {
  const { system, test, workload } = config;
  if (test === undefined) return clean(`${system}/${workload}`);
  return clean(test.project === undefined ? test.title : `${test.title} [${test.project}]`);
}
