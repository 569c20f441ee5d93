/** How a member that joins learns who is there: it asks at the addresses it was given. */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { HarnessError } from '../../../harness/core/errors.ts';
import type { Log } from '../../../harness/core/log.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import { MalformedBytes } from '../bytes.ts';
import type { TlsKeys } from '../tls-files.ts';
import { lastResort, mostAgreed } from './agreement.ts';
import type { FoundCluster, Routes } from './config.ts';
import { FrameReader, frameOf } from './peer-frames.ts';
import { bodyOf, talkOf } from './peer-talk.ts';
import { addressText, type Dial, dialOf } from './tcp-address.ts';
import { dial, whyDialFailed } from './tcp-sockets.ts';

/** Of one round. */
const ASK_MS = 1000;
const ROUND_MS = 100;
/** An answer lists members: it needs far less. */
const ANSWER_BYTES_MAX = 1024 * 1024;

export interface FindOptions {
  readonly clock: Clock;
  /** Hears why somebody cannot be asked, once for each reason. */
  readonly log: Log;
  readonly timeoutMs: number;
  readonly routes?: Routes;
  /** As for the transport. */
  readonly tls?: TlsKeys;
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
  { clock, log, timeoutMs, routes = new Map(), tls, peerUrls }: FindOptions,
): Promise<FoundCluster> {
  const targets = addresses.map((text) => targetOf(text, routes, tls));
  const told = new Set<string>();
  const failed = (address: string, why: string): void => {
    if (told.has(`${address} ${why}`)) return;
    told.add(`${address} ${why}`);
    log.warn('cannot ask a member who is there', { address, why });
  };
  const endMs = nowMs(clock) + timeoutMs;
  for (;;) {
    const waitMs = Math.min(ASK_MS, endMs - nowMs(clock));
    const asked = targets.map((target) => ask(target, { clock, ms: waitMs, failed }));
    const answers = (await Promise.all(asked)).filter((found) => found !== undefined);
    const agreed = mostAgreed(answers, peerUrls, targets.length);
    const leftMs = endMs - nowMs(clock);
    if (agreed?.isCertain === true) return agreed.found;
    if (leftMs <= ROUND_MS) return lastResort(answers, peerUrls, addresses, timeoutMs);
    await sleep(clock, ROUND_MS);
  }
}

function targetOf(text: string, routes: Routes, tls: TlsKeys | undefined): Dial {
  const target = dialOf(text, routes, tls);
  if (target === undefined)
    throw new HarnessError('bad-option', `'${text}' is not an address; write host:port`);
  return target;
}

interface Asking {
  readonly clock: Clock;
  readonly ms: number;
  readonly failed: (address: string, why: string) => void;
}

/** Undefined: no answer, or none that makes sense. */
function ask(target: Dial, { clock, ms, failed }: Asking): Promise<FoundCluster | undefined> {
  const { promise, resolve } = Promise.withResolvers<FoundCluster | undefined>();
  const reader = new FrameReader(ANSWER_BYTES_MAX);
  const { socket, opened } = dial(target);
  let found: FoundCluster | undefined;
  let problem: string | undefined = 'closed by the other side';
  const timer = clock.timer(ms, () => {
    problem = undefined;
    socket.destroy();
  });
  socket.on('error', (error) => {
    problem = whyDialFailed(error);
  });
  socket.once(opened, () => socket.write(frameOf(bodyOf({ type: 'find' }))));
  socket.on('data', (chunk: Buffer) => {
    found ??= answerIn(reader, chunk);
    if (found !== undefined) socket.destroy();
  });
  socket.once('close', () => {
    timer.cancel();
    if (found === undefined && problem !== undefined) failed(addressText(target.address), problem);
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
