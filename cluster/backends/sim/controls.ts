/** The world's disks and clocks as nemeses see them. */
import type { VirtualClock } from '../../../harness/core/clock.ts';
import { msFromNanos, type NodeName } from '../../../harness/core/units.ts';
import type { ClockControl, DiskControl, UndoFault } from '../../../harness/protocols/machines.ts';
import type { UndoDiskFault } from './disk.ts';
import type { SimWorld } from './world.ts';

/** More than any fault leaves room for. */
const PROBE_BYTES = 1_048_576;

export function diskControl<Api>(world: SimWorld<Api>, nodes: readonly NodeName[]): DiskControl {
  return {
    can: new Set(['slow', 'fail-sync', 'fill']),
    slow: (node, ms) => undoable(world.disk(node).slow({ kind: 'constant', ms })),
    failSync: (node) => undoable(world.disk(node).failSync()),
    fill: (node, roomBytes) => undoable(world.disk(node).fill(roomBytes)),
    probe: (node) => world.disk(node).probe(PROBE_BYTES),
    installed: () => Promise.resolve(nodes.flatMap((node) => world.disk(node).installed())),
  };
}

function undoable(undo: UndoDiskFault): Promise<UndoFault> {
  return Promise.resolve(() => Promise.resolve(undo()));
}

export function clockControl<Api>(world: SimWorld<Api>, clock: VirtualClock): ClockControl {
  return {
    skew: (node, { offsetMs, rate }) => {
      // What a wrong rate has added up to stays in the clock: an offset is set against the world's.
      const driftMs = msFromNanos(world.timeOf(node).now()) - clock.wallMs();
      world.skew(node, { offsetMs: offsetMs - driftMs, rate });
      return Promise.resolve();
    },
    read: (node) =>
      Promise.resolve({ nodeMs: world.timeOf(node).wallMs(), worldMs: clock.wallMs() }),
  };
}
