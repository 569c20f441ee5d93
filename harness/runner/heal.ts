import { withDeadline } from '../core/deadline.ts';
import { messageOf } from '../core/errors.ts';
import type { Op, OpDraft } from '../history/op.ts';
import type { Evidence, FaultValue, Nemesis, NemesisContext } from '../protocols/nemesis.ts';
import type { RunProblem } from '../protocols/run.ts';

const LANE_MS_MAX = 30_000;
const READY_MS_MAX = 30_000;

/** A fault that began and has not ended. */
export interface OpenFault {
  readonly op: Op;
  readonly value: FaultValue;
}

export interface HealRequest {
  readonly nemeses: readonly Nemesis[];
  /** By lane; emptied here. */
  readonly openFaults: Map<string, OpenFault>;
  readonly context: NemesisContext;
  readonly record: (draft: OpDraft) => Op;
}

/**
 * Undoes every fault, in every lane at once, then looks from outside whether anything is left.
 * What still stands is a problem of the run, never silently carried into the final reads.
 */
export async function healAll(request: HealRequest): Promise<RunProblem[]> {
  const problems = await Promise.all(request.nemeses.map((nemesis) => healLane(nemesis, request)));
  // One after the other: a node that is not plugged in has links that nobody can look at.
  const machines = await lookAtMachines(request);
  return [...problems, machines, await healNetwork(request), await awaitReady(request)].filter(
    (found) => found !== undefined,
  );
}

async function healLane(nemesis: Nemesis, request: HealRequest): Promise<RunProblem | undefined> {
  const { context, openFaults, record } = request;
  const open = openFaults.get(nemesis.name);
  const entry = open && {
    process: 'nemesis' as const,
    f: open.op.f,
    phase: 'heal' as const,
    lane: nemesis.name,
    ...(open.op.id !== undefined && { id: open.op.id }),
  };
  if (entry) record({ ...entry, type: 'invoke', value: { stage: 'end' } });
  let evidence: Evidence;
  try {
    const healing = nemesis.heal({ ...context, lane: nemesis.name });
    evidence = await withDeadline(context.clock, LANE_MS_MAX, `heal ${nemesis.name}`, healing);
  } catch (error) {
    evidence = { result: 'failed', why: messageOf(error) };
  }
  openFaults.delete(nemesis.name);
  if (entry) {
    const { fault, text, targets } = open.value;
    const value = { stage: 'end', fault, text, targets, evidence: { ...evidence } };
    record({ ...entry, type: 'info', value });
  }
  if (evidence.result !== 'failed') return undefined;
  return problem(`${nemesis.name} could not be undone: ${evidence.why}`);
}

async function healNetwork(request: HealRequest): Promise<RunProblem | undefined> {
  const { network } = request.context.cluster;
  if (network === undefined) return undefined;
  try {
    const { clock } = request.context;
    await withDeadline(clock, LANE_MS_MAX, 'heal the links', network.heal());
    const look = network.installed();
    const left = await withDeadline(clock, LANE_MS_MAX, 'look at the links', look);
    return left.length === 0
      ? undefined
      : problem(`still on the links after heal: ${left.join(', ')}`);
  } catch (error) {
    return problem(`the links could not be healed: ${messageOf(error)}`);
  }
}

/** What lanes made of machines they undo themselves; whether they did is asked here. */
async function lookAtMachines(request: HealRequest): Promise<RunProblem | undefined> {
  const { cluster, clock } = request.context;
  const { disks, resources, plugs, packets } = cluster;
  const controls = [disks, resources, plugs, packets].filter((control) => control !== undefined);
  try {
    const look = Promise.all(controls.map((control) => control.installed()));
    const left = (await withDeadline(clock, LANE_MS_MAX, 'look at the machines', look)).flat();
    return left.length === 0
      ? undefined
      : problem(`still on the machines after heal: ${left.join(', ')}`);
  } catch (error) {
    return problem(`the machines could not be looked at: ${messageOf(error)}`);
  }
}

async function awaitReady(request: HealRequest): Promise<RunProblem | undefined> {
  const { cluster } = request.context;
  try {
    await cluster.ready(READY_MS_MAX);
    return undefined;
  } catch (error) {
    const crashed = cluster.crashed().map(({ node, how }) => `${node} ${how}`);
    const ended = crashed.length === 0 ? '' : ` (ended by themselves: ${crashed.join(', ')})`;
    return problem(`the cluster did not come back after heal: ${messageOf(error)}${ended}`);
  }
}

function problem(message: string): RunProblem {
  return { step: 'heal', severity: 'fatal', message };
}
