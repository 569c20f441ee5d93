/** The server that carries the links: ours, started for a run, or a Toxiproxy that is there. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Toxiproxy } from 'toxiproxy-node-client';
import { z } from 'zod';
import type { Clock } from '../../harness/core/clock.ts';
import { withDeadline } from '../../harness/core/deadline.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import type { Seed } from '../../harness/core/prng.ts';

/** The server is near: a call that takes longer will not come back. */
const CALL_MS_MAX = 5_000;
const START_MS_MAX = 10_000;

/** Starts a program of ours; disposing of what it returns ends it. */
export type LaunchProgram = (spec: {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
}) => Promise<LaunchedProgram>;

export interface LaunchedProgram extends AsyncDisposable {
  readonly pid: number;
  /** Of its stdout. Rejects when it ends without one. */
  readonly firstLine: Promise<string>;
}

export interface LinkServer extends AsyncDisposable {
  /** `http://127.0.0.1:8474` */
  readonly url: string;
  /** Absent for a server that was there already. */
  readonly pid?: number;
  /** `schism`: ours, which can hold and cut. `toxiproxy`: the original. */
  readonly kind: 'schism' | 'toxiproxy';
  readonly version: string;
}

export interface StartLinkServerOptions {
  readonly start: LaunchProgram;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the dice of jitter and toxicity. */
  readonly seed: Seed;
}

const readyLine = z.object({ listening: z.string() });
const versionReply = z.object({ version: z.string(), server: z.string().optional() });

/** Starts our own server. Throws `process-failed` when it does not get ready. */
export async function startLinkServer(options: StartLinkServerOptions): Promise<LinkServer> {
  const { start, clock, log, seed } = options;
  const main = new URL(`./toxiproxy-server/main${extname(import.meta.url)}`, import.meta.url);
  const program = await start({
    name: 'link server',
    file: process.execPath,
    args: [fileURLToPath(main), '--listen', '127.0.0.1:0', '--seed', String(seed)],
  });
  try {
    const line = await withDeadline(clock, START_MS_MAX, 'start link server', program.firstLine);
    const { listening } = readyLine.parse(JSON.parse(line));
    const server = await connectLinkServer({ url: `http://${listening}`, clock, log });
    log.info('link server is ready', { url: server.url, pid: program.pid });
    return {
      ...server,
      pid: program.pid,
      [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
    };
  } catch (error) {
    await program[Symbol.asyncDispose]();
    if (error instanceof HarnessError && error.code === 'network-failed') throw error;
    const why = messageOf(error);
    throw new HarnessError('process-failed', `the link server did not start: ${why}`, {
      cause: error,
    });
  }
}

/** Uses a server that is there already: ours or the original. Disposing leaves it running. */
export async function connectLinkServer(options: {
  readonly url: string;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<LinkServer> {
  const { clock, log } = options;
  const url = options.url.replace(/\/+$/, '');
  const text = await callServer(clock, `ask ${url} for its version`, () =>
    new Toxiproxy(url).getVersion(),
  );
  const reply = versionReply.safeParse(jsonOrUndefined(text));
  if (!reply.success)
    throw new HarnessError('network-failed', `${url} is no Toxiproxy: it answered ${text.trim()}`);
  const { version, server } = reply.data;
  const kind = server === 'schism' ? 'schism' : 'toxiproxy';
  log.info('link server found', { url, kind, version });
  return { url, kind, version, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** One call to the server's API; whatever goes wrong becomes `network-failed`, with `what`. */
export async function callServer<T>(
  clock: Clock,
  what: string,
  call: () => Promise<T>,
  msMax: number = CALL_MS_MAX,
): Promise<T> {
  try {
    return await withDeadline(clock, msMax, what, call());
  } catch (error) {
    throw new HarnessError('network-failed', `link server: ${what}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** For what the client library does not know, and where the reason of a refusal matters: it drops it. */
export async function askServer(
  { url }: LinkServer,
  method: string,
  path: string,
  body?: unknown,
): Promise<string> {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok)
    throw new HarnessError('network-failed', `${response.status} ${text.trim().slice(0, 500)}`);
  return text;
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
