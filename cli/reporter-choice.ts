/** Which reporters speak and write: `--reporter`, `--add-reporter`, the config, or what the place suggests. */
import { HarnessError } from '../harness/core/errors.ts';
import { suggest } from '../harness/core/suggest.ts';
import type { ReporterConfig } from './config/config.ts';
import { isCi } from './options.ts';
import type { Shell } from './program.ts';

/** What is said while it goes on. `minimal`: nothing, and at the end only what did not pass. */
export type Voice = 'live' | 'line' | 'minimal';

const VOICES: readonly Voice[] = ['live', 'line', 'minimal'];
const FILES = ['html', 'json', 'junit', 'github', 'blob', 'perfetto'] as const;

/** What is written beside that. `github` speaks, too, and only where GitHub is. */
export type FileReporterName = (typeof FILES)[number];
export const REPORTER_NAMES: readonly string[] = [...VOICES, ...FILES];

export interface FileChoice {
  readonly name: FileReporterName;
  /** Where its file is to stand as well; relative to the working folder. */
  readonly outputFile?: string;
}

export interface ReporterFlags {
  /** Comma-separated names, instead of those of the config. */
  readonly reporter?: string | readonly string[];
  /** The same, beside those of the config. */
  readonly addReporter?: string | readonly string[];
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
  /** `false` for `--no-input`. */
  readonly input?: boolean;
}

export interface ReporterChoice {
  readonly voice: Voice;
  /** Nobody speaks before the end. */
  readonly quiet: boolean;
  /** Everything is listed, however long. */
  readonly verbose: boolean;
  /** Whoever sits there may press keys while a live block is shown. */
  readonly takesKeys?: boolean;
  readonly files: readonly FileChoice[];
}

/** Variables by which coding agents say that it is they who read. */
const AGENTS = [
  'AI_AGENT',
  'CLAUDECODE',
  'CODEX_SANDBOX',
  'CURSOR_AGENT',
  'GEMINI_CLI',
  'OPENCODE',
];

/** Throws `bad-option` for a reporter that there is not. */
export function chooseReporters(
  shell: Pick<Shell, 'env' | 'isTty'>,
  flags: ReporterFlags = {},
  configured: readonly ReporterConfig[] = [],
): ReporterChoice {
  const asked = [
    ...(flags.reporter === undefined
      ? configured.map((reporter) => named(reporter, 'reporters'))
      : namesIn(flags.reporter).map((name) => named(name, '--reporter'))),
    ...namesIn(flags.addReporter ?? []).map((name) => named(name, '--add-reporter')),
  ];
  const voices = asked.flatMap(({ name }) => VOICES.filter((voice) => voice === name));
  const wanted = voices.at(-1) ?? usualVoice(shell);
  // A block that redraws itself needs a terminal.
  const voice = wanted === 'live' && !shell.isTty ? 'line' : wanted;
  const { quiet = false, json = false, input = true } = flags;
  return {
    voice,
    quiet,
    takesKeys: voice === 'live' && !quiet && !json && input && !isCi(shell.env),
    verbose: flags.verbose === true,
    files: asked.flatMap(({ name, outputFile }) =>
      FILES.filter((file) => file === name).map((file) => ({
        name: file,
        ...(outputFile !== undefined && { outputFile }),
      })),
    ),
  };
}

/** Whether somebody asked for what only is made when it is asked for. */
export function isAsked({ files }: ReporterChoice, name: FileReporterName): boolean {
  return files.some((file) => file.name === name);
}

function usualVoice({ env, isTty }: Pick<Shell, 'env' | 'isTty'>): Voice {
  if (AGENTS.some((name) => (env[name] ?? '') !== '')) return 'minimal';
  return isTty && !isCi(env) ? 'live' : 'line';
}

function namesIn(names: string | readonly string[]): readonly string[] {
  return [names]
    .flat()
    .flatMap((text) => text.split(','))
    .map((name) => name.trim());
}

/** No file is written by those that speak; a wish for one is a mistake worth a word. */
function named(
  reporter: ReporterConfig,
  place: string,
): { readonly name: string; readonly outputFile?: string } {
  const [name, outputFile] =
    typeof reporter === 'string' ? [reporter] : [reporter[0], reporter[1].outputFile];
  if (!REPORTER_NAMES.includes(name))
    throw new HarnessError(
      'bad-option',
      `${place}: there is no reporter '${name}'${suggest(name, REPORTER_NAMES)}; ` +
        `there are: ${REPORTER_NAMES.join(', ')}`,
    );
  if (outputFile === undefined) return { name };
  if (name === 'github' || VOICES.some((voice) => voice === name))
    throw new HarnessError('bad-option', `${place}: reporter '${name}' writes no file`);
  return { name, outputFile };
}
