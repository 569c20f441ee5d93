import type { Step } from './progress.ts';

const [FREE, FAULTY, NOW, TO_COME] = ['─', '▓', '┃', '·'];

/** When a fault was on in the main phase, as one line: `──▓▓▓───▓▓┃·····`. */
export class FaultStrip {
  #startNanos: number | undefined;
  #endNanos: number | undefined;
  /** Times at which faults were on, in turn with times at which none was. */
  readonly #turns: number[] = [];

  phase(step: Step, nowNanos: number): void {
    if (step === 'main') this.#startNanos ??= nowNanos;
    else if (this.#startNanos !== undefined) this.#endNanos ??= nowNanos;
  }

  /** How many faults are on from now. */
  faults(timeNanos: number, count: number): void {
    if (count > 0 !== (this.#turns.length % 2 === 1)) this.#turns.push(timeNanos);
  }

  /** Empty before the main phase, and where there is no room. A cell is faulty if any of it was. */
  text(nowNanos: number, durationMs: number, width: number): string {
    const start = this.#startNanos;
    if (start === undefined || width < 10 || durationMs <= 0) return '';
    const cell = (durationMs * 1e6) / width;
    const at = Math.min(width - 1, Math.floor(((this.#endNanos ?? nowNanos) - start) / cell));
    return Array.from({ length: width }, (_, place) => {
      if (place > at) return TO_COME;
      if (place === at && this.#endNanos === undefined) return NOW;
      return this.#isFaulty(start + place * cell, start + (place + 1) * cell) ? FAULTY : FREE;
    }).join('');
  }

  #isFaulty(fromNanos: number, toNanos: number): boolean {
    for (let at = 0; at < this.#turns.length; at += 2) {
      const begin = this.#turns[at] ?? Number.POSITIVE_INFINITY;
      const end = this.#turns[at + 1] ?? Number.POSITIVE_INFINITY;
      if (begin < toNanos && end > fromNanos) return true;
    }
    return false;
  }
}
