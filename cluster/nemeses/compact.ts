/** Makes the store forget its past. */
import { invariant } from '../../harness/core/invariant.ts';
import { lagMs } from '../../harness/core/passages.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Maintenance } from '../../harness/protocols/maintenance.ts';
import type { Evidence, Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { RoleSample } from '../../harness/protocols/system.ts';
import { resolveTargets, type TargetSpec, withRoles } from '../targets.ts';
import { failed, installed, lookUntilGood, skipped } from './evidence.ts';
import { nemesisOf } from './lane.ts';
import { whyNot } from './membership-restore.ts';
import { closed, countOf, type Place, targetOf } from './options.ts';

const NAME = 'compact';
/** A compaction goes through the log, and may have to wait for an election. */
const ANSWER_MS_MAX = 3_000;
const LOOK_MS_MAX = 500;
/** What random compactions keep: nothing but the present, little, or about a second of writes. */
const USUAL_KEEPS: readonly number[] = [0, 10, 100];

interface CompactSpec {
  /** Revisions before the newest that stay. */
  readonly keep: number;
  /** Who is asked. */
  readonly via: TargetSpec;
}

interface CompactHeld {
  readonly via: NodeName;
  readonly keep: number;
  /** Once it is known. */
  revision: number | undefined;
}

/**
 * Compacts at the newest revision but `keep`. It has taken effect when the node that was asked
 * refuses a read of what lies before. There is nothing to undo.
 */
export function compact(): Nemesis {
  return nemesisOf<CompactSpec, readonly RoleSample[], CompactHeld>({
    name: NAME,
    available: ({ maintenance }) =>
      maintenance !== undefined || 'this cluster cannot be told to forget its past',
    read: readSpec,
    draw: (random) => ({ keep: random.pick(USUAL_KEEPS), via: 'one' }),
    survey: (_spec, { cluster }) => cluster.roles(),
    plan: (spec, roles, { board, cluster, random }) => {
      const answering = roles.filter(({ state }) => state === 'answered').map(({ node }) => node);
      const answer = resolveTargets({
        spec: spec.via,
        nodes: cluster.nodes,
        eligible: new Set(answering),
        roles,
        // It costs nobody's majority.
        others: new Set(),
        quorum: 'ignore',
        random,
        led: board.led,
      });
      if ('reason' in answer) return answer;
      const [via] = answer.targets;
      invariant(via !== undefined, 'targets are never empty');
      const kept = spec.keep === 0 ? '' : ` but the last ${spec.keep} revisions`;
      return {
        text: `compact all${kept}, through ${withRoles([via], roles)}`,
        targets: [via],
        hit: new Set(),
        held: { via, keep: spec.keep, revision: undefined },
      };
    },
    install: async (held, ctx) => ({ evidence: await install(held, ctx) }),
    remove: ({ revision }) => {
      const evidence =
        revision === undefined
          ? skipped('it was not seen to compact')
          : installed({ revision, undone: 'nothing: what is compacted stays so' });
      return Promise.resolve({ evidence });
    },
  });
}

function readSpec(place: Place): CompactSpec {
  closed(place, ['keep', 'via']);
  const { options, where } = place;
  const { via } = options;
  const target = { options: via === undefined ? {} : { target: via }, where: `${where}: via` };
  return { keep: countOf(place, 'keep', 0), via: targetOf(target, 'one') };
}

function maintenanceOf({ cluster }: NemesisContext): Maintenance {
  const { maintenance } = cluster;
  invariant(maintenance !== undefined, 'a compaction was decided without a way to ask for it');
  return maintenance;
}

async function install(held: CompactHeld, ctx: NemesisContext): Promise<Evidence> {
  const maintenance = maintenanceOf(ctx);
  const { via, keep } = held;
  const outcome = await maintenance.compact(
    via,
    keep,
    ANSWER_MS_MAX + lagMs(ctx.cluster.network?.latencyMs),
  );
  if (outcome.type === 'fail') return skipped(`not compacted through ${via}: ${whyNot(outcome)}`);
  if (outcome.type === 'info') return failed(`${via} did not say: ${whyNot(outcome)}`);
  const { revision } = outcome.value;
  const { evidence } = await lookUntilGood(
    ctx,
    () => maintenance.remembers(via, revision - 1, LOOK_MS_MAX),
    (seen) => {
      if (seen.type !== 'ok') return failed(`${via} cannot be read: ${whyNot(seen)}`);
      if (seen.value) return failed(`${via} still knows revision ${revision - 1}`);
      return installed({ revision, [via]: `no read of revision ${revision - 1} any more` });
    },
  );
  if (evidence.result === 'installed') held.revision = revision;
  return evidence;
}
