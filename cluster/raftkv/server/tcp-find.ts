/** How a member that joins learns who is there: it asks at the addresses it was given. */
import { connect } from 'node:net';
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { HarnessError } from '../../../harness/core/errors.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import { MalformedBytes } from '../bytes.ts';
import type { FoundCluster, Routes } from './config.ts';
import { FrameReader, frameOf } from './peer-frames.ts';
import { bodyOf, talkOf } from './peer-talk.ts';
import { routed, type TcpAddress } from './tcp-address.ts';

/** For one address; somebody else may answer sooner. */
const ASK_MS = 1000;
const ROUND_MS = 100;
/** An answer lists members: it needs far less. */
const ANSWER_BYTES_MAX = 1024 * 1024;

export interface FindOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly routes?: Routes;
}

/**
 * Asks one address after the other, again and again, until one answers. Throws `network-failed`
 * when none did within the time, `bad-option` for what is no address.
 */
export async function findCluster(
  addresses: readonly string[],
  { clock, timeoutMs, routes = new Map() }: FindOptions,
): Promise<FoundCluster> {
  const targets = addresses.map((text) => addressOf(text, routes));
  const endMs = nowMs(clock) + timeoutMs;
  for (;;) {
    for (const target of targets) {
      const leftMs = endMs - nowMs(clock);
      if (leftMs <= 0) break;
      const found = await ask(target, clock, Math.min(ASK_MS, leftMs));
      if (found !== undefined) return found;
    }
    if (nowMs(clock) + ROUND_MS >= endMs) break;
    await sleep(clock, ROUND_MS);
  }
  throw new HarnessError(
    'network-failed',
    `no member of the cluster answered within ${timeoutMs} ms at ${addresses.join(', ')}; ` +
      'start them first, or check the addresses',
  );
}

function addressOf(text: string, routes: Routes): TcpAddress {
  const address = routed(text, routes);
  if (address === undefined)
    throw new HarnessError('bad-option', `'${text}' is not an address; write host:port`);
  return address;
}

/** Undefined: no answer, or none that makes sense. */
function ask(target: TcpAddress, clock: Clock, ms: number): Promise<FoundCluster | undefined> {
  const { promise, resolve } = Promise.withResolvers<FoundCluster | undefined>();
  const reader = new FrameReader(ANSWER_BYTES_MAX);
  const socket = connect({ ...target, noDelay: true });
  const timer = clock.timer(ms, () => socket.destroy());
  let found: FoundCluster | undefined;
  socket.on('error', () => undefined);
  socket.once('connect', () => socket.write(frameOf(bodyOf({ type: 'find' }))));
  socket.on('data', (chunk: Buffer) => {
    found ??= answerIn(reader, chunk);
    if (found !== undefined) socket.destroy();
  });
  socket.once('close', () => {
    timer.cancel();
    resolve(found);
  });
  return promise;
}

function answerIn(reader: FrameReader, chunk: Buffer): FoundCluster | undefined {
  try {
    for (const body of reader.push(chunk)) {
      const talk = talkOf(body);
      if (talk.type === 'found') return talk.found;
    }
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
  }
  return undefined;
}

function nowMs(clock: Clock): number {
  return msFromNanos(clock.now());
}
