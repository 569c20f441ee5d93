import type { Timer } from '../../../../harness/core/clock.ts';
import { NANOS_PER_MS } from '../../../../harness/core/units.ts';
import type { Chunk, Leftover, Stage, StageContext } from './toxic.ts';

/** A piece of a chunk, and when it may leave; `Infinity`: not before the toxic is taken away. */
export interface Departure {
  readonly chunk: Chunk;
  readonly dueNanos: number;
}

export interface Timetable {
  /** The pieces of a chunk, in order. */
  onChunk(chunk: Chunk): readonly Departure[];
  /** When the end may leave, after everything before it. */
  onEnd(): number;
  /** Held bytes above which the source is left unread. */
  readonly capacityBytes: number;
}

/** A queue whose entries leave in order, none before its time: what most toxics are. */
export function timedStage(context: StageContext, timetable: Timetable): Stage {
  const { clock, out } = context;
  let queue: Departure[] = [];
  let head = 0;
  let heldBytes = 0;
  let endDue: number | undefined;
  let timer: Timer | undefined;

  const nextDue = (): number => queue[head]?.dueNanos ?? endDue ?? Number.POSITIVE_INFINITY;
  const release = (): void => {
    timer?.cancel();
    timer = undefined;
    while (nextDue() <= clock.now()) {
      const entry = queue[head];
      if (entry === undefined) {
        endDue = undefined;
        out.end();
        return;
      }
      head++;
      heldBytes -= entry.chunk.bytes.length;
      out.push(entry.chunk);
    }
    if (head > 1024) {
      queue = queue.slice(head);
      head = 0;
    }
    const due = nextDue();
    // Rounded up: a timer counts whole milliseconds, and nothing may leave early.
    if (Number.isFinite(due))
      timer = clock.timer(Math.ceil((due - clock.now()) / NANOS_PER_MS), release);
  };

  return {
    push: (chunk) => {
      for (const departure of timetable.onChunk(chunk)) {
        queue.push(departure);
        heldBytes += departure.chunk.bytes.length;
      }
      if (timer === undefined) release();
    },
    end: () => {
      endDue = timetable.onEnd();
      if (timer === undefined) release();
    },
    get full() {
      return heldBytes > timetable.capacityBytes;
    },
    stop: (): Leftover => {
      timer?.cancel();
      timer = undefined;
      return {
        chunks: queue.slice(head).map(({ chunk }) => chunk),
        ended: endDue !== undefined,
      };
    },
  };
}
