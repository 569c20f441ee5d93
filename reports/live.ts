import type { Clock, Timer } from '../harness/core/clock.ts';
import type { Progress, ProgressOptions } from './progress.ts';
import { RunBlock } from './run-block.ts';
import { plainStyle, type Style } from './style.ts';
import { clipped, widthOf } from './words.ts';

const REDRAW_MS = 250;

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

/** Progress for a terminal, on a screen of its own; `keys`: its last line names them. */
export function liveProgress(
  options: ProgressOptions & { readonly keys?: boolean },
): Progress & { readonly say: (text: string) => void } {
  const screen = new LiveScreen(options);
  const block = new RunBlock(options);
  if (options.keys === true)
    screen.setFooter({ lines: (columns) => ['', keysLine(columns, options.style)] });
  screen.add(block);
  const end = (): void => {
    screen[Symbol.dispose]();
  };
  return {
    ...progressOf(block, end),
    say: (text) => {
      screen.say(text);
    },
  };
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
    answers: block,
    [Symbol.dispose]: end,
  };
}

const KEYS = [
  '[s] state  [l] logs  [f] faults  [enter] mark the log  [ctrl-c] stop and check what was recorded',
  '[s] state  [l] logs  [f] faults  [enter] mark  [ctrl-c] stop',
  '[s] [l] [f] [enter] [ctrl-c]',
];

/** The keys that mean something, in as many words as there is room for. */
export function keysLine(columns: number, style: Style = plainStyle): string {
  const text = KEYS.find((line) => widthOf(line) < columns) ?? '';
  return style.dim(clipped(` ${text}`, columns));
}
