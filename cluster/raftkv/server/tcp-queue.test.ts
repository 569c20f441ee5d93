import { describe, expect, it } from 'vitest';
import { type Body, FRAME_BYTES_MAX, FrameReader } from './peer-frames.ts';
import { SendQueue } from './tcp-queue.ts';

function body(name: string, length = name.length): Body {
  return { kind: 9, pieces: [Buffer.from(name.padEnd(length, '.'))] };
}

const LONG = 3 * FRAME_BYTES_MAX;

/** Takes until nothing is left: the names of what each batch completes. */
function drain(queue: SendQueue): string[][] {
  const reader = new FrameReader();
  const batches: string[][] = [];
  for (;;) {
    const batch = queue.take();
    if (batch === undefined) return batches;
    batch.done?.(true);
    const bodies = [...reader.push(batch.bytes)];
    batches.push(bodies.map(({ content }) => content.toString().replace(/\.+$/, '')));
  }
}

describe('the queue of one direction', () => {
  it('writes short bodies together, in order', () => {
    const queue = new SendQueue(1e6);
    for (const name of ['a', 'b', 'c']) expect(queue.offer(body(name), 'ordered')).toBe(true);
    expect(drain(queue)).toEqual([['a', 'b', 'c']]);
    expect(queue.isEmpty).toBe(true);
    expect(queue.cost).toBe(0);
  });

  it('lets a prompt one overtake a long one, part by part', () => {
    const queue = new SendQueue(1e6);
    queue.offer(body('snapshot', LONG), 'ordered');
    const first = queue.take();
    expect(first?.bytes.length).toBeGreaterThan(FRAME_BYTES_MAX / 2);
    queue.offer(body('heartbeat'), 'prompt');
    const reader = new FrameReader();
    expect([...reader.push(first?.bytes ?? Buffer.alloc(0))]).toEqual([]);
    const second = [...reader.push(queue.take()?.bytes ?? Buffer.alloc(0))];
    expect(second.map(({ content }) => content.toString())).toEqual(['heartbeat']);
  });

  it('keeps those that are ordered in order, long or short', () => {
    const queue = new SendQueue(1e6);
    queue.offer(body('1'), 'ordered');
    queue.offer(body('2', LONG), 'ordered');
    queue.offer(body('3'), 'ordered');
    queue.offer(body('4', LONG), 'ordered');
    queue.offer(body('5'), 'ordered');
    queue.offer(body('prompt'), 'prompt');
    const order = drain(queue).flat();
    expect(order.filter((name) => name !== 'prompt')).toEqual(['1', '2', '3', '4', '5']);
    expect(order.indexOf('prompt')).toBeLessThan(order.indexOf('2'));
  });

  it('starts a long one only after all short ones that came before it', () => {
    const queue = new SendQueue(1e6);
    const many = Array.from({ length: 10 }, (_, at) => `short ${at}`);
    for (const name of many) queue.offer(body(name, 30_000), 'ordered');
    queue.offer(body('long', LONG), 'ordered');
    const batches = drain(queue);
    expect(batches.flat()).toEqual([...many, 'long']);
    expect(batches.length).toBeGreaterThan(5);
  });

  it('refuses what has no room, and has room again when something was written', () => {
    const queue = new SendQueue(1000);
    let taken = 0;
    while (queue.offer(body('x', 100), 'prompt')) taken++;
    expect(taken).toBeGreaterThan(2);
    expect(taken).toBeLessThan(10);
    expect(queue.cost).toBeLessThan(1500);
    drain(queue);
    expect(queue.offer(body('x', 100), 'prompt')).toBe(true);
  });

  it('takes one long body whatever its length, but not a second', () => {
    const queue = new SendQueue(1000);
    expect(queue.offer(body('first', LONG), 'ordered')).toBe(true);
    expect(queue.offer(body('second', LONG), 'ordered')).toBe(false);
    expect(queue.offer(body('heartbeat'), 'prompt')).toBe(true);
  });

  it('tells once whether a body went out whole', () => {
    const queue = new SendQueue(1e6);
    const told: string[] = [];
    queue.offer(body('a', LONG), 'ordered', (sent) => told.push(`a ${sent}`));
    queue.offer(body('b'), 'ordered', (sent) => told.push(`b ${sent}`));
    queue.offer(body('c', LONG), 'ordered', (sent) => told.push(`c ${sent}`));
    expect(told).toEqual([]);
    while (told.length < 2) queue.take()?.done?.(true);
    expect(told).toEqual(['a true', 'b true']);
    queue.clear();
    expect(told).toEqual(['a true', 'b true', 'c false']);
    expect(queue.isEmpty).toBe(true);
    expect(queue.cost).toBe(0);
  });
});
