/** Cuts links between nodes, in every shape, for a while. */
import type { Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { Grudge, Matrix } from '../../harness/protocols/network.ts';
import type { RoleSample } from '../../harness/protocols/system.ts';
import { linksOf } from '../network/grudge.ts';
import { hitByOthers } from '../targets.ts';
import {
  excusesOf,
  judgeCut,
  judgeOpen,
  lookUntilGood,
  type Measured,
  matrixRecord,
  nothingPasses,
} from './evidence.ts';
import { type FaultFamily, nemesisOf } from './lane.ts';
import { canOnLinks, networkOf } from './link.ts';
import {
  decidePartition,
  drawPartition,
  PARTITION_SHAPES,
  type PartitionShape,
  type PartitionSpec,
  readPartitionSpec,
} from './partition-spec.ts';

export interface PartitionOptions {
  /** What random schedules draw from, instead of every shape but `custom`. */
  readonly shapes?: readonly PartitionShape[];
}

interface PartitionSurvey {
  readonly roles: readonly RoleSample[];
  readonly before: Matrix;
}

interface PartitionHeld {
  readonly grudge: Grudge;
  /** Whether there is, or may be, something to undo. */
  dropped: boolean;
}

const NAME = 'partition';
/** A custom grudge has to be written down; all others can be drawn. */
const USUAL_SHAPES: readonly PartitionShape[] = PARTITION_SHAPES.filter(
  (shape) => shape !== 'custom',
);

/**
 * A partition has taken effect when every link that it names measures cut, and has ended when they
 * measure open. The measured matrix goes into the history with both events.
 */
export function partition(options: PartitionOptions = {}): Nemesis {
  const shapes = options.shapes ?? USUAL_SHAPES;
  const family: FaultFamily<PartitionSpec, PartitionSurvey, PartitionHeld, Matrix> = {
    name: NAME,
    available: (cluster) => canOnLinks(cluster, 'cut'),
    read: readPartitionSpec,
    draw: (random) => drawPartition(random, shapes),
    look: (_spec, ctx) => networkOf(ctx).observe(),
    survey: async (_spec, ctx, seen) => {
      const look = seen ?? networkOf(ctx).observe();
      const [roles, before] = await Promise.all([ctx.cluster.roles(), look]);
      return { roles, before };
    },
    plan: (spec, { roles, before }, { board, cluster, random, lane = NAME }) => {
      const others = hitByOthers(board, lane);
      const { nodes } = cluster;
      const decided = decidePartition(spec, { nodes, roles, others, random, led: board.led });
      if ('reason' in decided) return decided;
      const { grudge, ...rest } = decided;
      const why = nothingPasses(linksOf(grudge), before);
      if (why !== undefined) return { reason: `${decided.text}: ${why}` };
      return { ...rest, links: linksOf(grudge), held: { grudge, dropped: false } };
    },
    install,
    remove,
  };
  return nemesisOf(family);
}

async function install(held: PartitionHeld, ctx: NemesisContext): Promise<Measured> {
  const network = networkOf(ctx);
  // Before the act: an attempt that fails half-way has something to undo.
  held.dropped = true;
  await network.drop(held.grudge);
  const { seen, evidence } = await lookUntilGood(
    ctx,
    () => network.observe(),
    (matrix) => judgeCut(linksOf(held.grudge), matrix, excusesOf(ctx, NAME)),
  );
  return { evidence, matrix: matrixRecord(seen) };
}

async function remove(held: PartitionHeld, ctx: NemesisContext): Promise<Measured> {
  const network = networkOf(ctx);
  if (held.dropped) await network.undrop(held.grudge);
  held.dropped = false;
  const { seen, evidence } = await lookUntilGood(
    ctx,
    () => network.observe(),
    (matrix) => judgeOpen(linksOf(held.grudge), matrix, excusesOf(ctx, NAME)),
  );
  return { evidence, matrix: matrixRecord(seen) };
}
