/** Who among the containers ends by itself, and what they said meanwhile. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { messageOf } from '../../../harness/core/errors.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import type { NodeLog } from '../../../harness/protocols/system.ts';
import { callEngine } from '../docker/engine.ts';
import type { Crash } from '../nodes.ts';
import type { ContainerContext, FoundContainer } from './containers.ts';

/** Disposing of it collects the logs of all containers since it began. */
export interface ContainerWatch extends AsyncDisposable {
  /** A fault is about to end this node: its next end is no crash. */
  expectEnd(node: NodeName): void;
  /** Ends that nobody asked for. */
  crashed(): readonly Crash[];
  /** Filled when it is disposed. */
  logs(): readonly NodeLog[];
}

export interface ContainerWatchOptions extends ContainerContext {
  readonly containers: readonly FoundContainer[];
  readonly dir: string;
}

export async function watchContainers(options: ContainerWatchOptions): Promise<ContainerWatch> {
  const { engine, clock, log, containers, dir } = options;
  const sinceSeconds = clock.wallMs() / 1000;
  const crashes: Crash[] = [];
  const events = (await callEngine(clock, 'watch the containers', () =>
    engine.docker.getEvents({
      filters: JSON.stringify({ container: containers.map(({ id }) => id), event: ['die'] }),
    }),
  )) as Readable;
  // It breaks with the engine, and then nobody says anything more.
  events.on('error', () => undefined);
  const lines = createInterface({ input: events });
  let isOver = false;
  const expected = new Map<NodeName, number>();
  const over = readEnds(lines, options, (node, how) => {
    const count = expected.get(node) ?? 0;
    expected.set(node, Math.max(0, count - 1));
    if (count > 0) return;
    crashes.push({ node, how });
    log.warn('a node ended by itself', { node, how });
  }).catch((error: unknown) => {
    if (!isOver) log.warn('nobody watches the containers any more', { error: messageOf(error) });
  });
  const logs = containers.map(({ node }) => ({ node, path: join(dir, node, 'container.log') }));
  for (const { path } of logs) {
    mkdirSync(join(path, '..'), { recursive: true });
    // It is there from the beginning, whatever becomes of the engine.
    writeFileSync(path, '');
  }
  return {
    expectEnd: (node) => {
      expected.set(node, (expected.get(node) ?? 0) + 1);
    },
    crashed: () => [...crashes],
    logs: () => logs,
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      lines.close();
      events.destroy();
      await over;
      await Promise.all(
        containers.map(async (found, at) => {
          try {
            await writeFile(logs[at]?.path ?? '', await logOf(found, options, sinceSeconds));
          } catch (error) {
            log.warn('a log was not collected', { node: found.node, error: messageOf(error) });
          }
        }),
      );
    },
  };
}

const endEvent = z.object({
  Actor: z.object({ ID: z.string(), Attributes: z.object({ exitCode: z.string().optional() }) }),
});

async function readEnds(
  lines: AsyncIterable<string>,
  { containers }: ContainerWatchOptions,
  onEnd: (node: NodeName, how: string) => void,
): Promise<void> {
  for await (const line of lines) {
    const { Actor: actor } = endEvent.parse(JSON.parse(line));
    const node = containers.find(({ id }) => id === actor.ID)?.node;
    if (node !== undefined) onEnd(node, `exit code ${actor.Attributes.exitCode ?? 'unknown'}`);
  }
}

async function logOf(
  { id, name, isTty }: FoundContainer,
  { engine, clock }: ContainerContext,
  since: number,
): Promise<Buffer> {
  const bytes = await callEngine(clock, `read the log of container ${name}`, () =>
    engine.docker.getContainer(id).logs({ follow: false, stdout: true, stderr: true, since }),
  );
  // One that happens to be a document of JSON comes as what it says.
  if (!Buffer.isBuffer(bytes)) return Buffer.from(JSON.stringify(bytes));
  return isTty ? bytes : payloadOf(bytes);
}

const HEADER_BYTES = 8;

/** The engine puts eight bytes before each piece: which stream it is of, and its length. */
export function payloadOf(framed: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= framed.length) {
    const end = at + HEADER_BYTES + framed.readUInt32BE(at + 4);
    pieces.push(framed.subarray(at + HEADER_BYTES, end));
    at = end;
  }
  return Buffer.concat(pieces);
}
