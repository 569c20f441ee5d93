import type { Clock, Timer } from '../harness/core/clock.ts';
import type { Nanos } from '../harness/core/units.ts';
import type { Op } from '../harness/history/op.ts';
import { seedOf, titleOf } from './command.ts';
import { FaultStrip } from './fault-strip.ts';
import { Meter } from './meter.ts';
import type { Progress, ProgressOptions, Step } from './progress.ts';
import { plainStyle, type Style } from './style.ts';
import { clean, clipped, countText, lengthText, rateText, spanText, widthOf } from './words.ts';

const REDRAW_MS = 250;
const WINDOW_SECONDS = 5;

/** A part of what a terminal shows until something else stands there. */
export interface LiveBlock {
  /** Never wider than `columns`. With `compact` a single line. */
  lines(columns: number, compact: boolean): readonly string[];
}

export interface LiveScreenOptions {
  readonly clock: Clock;
  write(text: string): void;
  /** Columns of the terminal, asked at each drawing. */
  columns(): number;
}

/**
 * The last lines of a terminal, redrawn at most four times a second and gone at the end; what is
 * said meanwhile scrolls up above them. Lines never wrap, so that they can be found again.
 */
export class LiveScreen implements Disposable {
  readonly #options: LiveScreenOptions;
  readonly #blocks = new Set<LiveBlock>();
  #footer: LiveBlock | undefined;
  #drawn = 0;
  #timer: Timer | undefined;

  constructor(options: LiveScreenOptions) {
    this.#options = options;
    this.#arm();
  }

  /** Shown until it is disposed of. */
  add(block: LiveBlock): Disposable {
    this.#blocks.add(block);
    this.#draw();
    return {
      [Symbol.dispose]: () => {
        if (!this.#blocks.delete(block) || this.#timer === undefined) return;
        this.#draw();
      },
    };
  }

  /** Always the last lines. */
  setFooter(block: LiveBlock): void {
    this.#footer = block;
    this.#draw();
  }

  /** Text that stays; ends in a line break. */
  say(text: string): void {
    this.#options.write(`${this.#erase()}${text}`);
    this.#drawn = 0;
    if (this.#timer !== undefined) this.#draw();
  }

  [Symbol.dispose](): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    if (this.#drawn > 0) this.#options.write(this.#erase());
    this.#drawn = 0;
  }

  #arm(): void {
    this.#timer = this.#options.clock.timer(REDRAW_MS, () => {
      if (this.#timer === undefined) return;
      this.#draw();
      this.#arm();
    });
  }

  #draw(): void {
    // One column stays free: some terminals wrap when the last one is written.
    const columns = Math.max(40, this.#options.columns()) - 1;
    const compact = this.#blocks.size > 1;
    const blocks = [...this.#blocks, ...(this.#footer === undefined ? [] : [this.#footer])];
    const lines = blocks.flatMap((block) => block.lines(columns, compact));
    const text = lines.length === 0 ? '' : `${lines.join('\n')}\n`;
    this.#options.write(`${this.#erase()}${text}`);
    this.#drawn = lines.length;
  }

  /** Up to the first line, then everything below is cleared. */
  #erase(): string {
    return this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\u001b[0J`;
  }
}

/** Progress for a terminal, on a screen of its own. */
export function liveProgress(options: ProgressOptions): Progress {
  const screen = new LiveScreen(options);
  const block = new RunBlock(options);
  screen.add(block);
  return progressOf(block, () => {
    screen[Symbol.dispose]();
  });
}

/** The same beside others; `label` tells which of how many it is. */
export function liveProgressOn(screen: LiveScreen, options: ProgressOptions): Progress {
  const block = new RunBlock(options);
  const shown = screen.add(block);
  return progressOf(block, () => {
    shown[Symbol.dispose]();
  });
}

function progressOf(block: RunBlock, end: () => void): Progress {
  return {
    onOp: (op) => {
      block.observe(op);
    },
    onPhase: (step) => {
      block.begin(step);
    },
    end,
    [Symbol.dispose]: end,
  };
}

/** How one run goes. */
class RunBlock implements LiveBlock {
  readonly #options: ProgressOptions;
  readonly #style: Style;
  readonly #meter = new Meter();
  readonly #strip = new FaultStrip();
  #step: Step = 'setup';
  #stepStart: Nanos;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#style = options.style ?? plainStyle;
    this.#stepStart = options.clock.now();
  }

  begin(step: Step): void {
    this.#step = step;
    this.#stepStart = this.#options.clock.now();
    this.#strip.phase(step, this.#stepStart);
  }

  observe(op: Op): void {
    this.#meter.observe(op);
    if (op.process === 'nemesis') this.#strip.faults(op.time, this.#meter.faults.size);
  }

  lines(columns: number, compact: boolean): readonly string[] {
    if (compact) return [this.#compactLine(columns)];
    return [
      this.#headLine(columns),
      ...this.#rows(columns).map(([label, text]) => this.#row(label, text, columns)),
    ];
  }

  #compactLine(columns: number): string {
    const { clock, manifest } = this.#options;
    const load = this.#meter.load(clock.now(), WINDOW_SECONDS);
    const recent = load.ok + load.fail + load.info;
    const faults = [...this.#meter.faults.values()].map(({ text }) => text);
    const parts = [
      `${this.#step} ${this.#time()}`,
      ...(recent === 0
        ? []
        : [`${countText(load.perSecond)}/s`, `ok ${rateText(load.ok / recent)}`]),
      ...faults,
    ];
    const text = clipped(`${titleOf(manifest)}   ${parts.join('  ')}`, columns - 3);
    return ` ${this.#style.good('▶')} ${text}`;
  }

  #row(label: string, text: string, columns: number): string {
    const head = `   ${label.padEnd(9)}`;
    return `${this.#style.dim(head)}${clipped(text, columns - widthOf(head))}`;
  }

  /** Of the step, and of how much, where that is known. */
  #time(): string {
    const { clock, manifest } = this.#options;
    const { config } = manifest;
    const planned: Partial<Record<Step, number>> = {
      quiet: config.quietMs,
      main: config.durationMs,
    };
    const expected = planned[this.#step];
    const elapsed = (clock.now() - this.#stepStart) / 1e6;
    return expected === undefined
      ? lengthText(elapsed)
      : `${lengthText(Math.min(elapsed, expected))} of ${lengthText(expected)}`;
  }

  #headLine(columns: number): string {
    const { label, manifest } = this.#options;
    const time = this.#time();
    const text = clipped(`${titleOf(manifest)}   ${this.#step} ${time}`, columns - 3);
    const right = label ?? `seed ${seedOf(manifest)}   run ${clean(manifest.run)}`;
    const gap = columns - 3 - widthOf(text) - widthOf(right);
    const end = gap < 3 ? '' : `${' '.repeat(gap)}${this.#style.dim(right)}`;
    return ` ${this.#style.good('▶')} ${this.#style.strong(text)}${end}`;
  }

  #rows(columns: number): readonly (readonly [string, string])[] {
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
    const current = active.join('   ') || 'none now';
    const strip = this.#strip.text(
      now,
      this.#options.manifest.config.durationMs,
      stripWidth(columns),
    );
    return [
      ['ops', ops.join('  ')],
      ...(roles.length === 0 ? [] : [['cluster', this.#cluster()] as const]),
      ['faults', strip === '' ? current : `${strip}   now: ${current}`],
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

/** A strip needs room to tell something, and must leave some for the faults of now. */
function stripWidth(columns: number): number {
  return columns < 80 ? 0 : Math.min(40, Math.floor(columns / 2.5));
}
