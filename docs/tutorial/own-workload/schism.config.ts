/** A store that is no register, and the workload that knows how to ask it: a counter. */
import {
  type Clock,
  clients,
  defineConfig,
  findModel,
  limit,
  linearizable,
  mix,
  op,
  repeat,
  type SchismConfig,
  type System,
  sleep,
  stagger,
  stats,
  type Workload,
} from 'schism';

/** What the two agree on. Whoever adds is told the new sum. */
interface Counter {
  get(): Promise<number>;
  add(amount: number): Promise<number>;
}

/** Wrong in the way of many: it reads, it adds, and somebody else was there in between. */
function counterOn(clock: Clock): Counter {
  let sum = 0;
  return {
    get: () => Promise.resolve(sum),
    add: async (amount) => {
      const seen = sum;
      await sleep(clock, 2);
      sum = seen + amount;
      return sum;
    },
  };
}

const TIMING = { heartbeatMs: 10, electionMs: 100 };
const nothing = (): Promise<void> => Promise.resolve();

const tally: System = {
  name: 'tally',
  summary: 'a counter within this process, as an example',
  capabilities: ['own'],
  backends: ['memory'],
  promises: { linearizable: 'linearizable', serializable: 'serializable' },
  defaultNodes: 1,
  options: {},
  network: new Set(),
  timing: () => TIMING,
  available: () => Promise.resolve(true),
  deploy: ({ nodes, clock }) => {
    const own = counterOn(clock);
    return Promise.resolve({
      nodes,
      timing: TIMING,
      facts: {},
      open: () => Promise.resolve({ apis: { own }, [Symbol.asyncDispose]: nothing }),
      roles: () => Promise.resolve([]),
      ready: nothing,
      crashed: () => [],
      logs: () => [],
      [Symbol.asyncDispose]: nothing,
    });
  },
};

const read = { f: 'read', key: 'sum', value: null } as const;
const add = { f: 'add-and-get', key: 'sum', value: 1 } as const;

const count: Workload = {
  name: 'count',
  summary: 'adds one, and looks what the sum is',
  needs: ['own'],
  readModes: [],
  options: {},
  build: ({ rate }, random) => ({
    main: stagger(
      1000 / rate,
      mix([repeat(op(read)), repeat(op(add))], random.fork('mix')),
      random.fork('rate'),
    ),
    final: () => clients(limit(1, op(read))),
    probe: read,
    client: (apis) => {
      const counter = apis.own as Counter;
      return {
        invoke: async ({ f }) => {
          const value = f === 'read' ? await counter.get() : await counter.add(1);
          return { type: 'ok', value };
        },
      };
    },
  }),
  checkers: () => [linearizable({ model: findModel('counter') }), stats()],
};

const config: SchismConfig = defineConfig({
  systems: [tally],
  workloads: [count],
  system: 'tally',
  workload: 'count',
  clients: 4,
  faults: false,
  rate: 200,
  duration: '3s',
});
export default config;
