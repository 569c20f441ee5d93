import type { Timer } from '../harness/core/clock.ts';
import { type Nanos, nanos } from '../harness/core/units.ts';
import type { Op } from '../harness/history/op.ts';
import { seedOf, titleOf } from './command.ts';
import { Meter } from './meter.ts';
import type { Progress, ProgressOptions, Step } from './progress.ts';
import { plainStyle, type Style } from './style.ts';
import { clean, clipped, countText, lengthText, rateText, spanText, widthOf } from './words.ts';

const REDRAW_MS = 250;
const WINDOW_SECONDS = 5;

/**
 * Progress for a terminal: a block of a few lines, redrawn at most four times a second and gone at
 * the end. Lines never wrap, so that the block can be found again.
 */
export function liveProgress(options: ProgressOptions): Progress {
  return new LiveProgress(options);
}

class LiveProgress implements Progress {
  readonly #options: ProgressOptions;
  readonly #style: Style;
  readonly #meter = new Meter();
  #step: Step = 'setup';
  #stepStart: Nanos = nanos(0);
  #drawn = 0;
  #timer: Timer | undefined;
  #ended = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#style = options.style ?? plainStyle;
    this.#stepStart = options.clock.now();
    this.#draw();
    this.#arm();
  }

  onPhase(step: Step): void {
    this.#step = step;
    this.#stepStart = this.#options.clock.now();
  }

  onOp(op: Op): void {
    this.#meter.observe(op);
  }

  end(): void {
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    this.#options.write(this.#erase());
  }

  #arm(): void {
    this.#timer = this.#options.clock.timer(REDRAW_MS, () => {
      if (this.#ended) return;
      this.#draw();
      this.#arm();
    });
  }

  #draw(): void {
    // One column stays free: some terminals wrap when the last one is written.
    const columns = Math.max(40, this.#options.columns()) - 1;
    const lines = [
      this.#headLine(columns),
      ...this.#rows().map(([label, text]) => this.#row(label, text, columns)),
    ];
    this.#options.write(`${this.#erase()}${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  /** Up to the first line of the block, then everything below is cleared. */
  #erase(): string {
    return this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\u001b[0J`;
  }

  #row(label: string, text: string, columns: number): string {
    const head = `   ${label.padEnd(9)}`;
    return `${this.#style.dim(head)}${clipped(text, columns - widthOf(head))}`;
  }

  #headLine(columns: number): string {
    const { clock, manifest } = this.#options;
    const { config } = manifest;
    const planned: Partial<Record<Step, number>> = {
      quiet: config.quietMs,
      main: config.durationMs,
    };
    const expected = planned[this.#step];
    const elapsed = (clock.now() - this.#stepStart) / 1e6;
    const time =
      expected === undefined
        ? lengthText(elapsed)
        : `${lengthText(Math.min(elapsed, expected))} of ${lengthText(expected)}`;
    const text = clipped(`${titleOf(manifest)}   ${this.#step} ${time}`, columns - 3);
    const right = `seed ${seedOf(manifest)}   run ${clean(manifest.run)}`;
    const gap = columns - 3 - widthOf(text) - widthOf(right);
    const end = gap < 3 ? '' : `${' '.repeat(gap)}${this.#style.dim(right)}`;
    return ` ${this.#style.good('▶')} ${this.#style.strong(text)}${end}`;
  }

  #rows(): readonly (readonly [string, string])[] {
    const now = this.#options.clock.now();
    const { total, roles, faults } = this.#meter;
    const all = total.ok + total.fail + total.info;
    if (all === 0 && roles.length === 0) return [];
    const load = this.#meter.load(now, WINDOW_SECONDS);
    const recent = load.ok + load.fail + load.info;
    const share = (count: number): string => rateText(recent === 0 ? null : count / recent);
    const ops = [
      `${countText(load.perSecond)}/s`,
      `ok ${share(load.ok)}`,
      `unknown ${share(load.info)}`,
      `failed ${share(load.fail)}`,
      `p50 ${spanText(load.p50)}`,
      `p99 ${spanText(load.p99)}`,
      `${countText(all)} in all`,
    ];
    const active = [...faults.values()].map(
      ({ text, sinceNanos }) => `${text} (${lengthText((now - sinceNanos) / 1e6)})`,
    );
    return [
      ['ops', ops.join('  ')],
      ...(roles.length === 0 ? [] : [['cluster', this.#cluster()] as const]),
      ['faults', active.join('   ') || 'none now'],
    ];
  }

  #cluster(): string {
    return this.#meter.roles
      .map(({ node, role, term }) => {
        const name = role === 'leader' ? 'LEADER' : role;
        return `${clean(node)} ${name}${term === undefined ? '' : ` t${term}`}`;
      })
      .join('   ');
  }
}
