/** Tells of a suite while it goes on, writes its files, and says how it ended. */
import { dirname, relative, resolve } from 'node:path';
import type { Clock } from '../harness/core/clock.ts';
import { messageOf } from '../harness/core/errors.ts';
import type { RunManifest } from '../harness/protocols/run.ts';
import type { SuiteResult, SuiteTest, TestRef } from '../harness/protocols/suite.ts';
import { type RunFolderHandle, writeWhole } from '../harness/store/store.ts';
import { renderSuiteHtml } from '../reports/html/suite.ts';
import type { Progress } from '../reports/progress.ts';
import type { Style } from '../reports/style.ts';
import { suiteSummary } from '../reports/suite/suite-github.ts';
import { renderSuiteJunit } from '../reports/suite/suite-junit.ts';
import { renderSuiteText } from '../reports/suite/suite-text.ts';
import {
  lineVoice,
  liveVoice,
  type SuiteVoice,
  silentVoice,
  type VoicedSuite,
} from '../reports/suite/suite-voice.ts';
import { testTitle } from '../reports/suite/suite-words.ts';
import { type GithubSuiteReporter, githubSuiteReporter } from './github.ts';
import { type LiveKeys, liveKeys } from './live-keys.ts';
import type { Shell } from './program.ts';
import type { FileReporterName, ReporterChoice, Voice } from './reporter-choice.ts';
import { styleFor } from './reporting.ts';

export type SuiteStart = VoicedSuite;

/** Where files of the suite are written. */
export interface SuiteFolder {
  /** As the reader should see it. */
  readonly shown: string;
  writeText(name: string, text: string): Promise<void>;
}

/**
 * In this order: `onSuiteStart`, then for each test `onTestStart`, `progress` for each of its runs,
 * `onTestEnd`; then `write` and `end`. What `schism merge` has joined is only written and ended.
 */
export interface SuiteReporters extends Disposable {
  onSuiteStart(start: SuiteStart): void;
  onTestStart(test: TestRef): void;
  /** Follows one run; the runner calls its methods. `clock`: the one shown, virtual or not. */
  progress(run: TestedRun): Progress;
  onTestEnd(test: SuiteTest): void;
  /** For whatever else must be said: a live block makes room. */
  say(text: string): void;
  /** Writes `junit.xml`, `summary.md`, `report.html`, and what was asked for. Returns what failed, a sentence each. */
  write(
    result: SuiteResult,
    folder: SuiteFolder,
    more?: { readonly previous?: SuiteResult },
  ): Promise<readonly string[]>;
  /** Says how it ended; the last line names the exit code. With `--json` prints the document. */
  end(result: SuiteResult, folder: SuiteFolder): void;
}

export interface TestedRun {
  readonly test: TestRef;
  readonly manifest: RunManifest;
  readonly clock: Clock;
  /** Where its logs are, for who presses a key. */
  readonly folder?: RunFolderHandle;
}

export interface ReporterOptions {
  readonly choice: ReporterChoice;
  /** Of this machine: for redrawing. */
  readonly clock: Clock;
  readonly json?: boolean;
  readonly color: boolean;
}

/** Until it is disposed of it may keep a timer, and lines on the screen. */
export function reportersFor(shell: Shell, options: ReporterOptions): SuiteReporters {
  return new ChosenReporters(shell, options);
}

class ChosenReporters implements SuiteReporters {
  readonly #shell: Shell;
  readonly #options: ReporterOptions;
  readonly #style: Style;
  readonly #voice: SuiteVoice;
  readonly #hasKeys: boolean;
  /** From the start of the suite to its end. */
  #keys: LiveKeys | undefined;
  readonly #github: GithubSuiteReporter | undefined;
  #isGrouped = false;
  #group: Disposable | undefined;

  constructor(shell: Shell, options: ReporterOptions) {
    const { choice, clock, color, json = false } = options;
    this.#shell = shell;
    this.#options = options;
    this.#style = styleFor(shell, color && !json);
    this.#github = githubSuiteReporter(shell, json);
    const write = json ? shell.err : shell.out;
    this.#hasKeys = choice.takesKeys === true && shell.keys !== undefined;
    const voices: Readonly<Record<Voice, () => SuiteVoice>> = {
      live: () =>
        liveVoice({
          clock,
          write,
          columns: () => shell.columns,
          style: this.#style,
          keys: this.#hasKeys,
        }),
      line: () => lineVoice(write),
      minimal: () => silentVoice(write),
    };
    this.#voice = voices[choice.quiet ? 'minimal' : choice.voice]();
  }

