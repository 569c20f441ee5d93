/** What faults of disks share: a probe from outside tells each of them, and that it is over. */
import { invariant } from '../../harness/core/invariant.ts';
import type { Random } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type {
  DiskAbility,
  DiskControl,
  DiskProbe,
  UndoFault,
} from '../../harness/protocols/machines.ts';
import type { Evidence, Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { Cluster, RoleSample, Timing } from '../../harness/protocols/system.ts';
import { failed, installed, type Measured } from './evidence.ts';
import { nemesisOf } from './lane.ts';
import {
  awaitRunning,
  installAll,
  type MachineHeld,
  machineHeld,
  undoAll,
} from './machine-fault.ts';
import { type NodeSpec, ONE_MACHINE, planNodes, readNodeSpec } from './node-fault.ts';
import type { FaultOptions, Place } from './options.ts';

/** What distinguishes one fault of disks from another. */
export interface DiskFault<Own> {
  readonly lane: string;
  /** Its own options, beside whom it hits. */
  readonly keys: readonly string[];
  /** Throws `bad-input`. */
  read(place: Place, timing: Timing): Own;
  draw(random: Random, timing: Timing): FaultOptions;
  /** For people: `disk full on`. */
  verb(own: Own): string;
  /**
   * A node whose disk refuses ends itself: it counts as down, and its disk can refuse in one way at
   * a time only, so that a probe shows which.
   */
  readonly refuses: boolean;
  /** What the disks must be able to. */
  readonly needs: DiskAbility;
  install(disks: DiskControl, node: NodeName, own: Own): Promise<UndoFault>;
  /** Whether this is what a disk with the fault does. */
  shows(probe: DiskProbe, own: Own): boolean;
}

/** Lanes of disks that refuse. */
const REFUSING: readonly string[] = ['failing-sync', 'full-disk'];

export function diskNemesis<Own>(fault: DiskFault<Own>): Nemesis {
  const { lane, refuses } = fault;
  return nemesisOf<NodeSpec<Own>, readonly RoleSample[], MachineHeld<Own>>({
    name: lane,
    single: ONE_MACHINE,
    available: (cluster) => canOnDisks(cluster, fault.needs),
    read: (place, timing) => readNodeSpec(place, fault.keys, () => fault.read(place, timing)),
    draw: (random, timing) => fault.draw(random, timing),
    survey: (_spec, { cluster }) => cluster.roles(),
    plan: (spec, roles, ctx) => {
      const notWith = refuses ? REFUSING.filter((other) => other !== lane) : [];
      const choice = { lane, verb: fault.verb(spec.own), isDown: refuses, notWith };
      return planNodes(choice, spec, roles, ctx, (nodes) => machineHeld(spec.own, nodes));
    },
    install: (held, ctx) => install(fault, held, ctx),
    remove: (held, ctx) => remove(fault, held, ctx),
  });
}

/** Where disks can be made to fail in this way. */
const REMEDIES: Readonly<Record<DiskAbility, string>> = {
  slow: 'only a simulated disk can be slow: --backend sim',
  'fail-sync': 'only a simulated disk can fail: --backend sim',
  fill:
    'only a simulated disk can be full, or a small one of its own: --backend sim, ' +
    'or --backend docker with -O data-size=256m',
};

function canOnDisks({ disks }: Cluster, ability: DiskAbility): true | string {
  return disks?.can.has(ability) === true || REMEDIES[ability];
}

function disksOf({ cluster }: NemesisContext): DiskControl {
  const { disks } = cluster;
  invariant(disks !== undefined, 'a fault of disks was decided without disks');
  return disks;
}

async function install<Own>(
  fault: DiskFault<Own>,
  held: MachineHeld<Own>,
  ctx: NemesisContext,
): Promise<Measured> {
  const disks = disksOf(ctx);
  await installAll(held, (node, own) => fault.install(disks, node, own));
  return { evidence: await probeAll(fault, held, disks, true) };
}

async function remove<Own>(
  fault: DiskFault<Own>,
  held: MachineHeld<Own>,
  ctx: NemesisContext,
): Promise<Measured> {
  await undoAll(held);
  const evidence = await probeAll(fault, held, disksOf(ctx), false);
  if (evidence.result === 'failed' || !fault.refuses || ctx.cluster.processes === undefined)
    return { evidence };
  const running = await awaitRunning(fault.lane, held.nodes, ctx, 'the disk was well');
  return { evidence: running === undefined ? evidence : failed(running) };
}

async function probeAll<Own>(
  fault: DiskFault<Own>,
  { nodes, own }: MachineHeld<Own>,
  disks: DiskControl,
  expected: boolean,
): Promise<Evidence> {
  const probes = await Promise.all(
    nodes.map(async (node) => [node, await disks.probe(node)] as const),
  );
  const wrong = probes.find(([, probe]) => fault.shows(probe, own) !== expected);
  if (wrong !== undefined) {
    const [node, probe] = wrong;
    const should = expected ? 'show the fault' : 'be well again';
    return failed(`the disk of ${node} should ${should}, but the probe ${probeText(probe)}`);
  }
  return installed(Object.fromEntries(probes.map(([node, probe]) => [node, probeText(probe)])));
}

function probeText(probe: DiskProbe): string {
  const took = probe.syncMs === undefined ? '' : ` after ${probe.syncMs.toFixed(1)} ms`;
  if (probe.error !== undefined) return `got ${probe.error}${took}`;
  return probe.syncMs === undefined ? 'was written' : `was synced${took}`;
}
