/** Small disks in memory, one for a node, for faults that need one that can be filled. */
import { join } from 'node:path';
import type { NodeName } from '../../../harness/core/units.ts';
import { createContainer } from './container.ts';
import { callEngine } from './engine.ts';
import { labelsOf, type Made } from './made.ts';
import { DATA_DIR, type NodeDisk } from './topology.ts';

export interface OpenDisk extends NodeDisk, AsyncDisposable {
  /** What a container that is to have it is created with. */
  readonly mount: DiskMount;
}

export interface DiskMount {
  readonly Type: 'volume';
  readonly Source: string;
  readonly Target: string;
}

export interface DiskOptions {
  /** Different for each disk of the run. */
  readonly name: string;
  readonly node: NodeName;
  readonly bytes: number;
  /** Image and command of a program that does nothing much, and does not end. */
  readonly keeper: { readonly image: string; readonly command: readonly string[] };
  /** Folder of logs. */
  readonly dir: string;
}

/** Throws `engine-failed`. */
export async function openDisk(options: DiskOptions, made: Made): Promise<OpenDisk> {
  const { name, node, bytes, keeper, dir } = options;
  const { engine, clock } = made;
  await using opened = new AsyncDisposableStack();
  await callEngine(clock, `create volume ${name}`, (abortSignal) =>
    engine.docker.createVolume({
      Name: name,
      Driver: 'local',
      // Writable for whoever the image's user is.
      DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: `size=${bytes},mode=1777` },
      Labels: labelsOf(made, 'volume', node),
      abortSignal,
    }),
  );
  opened.defer(() =>
    callEngine(clock, `remove volume ${name}`, () => engine.docker.getVolume(name).remove()),
  );
  const mount = { Type: 'volume', Source: name, Target: DATA_DIR } as const;
  const container = await createContainer(
    made,
    {
      name: `${name}-keeper`,
      Image: keeper.image,
      Cmd: [...keeper.command],
      Labels: labelsOf(made, 'helper', node),
      HostConfig: { NetworkMode: 'none', Mounts: [mount] },
    },
    join(dir, node, 'disk.log'),
  );
  opened.use(container);
  await container.start();
  const owned = opened.move();
  return {
    bytes,
    keeper: container.id,
    mount,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
