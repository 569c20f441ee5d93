/** What must never come into a stored run: flags, options and environment are cleared of it here. */
import type { JsonValue } from '../core/json.ts';
import type { RunManifest } from '../protocols/run.ts';

/** Stands where a secret stood. */
export const NOT_STORED = '(not stored)';

const SECRET =
  'token|secret|passw(?:or)?d|passphrase|pwd|credential|authorization|cookie|bearer|' +
  '(?:api|access|private|auth)[-_]?key';
const NAMES = new RegExp(SECRET, 'i');
/** `db-password=...`, `"apiKey": ...`: all that follows may belong to it. */
const ASSIGNMENT = new RegExp(`^([^=]*?(?:${SECRET})[^=:\\s]*\\s*[=:]\\s*)(?=\\S)`, 'is');
/** What shows by its shape alone that it opens a door. */
const SHAPES: readonly RegExp[] = [
  /\bgh[pousr]_\w{16,}/,
  /\bgithub_pat_\w{16,}/,
  /\bglpat-[\w-]{16,}/,
  /\bxox[abprs]-[\w-]{10,}/,
  /\bsk-[\w-]{16,}/,
  /\b(AKIA|ASIA)[0-9A-Z]{16}\b/,
  /\beyJ[\w-]{8,}\.[\w-]{8,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
];
/** `https://user:word@host`: the part before the @. */
const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]+@/gi;

/**
 * A word of a command line, or a value: what it says after the name of a secret is gone, and all of
 * it where it holds a secret without a name. Rather too much than too little.
 */
export function withoutSecret(word: string): string {
  const text = word.replaceAll(USER_INFO, `$1${NOT_STORED}@`);
  const name = ASSIGNMENT.exec(text)?.[1];
  if (name !== undefined) return `${name}${NOT_STORED}`;
  return NAMES.test(text) || SHAPES.some((shape) => shape.test(text)) ? NOT_STORED : text;
}

/** A command line: also the word after `--password` is gone; the flag itself stays. */
export function wordsWithoutSecrets(words: readonly string[]): readonly string[] {
  return words.map((word, at) => {
    if (namesSecret(words[at - 1] ?? '')) return NOT_STORED;
    return namesSecret(word) ? word : withoutSecret(word);
  });
}

/** A bare flag such as `--auth-token`, whose value is the next word. */
function namesSecret(word: string): boolean {
  return /^--?[A-Za-z][\w-]*$/.test(word) && NAMES.test(word);
}

/** The same for data: what stands under a secret's name is gone, and so are values that are one. */
export function valueWithoutSecrets(value: JsonValue): JsonValue {
  if (typeof value === 'string') return withoutSecret(value);
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) {
    const words = value.filter((item) => typeof item === 'string');
    return words.length === value.length
      ? wordsWithoutSecrets(words)
      : value.map(valueWithoutSecrets);
  }
  return recordWithoutSecrets(value);
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function recordWithoutSecrets<T extends JsonValue>(
  record: Readonly<Record<string, T>>,
): Readonly<Record<string, T>> {
  const entries = Object.entries(record).map(([name, value]) => {
    const isKept = value === null || typeof value === 'boolean' || !NAMES.test(name);
    return [name, isKept ? valueWithoutSecrets(value) : NOT_STORED];
  });
  return Object.fromEntries(entries) as Readonly<Record<string, T>>;
}

/** A manifest as it may be stored: the run itself goes on with what it was told. */
export function manifestWithoutSecrets(manifest: RunManifest): RunManifest {
  const { argv, env, config, cluster } = manifest;
  const { systemOptions, workloadOptions, schedule } = config;
  return {
    ...manifest,
    argv: wordsWithoutSecrets(argv),
    ...(env !== undefined && { env: recordWithoutSecrets(env) }),
    ...(cluster !== undefined && { cluster: recordWithoutSecrets(cluster) }),
    config: {
      ...config,
      systemOptions: recordWithoutSecrets(systemOptions),
      workloadOptions: { ...workloadOptions, own: recordWithoutSecrets(workloadOptions.own) },
      ...(schedule !== undefined && {
        schedule: schedule.map((fault) => ({
          ...fault,
          options: recordWithoutSecrets(fault.options),
        })),
      }),
    },
  };
}

/** What of the environment says where and how a run was made; everything else stays out. */
const ENV_NAMES: readonly string[] = [
  'CI',
  'FORCE_COLOR',
  'GITHUB_ACTIONS',
  'GITHUB_JOB',
  'GITHUB_REF',
  'GITHUB_REPOSITORY',
  'GITHUB_RUN_ATTEMPT',
  'GITHUB_RUN_ID',
  'GITHUB_SHA',
  'GITHUB_WORKFLOW',
  'LANG',
  'LC_ALL',
  'NODE_OPTIONS',
  'NO_COLOR',
  'RUNNER_OS',
  'TERM',
  'TZ',
  'UV_THREADPOOL_SIZE',
];

const ENV_VALUE_MAX = 500;

/** The listed variables that are set, cleared of secrets. */
export function storableEnv(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const kept = ENV_NAMES.flatMap((name) => {
    const value = env[name];
    return value === undefined || value === '' ? [] : [[name, value.slice(0, ENV_VALUE_MAX)]];
  });
  return recordWithoutSecrets(Object.fromEntries(kept) as Readonly<Record<string, string>>);
}
