/** The processes of a cluster that is there already, as far as its owner lets them be had. */
import type { AttachedNodes } from '../../../harness/protocols/attach.ts';
import type { DeployRequest, NodeLog, ProcessControl } from '../../../harness/protocols/system.ts';
import { openEngine } from '../docker/engine.ts';
import type { Crash } from '../nodes.ts';
import { commandHandle } from './commands.ts';
import { type ContainerWatch, watchContainers } from './container-watch.ts';
import { containerHandle, findContainer } from './containers.ts';
import type { NodeHandle } from './handle.ts';
import { attachedProcesses } from './processes.ts';

/** Disposing of it puts everything back as it was found, and collects the logs of containers. */
export interface RunningElsewhere extends AsyncDisposable {
  /** Absent when nothing may be done to any node. */
  readonly control?: ProcessControl;
  crashed(): readonly Crash[];
  logs(): readonly NodeLog[];
}

/** Throws `bad-option` and `process-failed` for containers that are not as the config says. */
export async function attachedNodes(
  attach: AttachedNodes,
  { clock, log, undo, dir }: Pick<DeployRequest, 'clock' | 'log' | 'undo' | 'dir'>,
): Promise<RunningElsewhere> {
  const all = Object.entries(attach);
  const named = all.flatMap(([node, { container }]) =>
    container === undefined ? [] : [{ node, container }],
  );
  await using stack = new AsyncDisposableStack();
  const handles = new Map<string, NodeHandle>(
    all.map(([node, { commands = {}, client, direct = client }]) => [
      node,
      commandHandle({ node, commands, direct, dir, clock }),
    ]),
  );
  let watch: ContainerWatch | undefined;
  if (named.length > 0) {
    const context = { engine: await openEngine(process.env), clock, log };
    const containers = await Promise.all(
      named.map(({ node, container }) => findContainer(context, node, container)),
    );
    const watching = stack.use(await watchContainers({ ...context, containers, dir }));
    for (const found of containers)
      handles.set(
        found.node,
        containerHandle(context, found, () => watching.expectEnd(found.node)),
      );
    watch = watching;
  }
  const processes = stack.use(attachedProcesses(handles, { undo, log }));
  const owned = stack.move();
  const canAny = all.some(([, { container, commands }]) => container ?? commands);
  return {
    ...(canAny && { control: processes.control }),
    crashed: () => watch?.crashed() ?? [],
    logs: () => watch?.logs() ?? [],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
