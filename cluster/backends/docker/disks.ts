/**
 * Disks that can be filled: those that nodes have of their own. Files are put there through the
 * engine's archive API, since an image need not have so much as a shell.
 */
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import type { DiskControl, DiskProbe } from '../../../harness/protocols/machines.ts';
import type { ProcessControl } from '../../../harness/protocols/system.ts';
import { callEngine } from './engine.ts';
import type { Excuses } from './excuses.ts';
import type { Made } from './made.ts';
import { DATA_DIR, type NodeDisk, type Topology } from './topology.ts';

export interface DiskOptions {
  readonly made: Made;
  readonly topology: Topology;
  readonly processes: Pick<ProcessControl, 'start'>;
  readonly excuses: Excuses;
}

/** Beside the node's own files. A file can be emptied through the API, not removed. */
const FILLER = 'filler';
const ROOM = 'room';
const PROBE = 'probe';
const PROBE_BYTES = 2 ** 20;
const CHUNK: Uint8Array = new Uint8Array(2 ** 18);
const FULL = /no space left on device|ENOSPC/;
/** Memory is filled at some hundred megabytes a second, on a busy machine less. */
const FILL_MS_MAX = 60_000;

/** Undefined where nodes have no disks of their own. */
export function diskControl(options: DiskOptions): DiskControl | undefined {
  const { topology, made, excuses, processes } = options;
  if (topology.nodes.every((node) => topology.disk(node) === undefined)) return undefined;
  const unable = (what: string): Promise<never> =>
    Promise.reject(new HarnessError('unsupported', `disks of containers cannot ${what}`));
  const full = new Map<NodeDisk, NodeName>();
  return {
    can: new Set(['fill']),
    slow: () => unable('be slow'),
    failSync: () => unable('fail a sync'),
    fill: async (node, roomBytes) => {
      const disk = diskOf(topology, node);
      // Before the act: it may end the node in the same moment.
      const excuse = excuses.excuse(node, () => processes.start(node));
      full.set(disk, node);
      const undo = async (): Promise<void> => {
        await empty(made, disk, [FILLER, ROOM]);
        full.delete(disk);
        await excuse();
      };
      try {
        await fill(made, disk, roomBytes);
      } catch (error) {
        await undo();
        throw error;
      }
      return undo;
    },
    probe: (node) => probe(made, diskOf(topology, node)),
    installed: () => Promise.resolve([...full.values()].map((node) => `disk of ${node} is full`)),
  };
}

function diskOf(topology: Topology, node: NodeName): NodeDisk {
  const disk = topology.disk(node);
  if (disk === undefined)
    throw new HarnessError('unsupported', `${node} has no disk of its own: -O data-size=256m`);
  return disk;
}

/** Room is made first, filled around, and then given free: so it is exact. */
async function fill(made: Made, disk: NodeDisk, roomBytes: number): Promise<void> {
  if (roomBytes > 0) await put(made, disk, ROOM, roomBytes);
  const isFull = await put(made, disk, FILLER, disk.bytes);
  if (!isFull) throw new HarnessError('engine-failed', `a disk held more than ${disk.bytes} bytes`);
  if (roomBytes > 0) await empty(made, disk, [ROOM]);
}

/** Nobody syncs it: the disk is memory. */
async function probe(made: Made, disk: NodeDisk): Promise<DiskProbe> {
  const isFull = await put(made, disk, PROBE, PROBE_BYTES);
  await empty(made, disk, [PROBE]);
  return isFull ? { error: 'ENOSPC' } : {};
}

/** Writes so many zeros; true when the disk was full before they were all there. */
async function put(
  { engine, clock }: Made,
  { keeper }: NodeDisk,
  name: string,
  bytes: number,
): Promise<boolean> {
  return await callEngine(
    clock,
    `write ${bytes} bytes to a disk`,
    async (abortSignal) => {
      try {
        await engine.docker
          .getContainer(keeper)
          .putArchive(zeros(name, bytes), { path: DATA_DIR, abortSignal });
        return false;
      } catch (error) {
        if (FULL.test(messageOf(error))) return true;
        throw error;
      }
    },
    FILL_MS_MAX,
  );
}

/** Does nothing about a disk that is gone, as it is when its node was renewed. */
async function empty(made: Made, disk: NodeDisk, names: readonly string[]): Promise<void> {
  for (const name of names) {
    try {
      await put(made, disk, name, 0);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

function isGone(error: unknown): boolean {
  const { cause } = error instanceof Error ? error : {};
  return cause instanceof Error && 'statusCode' in cause && cause.statusCode === 404;
}

/** An archive of one file, never in memory as a whole. */
function zeros(name: string, bytes: number): Readable {
  const tar = pack();
  const entry = tar.entry({ name, size: bytes, mode: 0o600, mtime: new Date(0) }, () => {
    tar.finalize();
  });
  Readable.from(chunksOf(bytes)).pipe(entry);
  return Readable.from(tar);
}

function* chunksOf(bytes: number): Generator<Uint8Array> {
  for (let left = bytes; left > 0; left -= CHUNK.length)
    yield CHUNK.subarray(0, Math.min(left, CHUNK.length));
}
