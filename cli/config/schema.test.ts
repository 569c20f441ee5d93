import { describe, expect, test } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import { parseConfig } from './schema.ts';

/** The line of an error, and those below it. */
function complaints(value: unknown): string[] {
  try {
    parseConfig(value, 'c.ts');
  } catch (error) {
    expect.assert(error instanceof HarnessError);
    expect(error.code).toBe('bad-option');
    return [error.message, ...(error.details?.split('\n') ?? [])];
  }
  return [];
}

const one = { client: '127.0.0.1:1' };
const two = { client: '127.0.0.1:2' };
const attach = (nodes: unknown): unknown => ({ attach: { nodes } });
const linked = (client: string, probes: object): object => ({
  client,
  links: { toxiproxy: 'h:8474', peer: `${client}0`, probes },
});

describe('a config', () => {
  test('comes out as it went in, addresses as host:port and the Toxiproxy as a URL', () => {
    const links = {
      toxiproxy: 'b.example:8474/',
      peer: 'http://h:3',
      probes: { n2: 'http://h:4/' },
    };
    const n1 = {
      client: 'http://127.0.0.1:1/',
      links,
      commands: { kill: ['k'], start: ['s', '1'] },
    };
    const timing = { heartbeat: '50ms' };
    const nodes = { n1, n2: linked('h:2', { n1: 'h:5' }) };
    const read = parseConfig({ duration: '5s', faults: false, attach: { nodes, timing } }, 'c.ts');
    expect(read).toEqual({
      duration: '5s',
      faults: false,
      attach: {
        nodes: {
          n1: {
            client: '127.0.0.1:1',
            links: { toxiproxy: 'http://b.example:8474', peer: 'h:3', probes: { n2: 'h:4' } },
            commands: { kill: ['k'], start: ['s', '1'] },
          },
          n2: {
            client: 'h:2',
            links: { toxiproxy: 'http://h:8474', peer: 'h:20', probes: { n1: 'h:5' } },
          },
        },
        timing,
      },
    });
    expect(parseConfig({}, 'c.ts')).toEqual({});
  });

  test.each([
    [{ durration: '5s' }, "c.ts: has no 'durration' (did you mean 'duration'?); it has: system,"],
    [{ duration: 5 }, "c.ts: duration: must be a text such as '500ms', '30s' or '5m'"],
    [{ faults: true }, "c.ts: faults: must be false, or a list such as ['partition']"],
    [{ backend: 'dokcer' }, 'c.ts: backend: must be one of memory, process, sim, docker, attach'],
    [{ readModes: ['stale'] }, 'c.ts: readModes.0: must be linearizable or serializable'],
    [{ attach: {} }, 'c.ts: attach.nodes: is missing; it is an object: each node mapped to'],
    ['nonsense', 'c.ts: must be an object with keys'],
    [undefined, 'c.ts: must be an object with keys'],
    [attach({ N1: one }), 'c.ts: attach.nodes.N1: '],
    [
      attach({ n1: { ...one, toxyproxy: 'h:1' } }),
      "c.ts: attach.nodes.n1: has no 'toxyproxy'; it has: client, direct, links, container, commands",
    ],
    [attach({ n1: {} }), 'c.ts: attach.nodes.n1.client: is missing; it is an address such as'],
    [
      attach({ n1: { client: 'https://h:1' } }),
      "c.ts: attach.nodes.n1.client: must be an address such as '127.0.0.1:2379' or " +
        "'http://n1:2379'; TLS cannot be spoken yet",
    ],
    [attach({ n1: { client: 'h:65536' } }), 'c.ts: attach.nodes.n1.client: has no such port'],
    [attach({ n1: { client: 'user@h:1' } }), 'c.ts: attach.nodes.n1.client: must be an address'],
    [attach({ n1: one, n2: one }), 'c.ts: attach.nodes.n2.client: is the same as that of n1'],
    [
      attach({ n1: { ...one, container: 'a', commands: {} } }),
      'c.ts: attach.nodes.n1: give container or commands, not both',
    ],
    [
      attach({ n1: { ...one, commands: { kill: ['kill', '1'] } } }),
      'c.ts: attach.nodes.n1.commands: kill and start go together: what is killed must come back',
    ],
    [
      attach({ n1: { ...one, commands: { kill: 'pkill etcd' } } }),
      'c.ts: attach.nodes.n1.commands.kill: must be a list: the program and its arguments, such',
    ],
    [
      attach({ n1: linked('h:1', { n2: 'h:3' }), n2: two }),
      'c.ts: attach.nodes.n2: has no links, but n1 has: give all or none',
    ],
    [
      attach({ n1: linked('h:1', {}), n2: linked('h:2', { n1: 'h:3' }) }),
      'c.ts: attach.nodes.n1.links.probes: lacks n2',
    ],
    [
      attach({ n1: linked('h:1', { n2: 'h:3', n9: 'h:4' }), n2: linked('h:2', { n1: 'h:3' }) }),
      "c.ts: attach.nodes.n1.links.probes: n9 is no peer (did you mean 'n2'?)",
    ],
  ])('that cannot be used is refused in one line: %j', (value, line) => {
    expect(complaints(value)[0]?.slice(0, line.length)).toBe(line);
  });

  test('with several mistakes names them all', () => {
    expect(complaints({ rate: 'fast', clients: [] })).toEqual([
      "c.ts: clients: must be a number, or '2n' for two a node",
      'c.ts: rate: must be a number of operations a second',
    ]);
  });
});

