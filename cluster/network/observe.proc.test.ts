/** Looks at links by a process that is kept from looking. */
import { expect, test } from 'vitest';
import { endpointFrom } from './names.ts';
import { type LinkBytes, observeLinks, type SentBytes } from './observe.ts';
import type { Endpoint } from './probe.ts';
import { clock, tinyNode } from './testing.ts';

const REQUEST = Buffer.from('GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
const WAIT_MS = 200;
const NOTHING: LinkBytes = {
  upstream: 0,
  downstream: 0,
  upstreamRead: 0,
  downstreamRead: 0,
  isLate: false,
};

function stall(ms: number): void {
  const end = clock.now() + ms * 1e6;
  while (clock.now() < end);
}

test('whoever sleeps while answers come does not call the links cut', async () => {
  await using n1 = await tinyNode('n1');
  await using n2 = await tinyNode('n2');
  const at = (node: string): Endpoint => endpointFrom((node === 'n1' ? n1 : n2).address);
  // Counters that say nothing passed: as of a server that sleeps, too.
  const counts: SentBytes = new Map(['n1>n2', 'n2>n1'].map((name) => [name, NOTHING]));
  const looking = observeLinks({
    nodes: ['n1', 'n2'],
    link: (_, to) => at(to),
    direct: at,
    request: REQUEST,
    readSent: async () => counts,
    waitMs: WAIT_MS,
    slowestMs: 0,
    clock,
  });
  // When the connections are under way, and no answer has been read.
  clock.timer(0, () => stall(2 * WAIT_MS));
  expect((await looking).map(({ state }) => state)).toEqual(['open', 'open']);
});

/** Of two links on which all probes stay silent: counters alone say what passed. */
async function statesWithoutAnswers(
  readSent: () => Promise<SentBytes>,
  slowestMs: number,
): Promise<string[]> {
  await using silent = await tinyNode('n2');
  const at = (): Endpoint => endpointFrom(silent.address);
  const matrix = await observeLinks({
    nodes: ['n1', 'n2'],
    link: at,
    direct: at,
    // Half a request: nobody answers it.
    request: REQUEST.subarray(0, 20),
    readSent,
    waitMs: WAIT_MS,
    slowestMs,
    clock,
  });
  return matrix.map(({ state }) => state);
}

test('what was accepted late by a busy server is waited for', async () => {
  let looks = 0;
  const readSent = async (): Promise<SentBytes> => {
    looks++;
    // Read only at the third look after the wait, and passed on a moment later.
    const count = (from: number): number => (looks > from ? REQUEST.length : 0);
    const bytes = { ...NOTHING, upstreamRead: count(3), upstream: count(4) };
    return new Map(['n1>n2', 'n2>n1'].map((name) => [name, bytes]));
  };
  expect(await statesWithoutAnswers(readSent, 0)).not.toContain('cut');
});

test('what is still on a slow link when the wait is over is waited for', async () => {
  const slowestMs = 150;
  let readAt: number | undefined;
  const readSent = async (): Promise<SentBytes> => {
    const now = clock.now();
    // Read at the second look, which comes late, and passed on as much later as the link is slow.
    const isFirst = readAt === undefined;
    readAt ??= now + WAIT_MS * 1e6;
    const upstreamRead = isFirst ? 0 : REQUEST.length;
    const upstream = now - readAt >= slowestMs * 1e6 ? REQUEST.length : 0;
    const bytes = { ...NOTHING, upstreamRead, upstream };
    return new Map(['n1>n2', 'n2>n1'].map((name) => [name, bytes]));
  };
  expect(await statesWithoutAnswers(readSent, slowestMs)).not.toContain('cut');
});
