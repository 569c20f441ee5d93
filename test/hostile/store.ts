/** A store that is wrong, and whose every word means harm; and what is asked of it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { linearizable } from '../../checkers/linearizable/checker.ts';
import { stats } from '../../checkers/stats.ts';
import { memory } from '../../cluster/systems/memory.ts';
import { sleep } from '../../harness/core/clock.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { unfold } from '../../harness/generator/basic.ts';
import { stagger } from '../../harness/generator/rate.ts';
import type { OpError } from '../../harness/history/op.ts';
import type {
  Cluster,
  DeployRequest,
  RegisterApi,
  System,
} from '../../harness/protocols/system.ts';
import type { Workload } from '../../harness/protocols/workload.ts';
import { finalReads } from '../../workloads/final-reads.ts';
import { registerClient } from '../../workloads/register-client.ts';
import { HOSTILE, HUGE, hostileLog } from './words.ts';

/** So often a read shows what was overwritten, and a write fails with hostile words. */
const STALE_EVERY = 25;
const ERROR_EVERY = 9;
const HUGE_EVERY = 200;

/** One register a key, with all the values that it had. */
function registers({ clock }: DeployRequest): () => RegisterApi {
  const values = new Map<string, JsonValue[]>();
  let count = 0;
  const valuesOf = (key: string): JsonValue[] => {
    const found = values.get(key) ?? [null];
    values.set(key, found);
    return found;
  };
  const error = (definite: boolean): OpError => {
    const word = HOSTILE[count % HOSTILE.length] ?? '';
    return { code: `code ${word}`, definite, message: `message ${word}` };
  };
  return () => ({
    read: async (key) => {
      const all = valuesOf(key);
      const isStale = ++count % STALE_EVERY === 0 && all.length > 2;
      const value = all.at(isStale ? -3 : -1) ?? null;
      await sleep(clock, 1);
      return { type: 'ok', value };
    },
    write: async (key, value) => {
      await sleep(clock, 1);
      if (++count % ERROR_EVERY === 0) return { type: 'fail', error: error(true) };
      valuesOf(key).push(value);
      if (count % ERROR_EVERY === 1) return { type: 'info', error: error(false) };
      return { type: 'ok', value: null };
    },
    cas: () => Promise.resolve({ type: 'fail', error: error(true) }),
  });
}

export const hostileStore: System = {
  ...memory,
  name: 'hostile',
  summary: 'says harmful things',
  options: {},
  bugs: [],
  deploy: async (request) => {
    const played = await memory.deploy(request);
    const open = registers(request);
    const log = join(request.dir, 'hostile.log');
    await writeFile(log, hostileLog());
    const cluster: Cluster = {
      ...played,
      facts: { version: HOSTILE.join(' '), [HOSTILE[0] ?? '']: HOSTILE },
      open: () =>
        Promise.resolve({
          apis: { register: open() },
          [Symbol.asyncDispose]: () => Promise.resolve(),
        }),
      logs: () => request.nodes.map((node) => ({ node, path: log })),
    };
    return cluster;
  },
};

/** Writes and reads of as many keys as there are hostile words. */
export const hostileWorkload: Workload = {
  name: 'hostile-words',
  summary: 'keys and values that mean harm',
  needs: ['register'],
  readModes: ['linearizable'],
  options: {},
  build: ({ rate, nodes, clientTimeoutMs }, random) => ({
    main: stagger(
      1000 / rate,
      unfold(
        0,
        (n, chance) => {
          const at = chance.int(0, HOSTILE.length - 1);
          const key = `key ${HOSTILE[at]}`;
          if (chance.float() < 0.5) return [{ f: 'read', key, mode: 'linearizable' }, n] as const;
          const value = n % HUGE_EVERY === 5 ? `${n} ${HUGE}` : `${n} ${HOSTILE[at]}`;
          return [{ f: 'write', key, value }, n + 1] as const;
        },
        random.fork('mix'),
      ),
      random.fork('rate'),
    ),
    final: (keys) => finalReads(keys, nodes),
    probe: { f: 'read', key: 'k0', value: null, mode: 'linearizable' },
    client: (apis) => registerClient(apis, { readMs: clientTimeoutMs, writeMs: clientTimeoutMs }),
  }),
  checkers: () => [linearizable({}), stats()],
};
