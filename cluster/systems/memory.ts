import type { Clock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { suggest } from '../../harness/core/suggest.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Grudge, LinkState, Network } from '../../harness/protocols/network.ts';
import type { Cluster, ProcessControl, System, Timing } from '../../harness/protocols/system.ts';
import { isMemoryBug, MEMORY_BUGS, type MemoryBug } from './memory-bugs.ts';
import { memoryRegister } from './memory-register.ts';
import { MemoryWorld } from './memory-world.ts';

const TIMING: Timing = { heartbeatMs: 10, electionMs: 100 };
const can: Network['can'] = new Set(['cut'] as const);

/**
 * A linearizable store inside this process, with nodes, links and faults that are only played. It
 * tests the harness: the correct one must never be accused, each wrong twin must be found.
 */
export const memory: System = {
  name: 'memory',
  summary: 'an in-process store that tests the harness itself',
  capabilities: ['register'],
  backends: ['memory'],
  promises: { linearizable: 'linearizable', serializable: 'serializable' },
  defaultNodes: 5,
  options: {
    bug: `be wrong in one way: ${Object.keys(MEMORY_BUGS).join(', ')}`,
  },
  bugs: Object.keys(MEMORY_BUGS),
  network: can,
  timing: (options) => {
    bugOf(options);
    return TIMING;
  },
  available: () => Promise.resolve(true),
  deploy: ({ nodes, clock, random, options }) => {
    const bug = bugOf(options);
    const world = new MemoryWorld(nodes, clock, random.fork('lag'), bug);
    const dirty = new Map<string, JsonValue>();
    let opened = 0;
    const cluster: Cluster = {
      nodes,
      timing: TIMING,
      facts: { version: 'in-process', ...(bug !== undefined && { bug: MEMORY_BUGS[bug] }) },
      network: memoryNetwork(world, clock),
      processes: memoryProcesses(world),
      open: (node) => {
        const stream = random.fork(`connection-${opened++}`);
        const register = memoryRegister(node, { world, clock, random: stream, bug, dirty });
        return Promise.resolve({ apis: { register }, [Symbol.asyncDispose]: closed });
      },
      roles: () => Promise.resolve(world.roles()),
      ready: () => Promise.resolve(),
      crashed: () => [],
      logs: () => [],
      [Symbol.asyncDispose]: closed,
    };
    return Promise.resolve(cluster);
  },
};

/** Throws `bad-option` for a bug that this store cannot have. */
function bugOf({ bug }: Readonly<Record<string, string>>): MemoryBug | undefined {
  if (bug === undefined || isMemoryBug(bug)) return bug;
  const known = Object.keys(MEMORY_BUGS);
  throw new HarnessError(
    'bad-option',
    `memory has no bug '${bug}'${suggest(bug, known)}; it has: ${known.join(', ')}`,
  );
}

const closed = (): Promise<void> => Promise.resolve();

function memoryProcesses(world: MemoryWorld): ProcessControl {
  const set = (node: NodeName, change: { up?: boolean; paused?: boolean }): Promise<void> => {
    Object.assign(world.state(node), change);
    world.update();
    return Promise.resolve();
  };
  return {
    kill: (node) => set(node, { up: false, paused: false }),
    start: (node) => {
      world.state(node).starts++;
      return set(node, { up: true });
    },
    pause: (node) => set(node, { paused: true }),
    resume: (node) => set(node, { paused: false }),
    state: (node) => {
      const { up, paused } = world.state(node);
      if (!up) return Promise.resolve({ state: 'gone' });
      return Promise.resolve({ state: paused ? 'paused' : 'running' });
    },
  };
}

function memoryNetwork(world: MemoryWorld, clock: Clock): Network {
  const change = (grudge: Grudge, by: 1 | -1): Promise<void> => {
    for (const link of linksOf(grudge)) {
      const count = (world.cuts.get(link) ?? 0) + by;
      if (count > 0) world.cuts.set(link, count);
      else world.cuts.delete(link);
    }
    world.update();
    return Promise.resolve();
  };
  return {
    can,
    drop: (grudge) => change(grudge, 1),
    undrop: (grudge) => change(grudge, -1),
    shape: (_link, { kind }) => {
      throw new HarnessError('unsupported', `memory cannot shape a link with '${kind}'`);
    },
    heal: () => {
      world.cuts.clear();
      world.update();
      return Promise.resolve();
    },
    installed: () => Promise.resolve([...world.cuts.keys()].map((link) => `cut ${link}`)),
    observe: async () => {
      await clock.turn();
      return world.nodes.flatMap((from) =>
        world.nodes
          .filter((to) => to !== from)
          .map((to): LinkState => {
            const down = !world.state(from).up || !world.state(to).up;
            const state = world.cuts.has(`${from}>${to}`) ? 'cut' : 'open';
            return { from, to, state: down ? 'unknown' : state };
          }),
      );
    },
  };
}

/** The directed links that a grudge cuts: a node must not hear from those it holds it against. */
function linksOf(grudge: Grudge): string[] {
  return [...grudge].flatMap(([to, froms]) => [...froms].map((from) => `${from}>${to}`));
}
