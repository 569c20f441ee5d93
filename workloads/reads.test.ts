import { expect, test } from 'vitest';
import { Random, seedFrom } from '../harness/core/prng.ts';
import type { Op } from '../harness/history/op.ts';
import type { RegisterApi } from '../harness/protocols/system.ts';
import { reads } from './reads.ts';

/** How long a read of this workload waits. */
async function readTimeoutMs(latencyMs: number | undefined, own: Readonly<Record<string, string>>) {
  const built = reads.build(
    {
      clients: 3,
      nodes: ['n1'],
      rate: 0,
      clientTimeoutMs: 1000,
      ...(latencyMs !== undefined && { latencyMs }),
      readModes: reads.readModes,
      capabilities: ['register'],
      own,
    },
    Random.stream(seedFrom(1), 'reads'),
  );
  const waits: number[] = [];
  const register = {
    read: (_key: string, _mode: string, { timeoutMs }: { readonly timeoutMs: number }) => {
      waits.push(timeoutMs);
      return Promise.resolve({ type: 'ok', value: 1 });
    },
  } as unknown as RegisterApi;
  await built.client({ register }).invoke({ f: 'read', key: 'k0', value: null } as unknown as Op);
  return waits[0];
}

test('a read waits as long as one takes between nodes that are far from each other', async () => {
  expect(await readTimeoutMs(undefined, {})).toBe(200);
  // A follower asks its leader, and that all others: four passages, of which none may be late.
  expect(await readTimeoutMs(50, {})).toBeGreaterThan(4 * 50 + 200);
  expect(await readTimeoutMs(50, { 'read-timeout': '90' })).toBe(90);
});
