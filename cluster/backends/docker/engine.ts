/** The container engine: found as testcontainers finds it, spoken to through its dockerode. */
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { type Clock, realClock } from '../../../harness/core/clock.ts';
import { withDeadline } from '../../../harness/core/deadline.ts';
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';

/** The engine's API client, as testcontainers made it. */
export type Docker = Awaited<
  ReturnType<typeof import('testcontainers')['getContainerRuntimeClient']>
>['container']['dockerode'];

export interface Engine {
  readonly docker: Docker;
  readonly version: string;
  /** Where published ports are reached. */
  readonly host: string;
  /**
   * Whether this machine reaches addresses of containers: an engine on this Linux. Then nothing is
   * published, and networks can be internal.
   */
  readonly isLocal: boolean;
}

/** An engine that is there answers at once, on a busy machine within seconds. */
const OPEN_MS_MAX = 15_000;

/**
 * Throws `engine-failed` when no engine answers; where DOCKER_HOST names one, no other will do, since
 * what a run breaks must be what it was told of.
 */
export async function openEngine(
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock = realClock(),
): Promise<Engine> {
  const asked = env['DOCKER_HOST'] ?? '';
  // Loaded late: it takes half a second that runs without containers should not pay.
  const { getContainerRuntimeClient } = await import('testcontainers');
  try {
    const client = await withDeadline(
      clock,
      OPEN_MS_MAX,
      'to find it',
      getContainerRuntimeClient(),
    );
    const { dockerode: docker } = client.container;
    const { host, serverVersion } = client.info.containerRuntime;
    const socket = socketOf(docker);
    // It tries the usual sockets after one that does not answer.
    if (socket !== undefined && asked !== '' && asked !== `unix://${socket}`)
      throw new Error(`only ${socket} does, which was not asked for`);
    const isLocal = socket !== undefined && (await reachesContainers(docker, clock));
    const found = { docker, version: String(serverVersion), isLocal };
    if (isLocal || host !== 'localhost' || !isContained()) return { ...found, host };
    // There its own loopback has nothing.
    return { ...found, host: (await gatewayOf(docker, clock)) ?? host };
  } catch (error) {
    const [where, remedy] =
      asked === ''
        ? ['', 'start one, set DOCKER_HOST']
        : [` at DOCKER_HOST=${asked}`, 'start it, set another'];
    throw new HarnessError(
      'engine-failed',
      `no container engine answers${where} (${messageOf(error)}); ${remedy}, or use --backend process`,
      { cause: error },
    );
  }
}

function socketOf(docker: Docker): string | undefined {
  const { socketPath } = docker.modem as unknown as { readonly socketPath?: unknown };
  return typeof socketPath === 'string' ? socketPath : undefined;
}

/**
 * Whether the bridges of an engine with a socket here are in this very network namespace. They are
 * not when it runs rootless or in a virtual machine, or when we run in a container ourselves.
 */
export async function reachesContainers(
  docker: Pick<Docker, 'info' | 'getNetwork'>,
  clock: Clock,
): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const info: unknown = await callEngine(clock, 'ask for its machine', () => docker.info());
  const { SecurityOptions: security } = infoReply.parse(info);
  if (security?.some((option) => option.includes('rootless'))) return false;
  const gateway = await gatewayOf(docker, clock);
  if (gateway === undefined) return !isContained();
  return await isOurAddress(gateway);
}

/** Whether we run in a container of Docker ourselves. */
function isContained(): boolean {
  return existsSync('/.dockerenv');
}

const infoReply = z.object({ SecurityOptions: z.array(z.string()).nullish() });
const bridgeReply = z.object({
  IPAM: z.object({
    Config: z.array(z.object({ Subnet: z.string(), Gateway: z.string().optional() })).nullish(),
  }),
});

/** The engine's own address on its default network; undefined where there is no such network. */
async function gatewayOf(
  docker: Pick<Docker, 'getNetwork'>,
  clock: Clock,
): Promise<string | undefined> {
  try {
    const found: unknown = await callEngine(clock, 'look at its bridge', () =>
      docker.getNetwork('bridge').inspect(),
    );
    const config = bridgeReply.parse(found).IPAM.Config?.find(({ Subnet }) => /\.0\//.test(Subnet));
    // Where nobody chose it, it is the first one.
    return config?.Gateway ?? config?.Subnet.replace(/\.0\/.*$/, '.1');
  } catch {
    return undefined;
  }
}

/** Nothing is sent. Interfaces that nobody uses are in no list of `node:os`, so this one is tried. */
async function isOurAddress(address: string): Promise<boolean> {
  const socket = createSocket('udp4');
  const bound = Promise.withResolvers<boolean>();
  socket.once('error', () => bound.resolve(false));
  socket.bind(0, address, () => bound.resolve(true));
  const isOurs = await bound.promise;
  socket.close();
  return isOurs;
}

/** True, or why none answers and what to do about it. */
export async function engineAnswers(
  env: Readonly<Record<string, string | undefined>>,
): Promise<true | string> {
  try {
    await openEngine(env);
    return true;
  } catch (error) {
    return messageOf(error);
  }
}

/** Creating a container on a busy machine takes a second; nothing that answers takes this long. */
const CALL_MS_MAX = 20_000;

/**
 * One call to the engine, as it would be to the link server; whatever goes wrong, and an answer that
 * does not come, becomes `engine-failed`, with `what`. A call that takes `abortSignal` is ended then.
 */
export async function callEngine<T>(
  clock: Clock,
  what: string,
  call: (abortSignal: AbortSignal) => Promise<T>,
  msMax: number = CALL_MS_MAX,
): Promise<T> {
  const giveUp = new AbortController();
  try {
    return await withDeadline(clock, msMax, what, call(giveUp.signal));
  } catch (error) {
    giveUp.abort();
    throw new HarnessError('engine-failed', `container engine: ${what}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
