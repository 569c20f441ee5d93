/**
 * Packets that the kernel drops in a node's network namespace. The rules are set by the iptables of
 * the engine's own machine, which every engine needs, in a container that shares the namespace: so
 * it takes neither an image with iptables, nor root here, nor an engine on this machine.
 */
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import type { PacketControl, UndoFault } from '../../../harness/protocols/machines.ts';
import { type Container, createContainer } from './container.ts';
import { callEngine, type Engine } from './engine.ts';
import { labelsOf, type Made } from './made.ts';
import type { Topology } from './topology.ts';

/** Read only. Where a machine has a merged `/usr`, the others lead into it. */
const HOST_FOLDERS = ['/usr', '/bin', '/sbin', '/lib', '/lib64'] as const;
const PATH = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin';
/** The first that works: the tables are the namespace's own, so either kind does. */
const PROGRAMS = ['iptables-nft', 'iptables-legacy', 'iptables'] as const;
/** Tells our rules from others. */
const MARK = 'schism';
const FOREVER_S = '2147483647';

/** Sets the rules of one node. */
interface Helper {
  readonly container: Container;
  /** Resolves to what it said; throws `engine-failed` when it refuses. */
  iptables(args: readonly string[]): Promise<string>;
}

/**
 * Its containers are made when they are first needed, and removed when it is disposed of.
 * `logPath`: of a file, for each node.
 */
export function packetControl(
  made: Made,
  topology: Topology,
  logPath: (node: NodeName) => string,
): PacketControl & AsyncDisposable {
  const helpers = new Map<NodeName, Promise<Helper>>();
  const helperOf = (node: NodeName): Promise<Helper> => {
    const known = helpers.get(node);
    if (known !== undefined) return known;
    const helper = openHelper(made, topology, node, logPath(node));
    helpers.set(node, helper);
    // So that a later fault tries again.
    helper.catch(() => helpers.delete(node));
    return helper;
  };
  const rulesOf = async (node: NodeName): Promise<readonly string[]> => {
    const helper = helpers.get(node);
    if (helper === undefined) return [];
    const listed = await (await helper).iptables(['-v', '-S', 'INPUT']);
    return listed.split('\n').filter((line) => line.includes(MARK));
  };
  return {
    drop: async (node, from) => dropAll(await helperOf(node), from, topology),
    dropped: async (node) => (await rulesOf(node)).reduce((sum, rule) => sum + packetsIn(rule), 0),
    installed: async () => {
      const found = await Promise.all(
        [...helpers.keys()].map(async (node) =>
          (await rulesOf(node)).map((rule) => `packets of ${node}: ${rule}`),
        ),
      );
      return found.flat();
    },
    [Symbol.asyncDispose]: async () => {
      const opened = await Promise.allSettled(helpers.values());
      await Promise.all(
        opened.map(async (each) => {
          if (each.status === 'fulfilled') await each.value.container[Symbol.asyncDispose]();
        }),
      );
    },
  };
}

async function dropAll(
  helper: Helper,
  from: readonly NodeName[],
  topology: Topology,
): Promise<UndoFault> {
  const rule = (node: NodeName): readonly string[] => {
    const comment = `${MARK}:${node}`;
    const packets = ['-s', topology.address(node), '-m', 'comment', '--comment', comment];
    return ['INPUT', ...packets, '-j', 'DROP'];
  };
  const added: NodeName[] = [];
  const undo = async (): Promise<void> => {
    for (let node = added.at(-1); node !== undefined; node = added.at(-1)) {
      await helper.iptables(['-D', ...rule(node)]);
      added.pop();
    }
  };
  try {
    for (const node of from) {
      await helper.iptables(['-A', ...rule(node)]);
      added.push(node);
    }
  } catch (error) {
    await undo();
    throw error;
  }
  return undo;
}

/** Of a line such as `-A INPUT -s 10.0.0.3/32 -c 9 1094 -j DROP`. */
function packetsIn(rule: string): number {
  return Number(/ -c (?<packets>\d+) \d+/.exec(rule)?.groups?.['packets'] ?? 0);
}

async function openHelper(
  made: Made,
  topology: Topology,
  node: NodeName,
  logPath: string,
): Promise<Helper> {
  const container = await startHelper(made, topology, node, logPath);
  const tried: string[] = [];
  for (const program of PROGRAMS) {
    try {
      const run = (args: readonly string[]): Promise<string> =>
        runIn(made, container, [program, '-w', ...args]);
      await run(['-S', 'INPUT']);
      return { container, iptables: run };
    } catch (error) {
      tried.push(messageOf(error));
    }
  }
  await container[Symbol.asyncDispose]();
  throw new HarnessError(
    'unsupported',
    `the machine of the container engine has no iptables that works in a container: ${tried.join('; ')}`,
  );
}

async function startHelper(
  made: Made,
  topology: Topology,
  node: NodeName,
  logPath: string,
): Promise<Container> {
  const links = topology.linksContainer(node);
  const { Image } = await callEngine(made.clock, `inspect the links of ${node}`, () =>
    made.engine.docker.getContainer(links).inspect(),
  );
  const start = async (folders: readonly string[]): Promise<Container> => {
    const container = await createContainer(
      made,
      {
        name: `${topology.network}-${node}-packets`,
        Image,
        User: '0',
        Env: [PATH],
        Entrypoint: ['sleep', FOREVER_S],
        Cmd: [],
        Labels: labelsOf(made, 'helper', node),
        HostConfig: {
          NetworkMode: `container:${links}`,
          ReadonlyRootfs: true,
          // For the lock of iptables.
          Tmpfs: { '/run': 'rw,size=1m' },
          Mounts: folders.map(
            (path) => ({ Type: 'bind', Source: path, Target: path, ReadOnly: true }) as const,
          ),
          CapDrop: ['ALL'],
          CapAdd: ['NET_ADMIN', 'NET_RAW'],
          SecurityOpt: ['no-new-privileges'],
        },
      },
      logPath,
    );
    try {
      await container.start();
    } catch (error) {
      await container[Symbol.asyncDispose]();
      throw error;
    }
    return container;
  };
  try {
    return await start(HOST_FOLDERS);
  } catch (error) {
    if (!/bind source path does not exist/.test(messageOf(error))) throw error;
    return await start(HOST_FOLDERS.filter((path) => path !== '/lib64'));
  }
}

/** Throws `engine-failed` with what the program said, unless it ended well. */
async function runIn(
  { engine, clock }: Made,
  { id }: Container,
  Cmd: readonly string[],
): Promise<string> {
  return await callEngine(clock, Cmd.join(' '), async () => {
    const exec = await engine.docker
      .getContainer(id)
      .exec({ Cmd: [...Cmd], AttachStdout: true, AttachStderr: true });
    const said = await readAll(engine, await exec.start({}));
    const { ExitCode } = await exec.inspect();
    if (ExitCode !== 0)
      throw new HarnessError('engine-failed', `exit code ${ExitCode}: ${said.trim()}`);
    return said;
  });
}

/** What a program says on both its streams, until it ends. */
async function readAll({ docker }: Engine, stream: NodeJS.ReadableStream): Promise<string> {
  const both = new PassThrough();
  docker.modem.demuxStream(stream, both, both);
  stream.once('end', () => both.end());
  stream.once('error', (error) => both.destroy(error));
  return await text(both);
}
