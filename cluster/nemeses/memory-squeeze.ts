import { sleep } from '../../harness/core/clock.ts';
import { type NodeName, nanosFromMs } from '../../harness/core/units.ts';
import type { ResourceUsage, UndoFault } from '../../harness/protocols/machines.ts';
import type { Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { RoleSample } from '../../harness/protocols/system.ts';
import { hitByOthers } from '../targets.ts';
import { failed, type Measured } from './evidence.ts';
import { nemesisOf } from './lane.ts';
import {
  awaitRunning,
  type MachineHeld,
  machineHeld,
  onAll,
  proveMachines,
  undoAll,
} from './machine-fault.ts';
import { DOWN_TARGETS, type NodeSpec, ONE_MACHINE, planNodes, readNodeSpec } from './node-fault.ts';
import { canBeSqueezed, resourcesOf, usageOfAll } from './squeeze.ts';

const NAME = 'memory-squeeze';
/** A runtime that collects its garbage gives some memory back, and lives on for a while. */
const ENDED_MS_MAX = 20_000;
const SQUEEZE_EVERY_MS = 500;
const RESTORED_MS_MAX = 2_000;

interface Own {
  /** Filled by `install`. */
  before: ReadonlyMap<NodeName, ResourceUsage>;
}

/**
 * No memory beyond what the node uses, until the kernel ends it for the next page that it asks for:
 * at any point of its work, without a word. It is started again when the fault is over.
 */
export function memorySqueeze(): Nemesis {
  return nemesisOf<NodeSpec<null>, readonly RoleSample[], MachineHeld<Own>>({
    name: NAME,
    single: ONE_MACHINE,
    available: canBeSqueezed,
    read: (place) => readNodeSpec(place, [], () => null),
    draw: (random) => ({ target: random.pick(DOWN_TARGETS) }),
    survey: (_spec, { cluster }) => cluster.roles(),
    plan: (spec, roles, ctx) => {
      const choice = { lane: NAME, verb: 'no more memory for', isDown: true };
      return planNodes(choice, spec, roles, ctx, (nodes) =>
        machineHeld({ before: new Map() }, nodes),
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
  await squeezeUntilOver(held, ctx);
  const evidence = await proveMachines(NAME, nodes, ctx, 0, async (node) => {
    const { ranOutOfMemory, memoryBytes, memoryLimitBytes } = await resources.usage(node);
    const limit = `${mb(memoryLimitBytes)} MB`;
    if (ranOutOfMemory) return { is: 'proof', text: `out of memory at ${limit}` };
    if (memoryLimitBytes === 0) return { is: 'against', text: 'has no limit of memory' };
    return { is: 'against', text: `still gets by with ${mb(memoryBytes)} of ${limit}` };
  });
  return { evidence };
}

/**
 * Again and again, closer each time, until every node ended, or is held by another fault, or has had
 * its time.
 */
async function squeezeUntilOver(held: MachineHeld<Own>, ctx: NemesisContext): Promise<void> {
  const resources = resourcesOf(ctx);
  const deadline = ctx.clock.now() + nanosFromMs(ENDED_MS_MAX);
  for (let left = held.nodes; ctx.clock.now() < deadline; ) {
    await onAll(left, async (node) => {
      const before = held.undos.get(node);
      const undo = await resources.squeezeMemory(node);
      held.undos.set(node, both(before, undo));
    });
    await sleep(ctx.clock, SQUEEZE_EVERY_MS);
    const usages = await usageOfAll(left, resources);
    left = left.filter((node) => usages.get(node)?.ranOutOfMemory !== true);
    const others = hitByOthers(ctx.board, NAME);
    if (left.every((node) => others.has(node))) return;
  }
}

function both(first: UndoFault | undefined, second: UndoFault): UndoFault {
  if (first === undefined) return second;
  return async () => {
    await second();
    await first();
  };
}

async function remove(held: MachineHeld<Own>, ctx: NemesisContext): Promise<Measured> {
  const { own, nodes } = held;
  const resources = resourcesOf(ctx);
  await undoAll(held);
  const evidence = await proveMachines(NAME, nodes, ctx, RESTORED_MS_MAX, async (node) => {
    const { memoryLimitBytes: now } = await resources.usage(node);
    const { memoryLimitBytes: before = now } = own.before.get(node) ?? {};
    if (now === before)
      return { is: 'proof', text: now === 0 ? 'no limit' : `a limit of ${mb(now)} MB` };
    return { is: 'against', text: `should have its memory back, but has ${mb(now)} MB` };
  });
  if (evidence.result === 'failed') return { evidence };
  const wrong = await awaitRunning(NAME, nodes, ctx, 'it had its memory back');
  return { evidence: wrong === undefined ? evidence : failed(wrong) };
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
