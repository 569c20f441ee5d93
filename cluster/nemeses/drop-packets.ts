import { sleep } from '../../harness/core/clock.ts';
import { invariant } from '../../harness/core/invariant.ts';
import { type NodeName, nanosFromMs } from '../../harness/core/units.ts';
import type { PacketControl } from '../../harness/protocols/machines.ts';
import type { Evidence, Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { RoleSample } from '../../harness/protocols/system.ts';
import { hitByOthers } from '../targets.ts';
import { failed, installed, type Measured, skipped } from './evidence.ts';
import { nemesisOf } from './lane.ts';
import { awaitRunning, type MachineHeld, machineHeld, onAll, undoAll } from './machine-fault.ts';
import { DOWN_TARGETS, type NodeSpec, ONE_MACHINE, planNodes, readNodeSpec } from './node-fault.ts';
import { DIRECTIONS, type Direction, directionOf } from './options.ts';
import { linksAround } from './unplug.ts';

const NAME = 'drop-packets';
/** Members that are idle say something every two seconds at the latest, and the lost is resent. */
const DROPPED_MS_MAX = 8_000;
const LOOK_EVERY_MS = 250;

/**
 * The kernel drops what members send each other, below their connections: those stay, half dead, and
 * what was lost is resent later and later. So either direction alone soon costs both, since nothing
 * is acknowledged any more; and it lasts a while after its end. Clients are served as before.
 */
export function dropPackets(): Nemesis {
  return nemesisOf<NodeSpec<Direction>, readonly RoleSample[], MachineHeld<Direction>>({
    name: NAME,
    single: ONE_MACHINE,
    available: ({ packets, nodes }) => {
      if (packets === undefined)
        return 'only the network of a container can drop packets: --backend docker';
      return nodes.length > 1 || 'one node alone has nobody to hear from';
    },
    read: (place) => readNodeSpec(place, ['direction'], () => directionOf(place) ?? 'both'),
    draw: (random) => ({ target: random.pick(DOWN_TARGETS), direction: random.pick(DIRECTIONS) }),
    survey: (_spec, { cluster }) => cluster.roles(),
    plan: (spec, roles, ctx) => {
      const choice = { lane: NAME, verb: VERBS[spec.own], isDown: true };
      const plan = planNodes(choice, spec, roles, ctx, (nodes) => machineHeld(spec.own, nodes));
      if ('reason' in plan) return plan;
      return { ...plan, links: linksAround(plan.targets, ctx.cluster.nodes) };
    },
    install,
    remove,
  });
}

const VERBS: Readonly<Record<Direction, string>> = {
  both: 'drop all packets of',
  in: 'drop packets to',
  out: 'drop packets from',
};

function packetsOf({ cluster }: NemesisContext): PacketControl {
  const { packets } = cluster;
  invariant(packets !== undefined, 'packets were to be dropped where they cannot be');
  return packets;
}

/** By the node that drops them, whose packets. */
function sendersBy(
  targets: readonly NodeName[],
  direction: Direction,
  nodes: readonly NodeName[],
): ReadonlyMap<NodeName, readonly NodeName[]> {
  const senders = nodes.map((node): [NodeName, NodeName[]] => [
    node,
    nodes.filter((from) => {
      const isIn = direction !== 'out' && targets.includes(node);
      const isOut = direction !== 'in' && targets.includes(from);
      return from !== node && (isIn || isOut);
    }),
  ]);
  return new Map(senders.filter(([, from]) => from.length > 0));
}

async function install(held: MachineHeld<Direction>, ctx: NemesisContext): Promise<Measured> {
  const packets = packetsOf(ctx);
  const senders = sendersBy(held.nodes, held.own, ctx.cluster.nodes);
  await onAll([...senders.keys()], async (node) => {
    held.undos.set(node, await packets.drop(node, senders.get(node) ?? []));
  });
  return { evidence: await awaitDropped([...senders.keys()], held, ctx) };
}

/** Until packets were dropped at every target, or of every target at somebody else. */
async function awaitDropped(
  receivers: readonly NodeName[],
  { nodes: targets, own: direction }: MachineHeld<Direction>,
  ctx: NemesisContext,
): Promise<Evidence> {
  const packets = packetsOf(ctx);
  const deadline = ctx.clock.now() + nanosFromMs(DROPPED_MS_MAX);
  const others = receivers.filter((node) => !targets.includes(node));
  const expected = direction === 'out' && others.length > 0 ? others : targets;
  for (;;) {
    const counts = await Promise.all(
      receivers.map(async (node) => [node, await packets.dropped(node)] as const),
    );
    const dropped = new Map(counts);
    const heard = (node: NodeName): boolean => (dropped.get(node) ?? 0) > 0;
    // From one who says nothing to another, such as one follower to the next, there is none to drop.
    const isShown = direction === 'out' ? expected.some(heard) : expected.every(heard);
    if (isShown) return installed({ dropped: Object.fromEntries(counts) });
    if (ctx.clock.now() >= deadline)
      return notShown(
        expected.filter((n) => !heard(n)),
        ctx,
      );
    await sleep(ctx.clock, LOOK_EVERY_MS);
  }
}

function notShown(silent: readonly NodeName[], ctx: NemesisContext): Evidence {
  const why = `no packet was dropped at ${silent.join(', ')} within ${DROPPED_MS_MAX} ms`;
  const others = hitByOthers(ctx.board, NAME);
  return others.size === 0 ? failed(why) : skipped(`${why}: other faults hold the nodes`);
}

async function remove(held: MachineHeld<Direction>, ctx: NemesisContext): Promise<Measured> {
  await undoAll(held);
  const left = await packetsOf(ctx).installed();
  if (left.length > 0) return { evidence: failed(`there are rules yet: ${left.join('; ')}`) };
  const wrong = await awaitRunning(NAME, held.nodes, ctx, 'its packets came through');
  return { evidence: wrong === undefined ? installed({ rules: 0 }) : failed(wrong) };
}
