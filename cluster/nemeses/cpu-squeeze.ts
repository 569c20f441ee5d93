import type { NodeName } from '../../harness/core/units.ts';
import type { ResourceUsage } from '../../harness/protocols/machines.ts';
import type { Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
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
import { amountOf } from './options.ts';
import { canBeSqueezed, resourcesOf, usageOfAll } from './squeeze.ts';

const NAME = 'cpu-squeeze';
const CPUS = 0.05;
/** From slow to all but dead. */
const CPUS_DRAWN: readonly number[] = [0.01, 0.02, 0.05, 0.1];
/** An idle node may get by with its share for a while. */
const THROTTLED_MS_MAX = 10_000;
const RESTORED_MS_MAX = 2_000;

interface Own {
  readonly cpus: number;
  /** Filled by `install`. */
  before: ReadonlyMap<NodeName, ResourceUsage>;
}

/**
 * A small part of one processor, as on a host that others keep busy: the node lives and is late for
 * everything, so it counts as down. Shown by the engine's count of how often it had to wait.
 */
export function cpuSqueeze(): Nemesis {
  return nemesisOf<NodeSpec<number>, readonly RoleSample[], MachineHeld<Own>>({
    name: NAME,
    single: ONE_MACHINE,
    available: canBeSqueezed,
    read: (place) => readNodeSpec(place, ['cpus'], () => amountOf(place, 'cpus', CPUS)),
    draw: (random) => ({ target: random.pick(DOWN_TARGETS), cpus: random.pick(CPUS_DRAWN) }),
    survey: (_spec, { cluster }) => cluster.roles(),
    plan: (spec, roles, ctx) => {
      const choice = { lane: NAME, verb: `${spec.own} of a processor for`, isDown: true };
      return planNodes(choice, spec, roles, ctx, (nodes) =>
        machineHeld({ cpus: spec.own, before: new Map() }, nodes),
      );
    },
    install,
    remove,
  });
}

async function install(held: MachineHeld<Own>, ctx: NemesisContext): Promise<Measured> {
  const { own, nodes } = held;
  const resources = resourcesOf(ctx);
  own.before = await usageOfAll(nodes, resources);
  await installAll(held, (node, { cpus }) => resources.squeezeCpu(node, cpus));
  const evidence = await proveMachines(NAME, nodes, ctx, THROTTLED_MS_MAX, async (node) => {
    const { cpuLimit, throttled } = await resources.usage(node);
    if (!isLimit(cpuLimit, own.cpus))
      return { is: 'against', text: `should have ${own.cpus} processors, but ${has(cpuLimit)}` };
    // A container that was started anew counts from zero.
    const { throttled: before = 0 } = own.before.get(node) ?? {};
    const waited = throttled < before ? throttled : throttled - before;
    if (waited > 0) return { is: 'proof', text: `${has(cpuLimit)}, waited ${waited} times` };
    return { is: 'against', text: `${has(cpuLimit)}, and never had to wait` };
  });
  return { evidence };
}

async function remove(held: MachineHeld<Own>, ctx: NemesisContext): Promise<Measured> {
  const { own, nodes } = held;
  const resources = resourcesOf(ctx);
  await undoAll(held);
  const evidence = await proveMachines(NAME, nodes, ctx, RESTORED_MS_MAX, async (node) => {
    const { cpuLimit } = await resources.usage(node);
    const { cpuLimit: before = cpuLimit } = own.before.get(node) ?? {};
    if (isLimit(cpuLimit, before)) return { is: 'proof', text: has(cpuLimit) };
    return { is: 'against', text: `should be as before, but ${has(cpuLimit)}` };
  });
  if (evidence.result === 'failed') return { evidence };
  const wrong = await awaitRunning(NAME, nodes, ctx, 'it had its processors back');
  return { evidence: wrong === undefined ? evidence : failed(wrong) };
}

/** The engine counts in whole microseconds of a period. */
function isLimit(seen: number, expected: number): boolean {
  return Math.abs(seen - expected) < 0.001;
}

function has(cpus: number): string {
  return cpus === 0 ? 'has all processors' : `has ${cpus} processors`;
}
