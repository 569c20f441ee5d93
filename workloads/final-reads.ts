import type { NodeName } from '../harness/core/units.ts';
import type { Context, Generator, Next } from '../harness/generator/generator.ts';

/** Reads every key once through every node, each node's keys one after another. */
export function finalReads(keys: readonly string[], nodes: readonly NodeName[]): Generator {
  return readingFrom(keys, new Map(nodes.map((node) => [node, 0])));
}

function readingFrom(keys: readonly string[], done: ReadonlyMap<NodeName, number>): Generator {
  const self: Generator = { next: (ctx) => offer(self, keys, done, ctx), update: () => self };
  return self;
}

function offer(
  self: Generator,
  keys: readonly string[],
  done: ReadonlyMap<NodeName, number>,
  ctx: Context,
): Next {
  for (let n = 0; n < ctx.freeCount; n++) {
    const thread = ctx.freeAt(n);
    const node = ctx.nodeOf(thread);
    const at = node === undefined ? undefined : done.get(node);
    const key = at === undefined ? undefined : keys[at];
    if (node === undefined || at === undefined || key === undefined) continue;
    const rest = readingFrom(keys, new Map([...done, [node, at + 1]]));
    const process = ctx.processOf(thread);
    return [
      { thread, process, time: ctx.time, f: 'read', key, value: null, mode: 'linearizable' },
      rest,
    ];
  }
  const left = ctx.threads.some((thread) => {
    const node = ctx.nodeOf(thread);
    return node !== undefined && (done.get(node) ?? keys.length) < keys.length;
  });
  return left ? ['pending', self] : undefined;
}
