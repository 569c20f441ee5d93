import { invariant } from '../../harness/core/invariant.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { PlugControl } from '../../harness/protocols/machines.ts';
import type { Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { DirectedLink } from '../../harness/protocols/network.ts';
import type { RoleSample } from '../../harness/protocols/system.ts';
import { failed, type Measured } from './evidence.ts';
import { nemesisOf } from './lane.ts';
import {
  awaitRunning,
  installAll,
  type MachineHeld,
  machineHeld,
  proveMachines,
  undoAll,
} from './machine-fault.ts';
import { DOWN_TARGETS, type NodeSpec, ONE_MACHINE, planNodes, readNodeSpec } from './node-fault.ts';
import type { Finding } from './process-fault.ts';

const NAME = 'unplug';
/** The engine says so at once; what was under way to the node may still arrive. */
const SHOWN_MS_MAX = 3_000;

/**
 * The machine's network is gone, and then there again: every link and every client at once, without
 * a word to anybody. Shown by the engine, and by a request through its client link.
 */
export function unplug(): Nemesis {
  return nemesisOf<NodeSpec<null>, readonly RoleSample[], MachineHeld<null>>({
    name: NAME,
    single: ONE_MACHINE,
    available: ({ plugs }) =>
      plugs !== undefined || 'only containers can be unplugged: --backend docker',
    read: (place) => readNodeSpec(place, [], () => null),
    draw: (random) => ({ target: random.pick(DOWN_TARGETS) }),
    survey: (_spec, { cluster }) => cluster.roles(),
    plan: (spec, roles, ctx) => {
      const choice = { lane: NAME, verb: 'unplug', isDown: true };
      const plan = planNodes(choice, spec, roles, ctx, (nodes) => machineHeld(null, nodes));
      if ('reason' in plan) return plan;
      return { ...plan, links: linksAround(plan.targets, ctx.cluster.nodes) };
    },
    install,
    remove,
  });
}

function plugsOf({ cluster }: NemesisContext): PlugControl {
  const { plugs } = cluster;
  invariant(plugs !== undefined, 'a node was to be unplugged that has no plug');
  return plugs;
}

/** Both ways between these and all others. */
export function linksAround(
  targets: readonly NodeName[],
  nodes: readonly NodeName[],
): readonly DirectedLink[] {
  return nodes.flatMap((from) =>
    nodes
      .filter((to) => to !== from && (targets.includes(from) || targets.includes(to)))
      .map((to) => ({ from, to })),
  );
}

async function install(held: MachineHeld<null>, ctx: NemesisContext): Promise<Measured> {
  const plugs = plugsOf(ctx);
  await installAll(held, (node) => plugs.pull(node));
  const evidence = await proveMachines(NAME, held.nodes, ctx, SHOWN_MS_MAX, async (node) => {
    if (await plugs.isPlugged(node))
      return { is: 'against', text: 'should be unplugged, but is on the network' };
    const roles = await ctx.cluster.roles();
    const answers = roles.some((role) => role.node === node && role.state === 'answered');
    if (answers) return { is: 'against', text: 'is unplugged, and still answers clients' };
    return { is: 'proof', text: 'off the network, and silent to clients' };
  });
  return { evidence };
}

async function remove(held: MachineHeld<null>, ctx: NemesisContext): Promise<Measured> {
  const plugs = plugsOf(ctx);
  await undoAll(held);
  const evidence = await proveMachines(NAME, held.nodes, ctx, SHOWN_MS_MAX, async (node) => {
    const isBack = await plugs.isPlugged(node);
    const finding: Finding = isBack
      ? { is: 'proof', text: 'on the network' }
      : { is: 'against', text: 'should be on the network again, but is not' };
    return finding;
  });
  if (evidence.result === 'failed') return { evidence };
  const wrong = await awaitRunning(NAME, held.nodes, ctx, 'it was plugged in');
  return { evidence: wrong === undefined ? evidence : failed(wrong) };
}
