import type { Timer } from '../harness/core/clock.ts';
import type { RunManifest, RunResult } from '../harness/protocols/run.ts';
import { leaderText } from './cluster.ts';
import { seedOf, titleOf } from './command.ts';
import { type Load, Meter, type Notice } from './meter.ts';
import type { Progress, ProgressOptions, Step } from './progress.ts';
import { exitReason } from './text.ts';
import { clean, clipped, RUN_WORDS, spanText } from './words.ts';

const EVERY_MS = 10_000;
const COLUMNS_MAX = 160;

/**
 * Progress for pipes and CI: lines that are only ever appended, at most 160 columns, without escape
 * sequences. One every ten seconds, and one for each phase, fault, change of leader, and the end.
 */
export function lineProgress(options: ProgressOptions): Progress {
  return new LineProgress(options);
}

class LineProgress implements Progress {
  readonly #options: ProgressOptions;
  readonly #meter = new Meter();
  /** Before each text, so that lines of tests that run at once can be told apart. */
  readonly #prefix: string;
  #step: Step = 'setup';
  #timer: Timer | undefined;
  #ended = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    const { manifest, label } = options;
    this.#prefix = label === undefined ? '' : `${label} `;
    const head = headText(manifest);
    if (label === undefined) this.#write(`schism ${manifest.version} ${head}`);
    else this.#line(0, 'start', `${titleOf(manifest)} ${head}`);
    this.#arm();
  }

  onPhase(step: Step): void {
    this.#step = step;
    this.#line(this.#options.clock.now(), 'phase', step);
  }

  onOp(op: Parameters<Progress['onOp']>[0]): void {
    const notice = this.#meter.observe(op);
    if (notice !== undefined) this.#notice(op.time, notice);
  }

  end(result: RunResult): void {
    if (this.#ended) return;
    // What the test amounts to is said by its suite.
    if (this.#options.label === undefined) {
      const { word } = RUN_WORDS[result.verdict];
      const first = result.reasons[0] ?? exitReason(result);
      const text = `${titleOf(result.manifest)} ${first}`;
      this.#line(this.#options.clock.now(), word, text);
    }
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer = this.#options.clock.timer(EVERY_MS, () => {
      this.#tick();
      if (!this.#ended) this.#arm();
    });
  }

  #tick(): void {
    const now = this.#options.clock.now();
    if (this.#step === 'setup' || this.#step === 'check') {
      this.#line(now, this.#step, 'still going');
      return;
    }
    const { total, leader, faults } = this.#meter;
    const parts = [
      `ops=${total.ok + total.fail + total.info}`,
      loadText(this.#meter.load(now, EVERY_MS / 1000)),
      `leader=${leader === undefined ? 'none' : `${leader.node}/t${leader.term ?? '?'}`}`,
      ...(faults.size === 0 ? [] : [`faults=${faults.size}`]),
    ];
    this.#line(now, 'load', parts.join(' '));
  }

  #notice(timeNanos: number, notice: Notice): void {
    if (notice.kind === 'leader') {
      const { leader, before, gapNanos } = notice.change;
      const from = before === undefined ? 'is' : `${leaderText(before)} ->`;
      const gap = gapNanos > 0 ? ` after ${spanText(gapNanos)} without one seen` : '';
      this.#line(timeNanos, 'cluster', `leader ${from} ${leaderText(leader)}${gap}`);
      return;
    }
    const { text, stage, result, evidence } = notice;
    // The begin has said already that nothing came of it.
    if (stage === 'end' && evidence === 'nothing was installed') return;
    const effect = stage === 'begin' ? 'took effect' : 'undone';
    const outcome = result === 'installed' ? effect : result;
    this.#line(timeNanos, 'fault', `${text}, ${stage}, ${outcome}: ${evidence}`);
  }

  #line(timeNanos: number, word: string, text: string): void {
    const time = (timeNanos / 1e9).toFixed(1).padStart(5);
    this.#write(`[${time}] ${word.padEnd(8)}${this.#prefix}${text}`);
  }

  #write(line: string): void {
    if (this.#ended) return;
    this.#options.write(`${clipped(clean(line).replaceAll('\u00a0', ' '), COLUMNS_MAX)}\n`);
  }
}

/** What is run, so that the log alone tells how to run it again. */
function headText(manifest: RunManifest): string {
  const { config, run } = manifest;
  return [
    `run=${run}`,
    `seed=${seedOf(manifest)}`,
    `system=${config.system}`,
    `workload=${config.workload}`,
    `nodes=${config.nodes.length}`,
    ...(config.latencyMs === undefined ? [] : [`latency=${config.latencyMs}ms`]),
    `clients=${config.workloadOptions.clients}`,
    `duration=${config.durationMs / 1000}s`,
    `faults=${config.faults.join(',') || 'none'}`,
  ].join(' ');
}

function loadText({ ok, fail, info, perSecond, p50, p99 }: Load): string {
  const all = ok + fail + info;
  const share = all === 0 ? '-' : `${((100 * ok) / all).toFixed(2)}%`;
  const span = (value: number | null): string =>
    value === null ? '-' : spanText(value).replaceAll(/\s/g, '');
  const counts = `rate=${Math.round(perSecond)}/s ok=${share} unknown=${info} failed=${fail}`;
  return `${counts} p50=${span(p50)} p99=${span(p99)}`;
}
