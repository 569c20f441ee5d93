/** The example program as a system under test: what a workload asks, in the words of its `Api`. */
import { VirtualClock } from '../../../harness/core/clock.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { JsonValue } from '../../../harness/core/json.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import type {
  Outcome,
  RegisterApi,
  RoleSample,
  System,
} from '../../../harness/protocols/system.ts';
import { clockControl, diskControl } from './controls.ts';
import {
  BEAT_MS,
  primaryBackup,
  type Replica,
  type Request,
  SILENCE_MS,
} from './example-primary-backup.ts';
import { SIM_ABILITIES } from './network.ts';
import { SimWorld } from './world.ts';

const TIMING = { heartbeatMs: BEAT_MS, electionMs: SILENCE_MS };
const ROLES_MS = 500;

/** A partition makes it lose what it acknowledged; killed nodes, pauses and slow links do not. */
export const primaryBackupSystem: System = {
  name: 'primary-backup',
  summary: 'an example for the simulator, with a flaw: its backup takes silence for death',
  capabilities: ['register'],
  backends: ['sim'],
  promises: { linearizable: 'linearizable', serializable: 'linearizable' },
  defaultNodes: 3,
  options: {},
  network: SIM_ABILITIES,
  timing: () => TIMING,
  available: () => Promise.resolve(true),
  deploy: async ({ clock, random, log, nodes, latencyMs }) => {
    invariant(clock instanceof VirtualClock, 'the simulator runs on virtual time');
    const world = new SimWorld({ clock, random, log, nodes, latencyMs, program: primaryBackup });
    await world.start();
    return {
      nodes,
      timing: TIMING,
      facts: { version: 'example', simulated: true },
      network: world.network,
      processes: world.processes,
      disks: diskControl(world, nodes),
      clocks: clockControl(world, clock),
      open: (node) =>
        Promise.resolve({
          apis: { register: registerAt(world, node) },
          [Symbol.asyncDispose]: () => Promise.resolve(),
        }),
      roles: () => Promise.all(nodes.map((node) => roleOf(world, node))),
      ready: (timeoutMs) => world.ready(timeoutMs),
      crashed: () => world.crashed(),
      logs: () => [],
      [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
    };
  },
};

function registerAt(world: SimWorld<Replica>, node: NodeName): RegisterApi {
  const ask = async (request: Request, timeoutMs: number): Promise<Outcome<JsonValue>> => {
    const result = await world.call(node, (replica) => replica.ask(request), timeoutMs);
    const answer = result.type === 'answer' ? result.value : result;
    if (answer.type === 'done') return { type: 'ok', value: answer.seen };
    // A read that nobody answered did nothing, either.
    const definite = answer.type === 'refused' || request.f === 'read';
    return { type: definite ? 'fail' : 'info', error: { code: answer.type, definite } };
  };
  return {
    read: (key, _mode, { timeoutMs }) => ask({ f: 'read', key }, timeoutMs),
    write: async (key, to, { timeoutMs }) => {
      const outcome = await ask({ f: 'write', key, to }, timeoutMs);
      return outcome.type === 'ok' ? { type: 'ok', value: null } : outcome;
    },
    cas: async (key, from, to, { timeoutMs }) => {
      const outcome = await ask({ f: 'cas', key, from, to }, timeoutMs);
      if (outcome.type !== 'ok') return outcome;
      if (outcome.value === from) return { type: 'ok', value: null };
      const error = { code: 'cas-mismatch', definite: true };
      return { type: 'fail', error, seen: outcome.value };
    },
  };
}

async function roleOf(world: SimWorld<Replica>, node: NodeName): Promise<RoleSample> {
  const sample = await world.call(
    node,
    ({ primary, term }) => Promise.resolve({ primary, term }),
    ROLES_MS,
  );
  if (sample.type !== 'answer') return { node, role: 'unknown', state: 'unreachable' };
  const { primary, term } = sample.value;
  const role = primary === node ? 'leader' : 'follower';
  return { node, role, state: 'answered', term, ...(primary !== undefined && { leader: primary }) };
}
