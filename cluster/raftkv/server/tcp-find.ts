/** How a member that joins learns who is there: it asks at the addresses it was given. */
import { connect } from 'node:net';
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { HarnessError } from '../../../harness/core/errors.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import { MalformedBytes } from '../bytes.ts';
import { lastResort, mostAgreed } from './agreement.ts';
import type { FoundCluster, Routes } from './config.ts';
import { FrameReader, frameOf } from './peer-frames.ts';
import { bodyOf, talkOf } from './peer-talk.ts';
import { routed, type TcpAddress } from './tcp-address.ts';

/** Of one round. */
const ASK_MS = 1000;
const ROUND_MS = 100;
/** An answer lists members: it needs far less. */
const ANSWER_BYTES_MAX = 1024 * 1024;

export interface FindOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly routes?: Routes;
  /** Of the member that joins: where it was added. */
  readonly peerUrls: readonly string[];
}

/**
 * Asks all addresses, again and again, until more than half agree on who the member that joins is;
 * fewer may be just those that missed something. Where nobody knows it, any answer serves to say so.
 * Throws `network-failed` when too few agreed within the time, `bad-option` for what is no address.
 */
export async function findCluster(
  addresses: readonly string[],
  { clock, timeoutMs, routes = new Map(), peerUrls }: FindOptions,
): Promise<FoundCluster> {
  const targets = addresses.map((text) => addressOf(text, routes));
  const endMs = nowMs(clock) + timeoutMs;
  for (;;) {
    const waitMs = Math.min(ASK_MS, endMs - nowMs(clock));
    const asked = targets.map((target) => ask(target, clock, waitMs));
    const answers = (await Promise.all(asked)).filter((found) => found !== undefined);
    const agreed = mostAgreed(answers, peerUrls, targets.length);
    const leftMs = endMs - nowMs(clock);
    if (agreed?.isCertain === true) return agreed.found;
    if (leftMs <= ROUND_MS) return lastResort(answers, peerUrls, addresses, timeoutMs);
    await sleep(clock, ROUND_MS);
  }
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
