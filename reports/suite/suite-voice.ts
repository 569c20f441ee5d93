/** What is said of a suite while it goes on. */
import type { SuiteManifest, SuiteTest, TestRef } from '../../harness/protocols/suite.ts';
import { lineProgress } from '../lines.ts';
import { keysLine, LiveScreen, type LiveScreenOptions, liveProgressOn } from '../live.ts';
import type { Progress, ProgressOptions } from '../progress.ts';
import { plainStyle, type Style } from '../style.ts';
import { clean, clipped, counted, lengthText, widthOf } from '../words.ts';
import { finishedLine } from './suite-text.ts';
import { OUTCOME_WORDS, outcomeNote, tallyOf, testTitle, totalsOf } from './suite-words.ts';

export interface SuiteVoice extends Disposable {
  start(suite: VoicedSuite): void;
  progress(test: TestRef, options: ProgressOptions): Progress;
  finished(test: SuiteTest): void;
  /** For whatever else must be said. */
  say(text: string): void;
}

export interface VoicedSuite {
  readonly manifest: SuiteManifest;
  readonly tests: readonly TestRef[];
  readonly workers: number;
  /** As the reader should see it. */
  readonly folder: string;
}

const LINE_MAX = 160;
const TITLE_WIDTH_MAX = 60;

/** Says nothing but what must be said. */
export function silentVoice(write: (text: string) => void): SuiteVoice {
  const none: Progress = {
    onOp: () => undefined,
    onPhase: () => undefined,
    end: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
  return {
    start: () => undefined,
    progress: () => none,
    finished: () => undefined,
    say: write,
    [Symbol.dispose]: () => undefined,
  };
}

/** Lines that are only ever appended, at most 160 columns, without escape sequences. */
export function lineVoice(write: (text: string) => void): SuiteVoice {
  const numbers = new Numbers();
  const line = (text: string): void => {
    write(`${clipped(clean(text).replaceAll('\u00a0', ' '), LINE_MAX)}\n`);
  };
  return {
    start: ({ manifest, tests, workers, folder }) => {
      const { shard, config } = manifest;
      numbers.plan(tests);
      const head = [
        `schism ${manifest.version}`,
        `suite=${manifest.suite}`,
        `seed=${manifest.seed}`,
        `tests=${tests.length}`,
        ...(workers > 1 ? [`workers=${workers}`] : []),
        ...(shard === undefined ? [] : [`shard=${shard.index}/${shard.total}`]),
        ...(config === undefined ? [] : [`config=${config}`]),
        `out=${folder}`,
      ];
      line(head.join(' '));
    },
    progress: (test, options) => lineProgress({ ...options, label: `#${numbers.of(test)}` }),
    finished: (test) => {
      const { ok, all } = totalsOf(test.runs);
      const ms = test.runs.reduce((sum, { wallMs }) => sum + wallMs, 0);
      const share = all === 0 ? '-' : `${((100 * ok) / all).toFixed(2)}%`;
      const { word } = OUTCOME_WORDS[test.outcome];
      const note = outcomeNote(test)
        .slice(test.outcome === 'pass' ? 0 : word.length)
        .trim();
      const time = (ms / 1000).toFixed(1).padStart(5);
      const head = `[${time}] ${word.padEnd(7)} #${numbers.of(test.test)} ${testTitle(test.test)}`;
      line(`${head} ops=${all} ok=${share}${note === '' ? '' : ` ${note}`}`);
    },
    say: write,
    [Symbol.dispose]: () => undefined,
  };
}

export interface LiveVoiceOptions extends LiveScreenOptions {
  readonly style?: Style;
  /** The last line names the keys. */
  readonly keys?: boolean;
}

/** Finished tests scroll up, one line each; below them a block for what runs, and how far it got. */
export function liveVoice(options: LiveVoiceOptions): SuiteVoice {
  const { clock, style = plainStyle } = options;
  const numbers = new Numbers();
  const done: SuiteTest[] = [];
  const start = clock.now();
  let titleWidth = 0;
  const screen = new LiveScreen(options);
  const footer = (columns: number): readonly string[] => {
    const time = lengthText((clock.now() - start) / 1e6);
    const { pass, fail, unknown, error } = tallyOf(done);
    const doubts = [
      ...(unknown > 0 ? [`${unknown} unknown`] : []),
      ...(error > 0 ? [counted(error, 'error')] : []),
    ];
    const counts = [`${fail} failed`, `${pass} passed`, ...doubts].join(', ');
    const text = ` ${done.length} of ${counted(numbers.total, 'test')}: ${counts}    ${time}`;
    if (options.keys === true)
      return ['', style.dim(clipped(text, columns)), keysLine(columns, style)];
    const both = `${text}    [ctrl-c] stop and check what was recorded`;
    return ['', style.dim(clipped(widthOf(both) <= columns ? both : text, columns))];
  };
  return {
    start: ({ manifest, tests, folder }) => {
      numbers.plan(tests);
      titleWidth = Math.min(
        TITLE_WIDTH_MAX,
        Math.max(0, ...tests.map((test) => widthOf(testTitle(test)))),
      );
      const head = [`schism ${manifest.version}`, manifest.config ?? '', `seed ${manifest.seed}`];
      const parts = [...head, `suite ${manifest.suite}`, folder].filter((part) => part !== '');
      screen.say(` ${clipped(clean(parts.join('   ')), options.columns() - 2)}\n`);
      screen.setFooter({ lines: footer });
    },
    progress: (test, run) =>
      liveProgressOn(screen, {
        ...run,
        style,
        label: `test ${numbers.of(test)} of ${numbers.total}`,
      }),
    finished: (test) => {
      done.push(test);
      const columns = Math.min(LINE_MAX, Math.max(40, options.columns()) - 1);
      screen.say(`${finishedLine(test, { columns, titleWidth, style })}\n`);
    },
    say: (text) => {
      screen.say(text);
    },
    [Symbol.dispose]: () => {
      screen[Symbol.dispose]();
    },
  };
}

/** The place of each test in the plan, from 1; of those that nobody planned, as they come. */
class Numbers {
  readonly #numbers = new Map<string, number>();

  get total(): number {
    return this.#numbers.size;
  }

  plan(tests: readonly TestRef[]): void {
    for (const test of tests) this.of(test);
  }

  of({ id }: TestRef): number {
    const number = this.#numbers.get(id) ?? this.#numbers.size + 1;
    this.#numbers.set(id, number);
    return number;
  }
}
