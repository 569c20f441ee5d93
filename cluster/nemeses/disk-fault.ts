/** What faults of disks share: a probe from outside tells each of them, and that it is over. */
import { invariant } from '../../harness/core/invariant.ts';
import type { Random } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { DiskControl, DiskProbe, UndoFault } from '../../harness/protocols/machines.ts';
import type { Evidence, Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { RoleSample, Timing } from '../../harness/protocols/system.ts';
import { hitByOthers } from '../targets.ts';
import { failed, installed, type Measured } from './evidence.ts';
import { ANSWER_MS_MAX, awaitAnswers } from './kill.ts';
import { nemesisOf } from './lane.ts';
import { type NodeSpec, planNodes, readNodeSpec } from './node-fault.ts';
import type { FaultOptions, Place } from './options.ts';
import { proveStates, stateText } from './process-fault.ts';

/** How long a process may take to run again on a disk that is well. */
const STATE_MS_MAX = 5000;

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
  install(disks: DiskControl, node: NodeName, own: Own): Promise<UndoFault>;
  /** Whether this is what a disk with the fault does. */
  shows(probe: DiskProbe, own: Own): boolean;
}

interface DiskHeld<Own> {
  readonly own: Own;
  readonly nodes: readonly NodeName[];
  /** Those that were installed and not taken away since. */
  readonly undos: Map<NodeName, UndoFault>;
}

/** Lanes of disks that refuse. */
const REFUSING: readonly string[] = ['failing-sync', 'full-disk'];

export function diskNemesis<Own>(fault: DiskFault<Own>): Nemesis {
  const { lane, refuses } = fault;
  return nemesisOf<NodeSpec<Own>, readonly RoleSample[], DiskHeld<Own>>({
    name: lane,
    available: ({ disks }) =>
      disks !== undefined || 'only a simulated disk can be made to fail: --backend sim',
    read: (place, timing) => readNodeSpec(place, fault.keys, () => fault.read(place, timing)),
    draw: (random, timing) => fault.draw(random, timing),
    survey: (_spec, { cluster }) => cluster.roles(),
    plan: (spec, roles, ctx) => {
      const notWith = refuses ? REFUSING.filter((other) => other !== lane) : [];
      const choice = { lane, verb: fault.verb(spec.own), isDown: refuses, notWith };
      return planNodes(choice, spec, roles, ctx, (nodes) => ({
        own: spec.own,
        nodes,
        undos: new Map(),
      }));
    },
    install: (held, ctx) => install(fault, held, ctx),
    remove: (held, ctx) => remove(fault, held, ctx),
  });
}

function disksOf({ cluster }: NemesisContext): DiskControl {
  const { disks } = cluster;
  invariant(disks !== undefined, 'a fault of disks was decided without disks');
  return disks;
}

async function install<Own>(
  fault: DiskFault<Own>,
  held: DiskHeld<Own>,
  ctx: NemesisContext,
): Promise<Measured> {
  const disks = disksOf(ctx);
  await onAll(held.nodes, async (node) => {
    held.undos.set(node, await fault.install(disks, node, held.own));
  });
  return { evidence: await probeAll(fault, held, disks, true) };
}

async function remove<Own>(
  fault: DiskFault<Own>,
  held: DiskHeld<Own>,
  ctx: NemesisContext,
): Promise<Measured> {
  await onAll([...held.undos.keys()], async (node) => {
    await held.undos.get(node)?.();
    held.undos.delete(node);
  });
  const evidence = await probeAll(fault, held, disksOf(ctx), false);
  if (evidence.result === 'failed' || !fault.refuses || ctx.cluster.processes === undefined)
    return { evidence };
  const running = await awaitRunning(fault.lane, held.nodes, ctx);
  return { evidence: running === undefined ? evidence : failed(running) };
}

/** Every node is tried, whatever becomes of the others; then the first refusal is thrown. */
async function onAll(
  nodes: readonly NodeName[],
  act: (node: NodeName) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(nodes.map(act));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function probeAll<Own>(
  fault: DiskFault<Own>,
  { nodes, own }: DiskHeld<Own>,
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
  return 'error' in probe ? `got ${probe.error}${took}` : `was synced${took}`;
}

/** What is wrong with processes that ended because of their disk: nothing, or one line. */
async function awaitRunning(
  lane: string,
  nodes: readonly NodeName[],
  ctx: NemesisContext,
): Promise<string | undefined> {
  const others = hitByOthers(ctx.board, lane);
  const proof = await proveStates(nodes, ctx, STATE_MS_MAX, (node, state) => {
    if (state.state === 'running') return { is: 'proof', text: stateText(state) };
    if (others.has(node)) return { is: 'other', text: `${stateText(state)} (another fault)` };
    return { is: 'against', text: `should run again, but is ${stateText(state)}` };
  });
  if (proof.result === 'failed') return proof.why;
  const silent = await awaitAnswers(nodes, ctx, lane);
  if (silent.length === 0) return undefined;
  return `${silent.join(', ')} did not answer within ${ANSWER_MS_MAX} ms after the disk was well`;
}