  onSuiteStart(start: SuiteStart): void {
    // Groups cannot stand in each other, and nothing is worth folding where nothing is said.
    const { quiet, voice } = this.#options.choice;
    this.#isGrouped = start.workers === 1 && voice === 'line' && !quiet;
    this.#voice.start(start);
    if (this.#hasKeys)
      this.#keys = liveKeys(this.#shell, (text) => {
        this.#voice.say(text);
      });
  }

  onTestStart(test: TestRef): void {
    if (this.#isGrouped) this.#group = this.#github?.group(testTitle(test));
  }

  progress({ test, manifest, clock, folder }: TestedRun): Progress {
    const progress = this.#voice.progress(test, {
      manifest,
      clock,
      write: (text) => {
        this.#voice.say(text);
      },
      columns: () => this.#shell.columns,
    });
    if (this.#keys === undefined || folder === undefined) return progress;
    return this.#keys.follow({ progress, manifest, folder });
  }

  onTestEnd(test: SuiteTest): void {
    this.#group?.[Symbol.dispose]();
    this.#voice.finished(test);
  }

  say(text: string): void {
    this.#voice.say(text);
  }

  async write(
    result: SuiteResult,
    folder: SuiteFolder,
    { previous }: { readonly previous?: SuiteResult } = {},
  ): Promise<readonly string[]> {
    const files = suiteFiles(result, folder, previous);
    const inFolder = files.flatMap(({ name, text }): readonly Write[] =>
      name === undefined ? [] : [[name, () => folder.writeText(name, text(folder.shown))]],
    );
    const elsewhere = this.#options.choice.files.flatMap(({ name, outputFile }) =>
      files.flatMap(({ reporter, text }): readonly Write[] => {
        if (reporter !== name || outputFile === undefined) return [];
        const path = resolve(outputFile);
        return [[outputFile, () => writeWhole(path, text(dirname(path)))]];
      }),
    );
    const github = this.#github;
    const summary: Write = [
      'the job summary',
      () => github?.write(result, folder.shown) ?? Promise.resolve(),
    ];
    return failuresOf([...inFolder, ...elsewhere, summary]);
  }

  end(result: SuiteResult, folder: SuiteFolder): void {
    this.#hush();
    const { choice, json = false } = this.#options;
    const { columns, out, err } = this.#shell;
    if (json) out(`${JSON.stringify(result)}\n`);
    const text = renderSuiteText(result, {
      columns,
      style: this.#style,
      verbose: choice.verbose,
      minimal: choice.voice === 'minimal',
      files: [['Report', `${folder.shown}/report.html`], ...writtenFiles(choice, folder.shown)],
    });
    (json ? err : out)(text);
    this.#github?.annotate(result);
  }

  [Symbol.dispose](): void {
    this.#group?.[Symbol.dispose]();
    this.#hush();
  }

  #hush(): void {
    this.#keys?.[Symbol.dispose]();
    this.#voice[Symbol.dispose]();
  }
}

type Write = readonly [name: string, write: () => Promise<void>];

/** Each costs only itself. A sentence for each that could not be written. */
async function failuresOf(writes: readonly Write[]): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const [name, write] of writes) {
    try {
      await write();
    } catch (error) {
      failed.push(`${name} could not be written: ${messageOf(error)}`);
    }
  }
  return failed;
}

interface SuiteFile {
  /** In the folder of the suite. */
  readonly name?: string;
  /** Who may ask for it elsewhere. */
  readonly reporter?: FileReporterName;
  /** `dir`: where it will stand, for links to the runs. */
  readonly text: (dir: string) => string;
}

function suiteFiles(
  result: SuiteResult,
  { shown }: SuiteFolder,
  previous: SuiteResult | undefined,
): readonly SuiteFile[] {
  return [
    { reporter: 'junit', name: 'junit.xml', text: () => renderSuiteJunit(result) },
    { name: 'summary.md', text: () => suiteSummary(result, { folder: shown }) },
    // In the folder it is written last, by whoever keeps suites.
    { reporter: 'json', text: () => `${JSON.stringify(result, null, 2)}\n` },
    {
      reporter: 'html',
      name: 'report.html',
      text: (dir) =>
        renderSuiteHtml(result, {
          ...(previous !== undefined && { previous }),
          link: (run) => relative(resolve(dir), resolve(shown, run.dir, 'report.html')),
        }),
    },
  ];
}

/** What was asked for by name, with where it stands. */
function writtenFiles(
  { files }: ReporterChoice,
  shown: string,
): readonly (readonly [label: string, path: string])[] {
  const own = { junit: 'junit.xml', json: 'suite.json', blob: 'blob.zip' };
  const labels = { junit: 'JUnit', json: 'JSON', blob: 'Blob', html: 'Report' };
  return files.flatMap(({ name, outputFile }) => {
    if (name === 'github' || name === 'perfetto') return [];
    if (outputFile !== undefined) return [[labels[name], outputFile] as const];
    return name === 'html' ? [] : [[labels[name], `${shown}/${own[name]}`] as const];
  });
}
