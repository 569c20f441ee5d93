import { describe, expect, it } from 'vitest';
import { sleep, VirtualClock } from '../../../../harness/core/clock.ts';
import { Random, seedFrom } from '../../../../harness/core/prng.ts';
import { msFromNanos } from '../../../../harness/core/units.ts';
import { TOXICS } from './registry.ts';
import type { Attributes, Stage } from './toxic.ts';

/** A stage at work, and what it let through: `12ms hello`, `30ms end`, `0ms reset`. */
function stageOf(
  type: string,
  attributes: Attributes = {},
): { stage: Stage; seen: string[]; clock: VirtualClock; push: (text: string) => void } {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const note = (what: string): void => {
    seen.push(`${Math.round(msFromNanos(clock.now()))}ms ${what}`);
  };
  const kind = TOXICS.get(type);
  if (kind === undefined) throw new Error(`no toxic ${type}`);
  const stage = kind.start(
    { ...kind.defaults, ...attributes },
    {
      clock,
      random: Random.stream(seedFrom(7), type),
      memory: new Map(),
      out: {
        push: (chunk) => {
          note(chunk.bytes.toString());
        },
        end: () => {
          note('end');
        },
        reset: () => {
          note('reset');
        },
      },
    },
  );
  const push = (text: string): void => {
    stage.push({ bytes: Buffer.from(text), arrived: clock.now() });
  };
  return { stage, seen, clock, push };
}

/** Lets virtual time pass. */
const pass = (clock: VirtualClock, ms: number): Promise<void> => clock.run(sleep(clock, ms));

describe('latency', () => {
  it('delays each chunk from its arrival, and the end only behind the last chunk', async () => {
    const { stage, seen, clock, push } = stageOf('latency', { latency: 100 });
    push('a');
    await pass(clock, 30);
    push('b');
    stage.end();
    await pass(clock, 500);
    expect(seen).toEqual(['100ms a', '130ms b', '130ms end']);
  });

  it('never reorders, whatever the jitter', async () => {
    const { seen, clock, push } = stageOf('latency', { latency: 50, jitter: 50 });
    const sent = Array.from({ length: 40 }, (_, at) => String(at));
    for (const text of sent) {
      push(text);
      await pass(clock, 1);
    }
    await pass(clock, 200);
    expect(seen.map((line) => line.split(' ')[1])).toEqual(sent);
    expect(new Set(seen.map((line) => line.split(' ')[0])).size).toBeGreaterThan(3);
  });

  it('hands back what it held, and its end, when it is stopped', () => {
    const { stage, seen, push } = stageOf('latency', { latency: 100 });
    push('a');
    push('b');
    stage.end();
    const left = stage.stop();
    expect(left.chunks.map(({ bytes }) => bytes.toString())).toEqual(['a', 'b']);
    expect(left.ended).toBe(true);
    expect(seen).toEqual([]);
  });
});

describe('bandwidth', () => {
  it('takes as long as the bytes need, in pieces of at most 100 ms', async () => {
    const { stage, seen, clock, push } = stageOf('bandwidth', { rate: 1 });
    push('x'.repeat(250));
    stage.end();
    await pass(clock, 1_000);
    expect(seen.map((line) => line.length)).toEqual([106, 106, 56, 9]);
    expect(seen.map((line) => line.split(' ')[0])).toEqual(['100ms', '200ms', '250ms', '250ms']);
  });

  it('with rate 0 passes nothing and loses nothing; it stops the source when it holds enough', async () => {
    const { stage, seen, clock, push } = stageOf('bandwidth');
    push('x'.repeat(60_000));
    expect(stage.full).toBe(false);
    push('y'.repeat(60_000));
    await pass(clock, 10_000);
    expect(seen).toEqual([]);
    expect(stage.full).toBe(true);
    expect(stage.stop().chunks.map(({ bytes }) => bytes.length)).toEqual([60_000, 60_000]);
  });
});

describe('slow_close', () => {
  it('delays the end and nothing else', async () => {
    const { stage, seen, clock, push } = stageOf('slow_close', { delay: 300 });
    push('a');
    stage.end();
    await pass(clock, 1_000);
    expect(seen).toEqual(['0ms a', '300ms end']);
  });
});

describe('timeout', () => {
  it('discards all, and closes after a silence', async () => {
    const { seen, clock, push } = stageOf('timeout', { timeout: 100 });
    await pass(clock, 80);
    push('a');
    await pass(clock, 80);
    expect(seen).toEqual([]);
    await pass(clock, 80);
    expect(seen).toEqual(['180ms end']);
  });

  it('with 0 never closes by itself', async () => {
    const { stage, seen, clock, push } = stageOf('timeout');
    push('a');
    await pass(clock, 100_000);
    expect(seen).toEqual([]);
    stage.end();
    expect(seen).toEqual(['100000ms end']);
  });
});

describe('reset_peer', () => {
  it('resets a while after the first bytes, not before any', async () => {
    const { stage, seen, clock, push } = stageOf('reset_peer', { timeout: 50 });
    await pass(clock, 500);
    expect(seen).toEqual([]);
    push('a');
    expect(stage.full).toBe(true);
    await pass(clock, 500);
    expect(seen).toEqual(['550ms reset']);
  });
});

describe('limit_data', () => {
  it('closes exactly at the limit, once', () => {
    const { stage, seen, push } = stageOf('limit_data', { bytes: 5 });
    push('abc');
    push('defg');
    push('h');
    stage.end();
    expect(seen).toEqual(['0ms abc', '0ms de', '0ms end']);
  });

  it('closes at the first bytes when the limit is 0', () => {
    const { seen, push } = stageOf('limit_data');
    push('abc');
    expect(seen).toEqual(['0ms end']);
  });
});

describe('slicer', () => {
  it('makes small pieces, some time apart, of the same bytes', async () => {
    const { seen, clock, push } = stageOf('slicer', {
      average_size: 10,
      size_variation: 4,
      delay: 2_000,
    });
    const text = 'abcdefghij'.repeat(10);
    push(text);
    await pass(clock, 10_000);
    const pieces = seen.map((line) => line.split(' ')[1] ?? '');
    expect(pieces.join('')).toBe(text);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(14);
    expect(seen[1]).toMatch(/^2ms /);
    expect(seen[2]).toMatch(/^4ms /);
  });

  it('survives an average size of 0', () => {
    const { seen, push } = stageOf('slicer');
    push('abc');
    expect(seen).toEqual(['0ms a', '0ms b', '0ms c']);
  });
});

describe('hold and cut', () => {
  it('hold keeps bytes and end in order, cut keeps the source unread', async () => {
    const held = stageOf('hold');
    held.push('a');
    held.push('b');
    held.stage.end();
    await pass(held.clock, 60_000);
    expect(held.seen).toEqual([]);
    expect(held.stage.full).toBe(false);
    const left = held.stage.stop();
    expect(left.chunks.map(({ bytes }) => bytes.toString())).toEqual(['a', 'b']);
    expect(left.ended).toBe(true);

    const dead = stageOf('cut');
    dead.push('a');
    dead.stage.end();
    expect(dead.stage.full).toBe(true);
    expect(dead.seen).toEqual([]);
  });
});
