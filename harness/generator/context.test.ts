import { expect, test } from 'vitest';
import { nanos } from '../core/units.ts';
import { ThreadTable } from './context.ts';

const table = (): ThreadTable =>
  new ThreadTable({ clients: 40, lanes: ['kill', 'links'], nodes: ['n1', 'n2', 'n3'] });

test('threads: clients first, then lanes; clients go around the nodes', () => {
  const ctx = table().context(nanos(0));
  expect(ctx.threads.length).toBe(42);
  expect(ctx.threads.slice(39)).toEqual([39, 'nemesis:kill', 'nemesis:links']);
  expect([0, 1, 2, 3].map((thread) => ctx.nodeOf(thread))).toEqual(['n1', 'n2', 'n3', 'n1']);
  expect(ctx.nodeOf('nemesis:kill')).toBeUndefined();
  expect(ctx.processOf('nemesis:kill')).toBe('nemesis');
});

test('busy threads are not free, in narrowed contexts either', () => {
  const all = table();
  const threads = [3, 35, 36, 'nemesis:links'] as const;
  for (const thread of [3, 36]) all.start(thread);
  const ctx = all.context(nanos(5));
  const inner = ctx.narrow(threads);
  expect([ctx.freeCount, inner.freeCount, inner.time]).toEqual([40, 2, 5]);
  expect([inner.freeAt(0), inner.freeAt(1)]).toEqual([35, 'nemesis:links']);
  expect([inner.isFree(35), inner.isFree(36), inner.isFree(4)]).toEqual([true, false, false]);
  expect([35, 'nemesis:links']).toContain(inner.anyFree());
  expect(() => inner.freeAt(2)).toThrow('only 2 threads are free');
  expect(ctx.narrow(threads)).toBe(inner);
  all.finish(36, false);
  expect(all.context(nanos(6)).narrow(threads).freeCount).toBe(3);
  expect(() => inner.narrow([4])).toThrow('narrowed to threads that it does not have');
});

test('after a crash the thread goes on as a process of its own', () => {
  const all = table();
  const crash = (): void => {
    all.start(7);
    all.finish(7, true);
  };
  expect([all.processOf(7), all.nextId(7), all.nextId(7)]).toEqual([7, 'c7/0', 'c7/1']);
  crash();
  expect([all.processOf(7), all.nextId(7)]).toEqual([47, 'c47/0']);
  crash();
  expect(all.processOf(7)).toBe(87);
  expect([7, 47, 87].map((process) => all.threadOf({ process }))).toEqual([7, 7, 7]);
  expect(all.nextId('nemesis:kill')).toBe('kill/0');
});

test('threads of events: clients by process, faults by lane', () => {
  const ctx = table().context(nanos(0)).narrow([1, 'nemesis:kill']);
  expect(ctx.threadOf({ process: 41 })).toBe(1);
  expect(ctx.threadOf({ process: 2 })).toBeUndefined();
  expect(ctx.threadOf({ process: 'nemesis', lane: 'kill' })).toBe('nemesis:kill');
  expect(ctx.threadOf({ process: 'nemesis', lane: 'links' })).toBeUndefined();
  expect(ctx.threadOf({ process: 'observer' })).toBeUndefined();
});

test('the draw of a free thread changes only when a client takes an operation', () => {
  const all = table();
  const ctx = all.context(nanos(0));
  const draw = ctx.anyFree();
  expect(Array.from({ length: 10 }, () => ctx.anyFree())).toEqual(
    Array.from({ length: 10 }, () => draw),
  );
  all.start('nemesis:kill');
  all.finish('nemesis:kill', false);
  expect(ctx.anyFree()).toBe(draw);
  const draws = new Set<unknown>();
  for (let n = 0; n < 400; n++) {
    draws.add(ctx.anyFree());
    all.start(0);
    all.finish(0, false);
  }
  expect(draws.size).toBeGreaterThan(38);
});

test('starting a busy thread, or finishing a free one, is a bug', () => {
  const all = table();
  all.start(0);
  expect(() => {
    all.start(0);
  }).toThrow('busy already');
  expect(() => {
    all.finish(1, false);
  }).toThrow('free already');
  expect(() => new ThreadTable({ clients: 1, lanes: ['a', 'a'] })).toThrow('same name');
});
