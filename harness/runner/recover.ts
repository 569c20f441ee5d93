import type { NodeName } from '../core/units.ts';
import { type Nanos, nanos, nanosFromMs } from '../core/units.ts';
import type { Context, Generator, Next, Offer, Thread } from '../generator/generator.ts';

/** Between two probes of one node. */
const PROBE_EVERY_MS = 50;

/**
 * Asks each node with `probe` until it answers ok once. Ends when all have; a node that never does
 * keeps it going, so the caller sets a deadline.
 */
export function probeUntilOk(
  nodes: readonly NodeName[],
  probe: Pick<Offer, 'f' | 'key' | 'value' | 'mode'>,
): Generator {
  return probing(probe, new Map(nodes.map((node) => [node, nanos(0)])));
}

/** `due`: nodes that have not answered yet, and when each may be asked again. */
function probing(
  probe: Pick<Offer, 'f' | 'key' | 'value' | 'mode'>,
  due: ReadonlyMap<NodeName, Nanos>,
): Generator {
  const self: Generator = {
    next: (ctx) => (due.size === 0 ? undefined : offer(self, probe, due, ctx)),
    update: (_ctx, event) => {
      if (event.type !== 'ok' || event.node === undefined || !due.has(event.node)) return self;
      return probing(probe, new Map([...due].filter(([node]) => node !== event.node)));
    },
  };
  return self;
}

function offer(
  self: Generator,
  probe: Pick<Offer, 'f' | 'key' | 'value' | 'mode'>,
  due: ReadonlyMap<NodeName, Nanos>,
  ctx: Context,
): Next {
  let first: { thread: Thread; node: NodeName; time: Nanos } | undefined;
  for (let n = 0; n < ctx.freeCount; n++) {
    const thread = ctx.freeAt(n);
    const node = ctx.nodeOf(thread);
    const at = node === undefined ? undefined : due.get(node);
    if (node === undefined || at === undefined) continue;
    const time = nanos(Math.max(at, ctx.time));
    if (first === undefined || time < first.time) first = { thread, node, time };
  }
  if (first === undefined) return ['pending', self];
  const { thread, node, time } = first;
  const later = nanos(time + nanosFromMs(PROBE_EVERY_MS));
  const rest = probing(probe, new Map([...due, [node, later]]));
  return [{ ...probe, thread, process: ctx.processOf(thread), time }, rest];
}