describe('what a config says of a suite', () => {
  const store = { name: 'mine', options: {}, available: () => true, deploy: () => undefined };

  test('comes out as it went in, and what is made of code is the same thing', () => {
    const systems = [store];
    const quake = (): object => ({});
    const config = {
      testDir: 'chaos',
      projects: [{ name: 'a', rate: 3 }, { name: 'b' }],
      workers: 2,
      maxFailures: 0,
      infraRetries: 1,
      forbidOnly: true,
      passWithNoTests: false,
      reporters: ['line', ['junit', { outputFile: 'junit.xml' }]],
      retain: { data: 'never', runs: { max: 100, maxSize: '5GB', maxAge: '30d' } },
      thresholds: { ops_unknown: ['rate<0.1'] },
      schedule: [{ at: '1s', fault: 'pause', for: '1s', target: 'leader', nodes: ['n1', null] }],
      systems,
      nemeses: { quake },
    };
    const read = parseConfig(config, 'c.ts');
    expect(read).toEqual(config);
    expect(read.systems?.[0]).toBe(store);
    expect(read.nemeses?.['quake']).toBe(quake);
  });

  test.each([
    [{ testdir: 'x' }, "c.ts: has no 'testdir' (did you mean 'testDir'?)"],
    [{ projects: [{ rate: 1 }] }, 'c.ts: projects.0.name: is missing; it is a text'],
    [
      { projects: [{ name: 'a' }, { name: 'a' }] },
      "c.ts: projects.1: there is a project 'a' already",
    ],
    [{ projects: [{ name: 'a', testDir: 'x' }] }, "c.ts: projects.0: has no 'testDir'"],
    [{ workers: 0 }, 'c.ts: workers: must be a whole number from 1 to 64'],
    [{ workers: 1.5 }, 'c.ts: workers: must be a whole number from 1 to 64'],
    [{ infraRetries: 11 }, 'c.ts: infraRetries: must be a whole number from 0 to 10'],
    [{ forbidOnly: 'yes' }, 'c.ts: forbidOnly: must be true or false'],
    [
      { reporters: [['junit', { file: 'x' }]] },
      "c.ts: reporters.0: must be a name such as 'junit'",
    ],
    [{ retain: { data: 'sometimes' } }, 'c.ts: retain.data: must be always, on-failure or never'],
    [{ thresholds: { a: 'rate>1' } }, 'c.ts: thresholds.a: must be a list of expressions such as'],
    [
      { systems: [{ name: 'x' }] },
      'c.ts: systems.0: must be a system, with name, options, available, deploy',
    ],
    [{ systems: [{ ...store, name: 'A+B' }] }, 'c.ts: systems.0: has no name of small letters'],
    [{ workloads: ['register'] }, 'c.ts: workloads.0: must be a workload, with name'],
    [{ nemeses: { quake: {} } }, 'c.ts: nemeses.quake: must be a function that makes a fault'],
    [
      { schedule: [{ at: '1s', fault: 'x', for: () => 1 }] },
      'c.ts: schedule: must be a file, or faults',
    ],
  ])('is refused in one line where it cannot be used: %j', (value, line) => {
    expect(complaints(value)[0]?.slice(0, line.length)).toBe(line);
  });
});
