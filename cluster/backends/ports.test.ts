import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { assertFree, portsOutside, reservePorts } from './ports.ts';

const random = (): Random => Random.stream(seedFrom(11), 'ports');

describe('portsOutside', () => {
  test('leaves out what outgoing connections are given', () => {
    const ports = portsOutside({ low: 32_768, high: 60_999 });
    expect([ports[0], ports.at(-1)]).toEqual([10_000, 65_535]);
    expect(ports.filter((port) => port >= 32_768 && port <= 60_999)).toEqual([]);
  });

  test('takes what there is when nothing is left out', () => {
    expect(portsOutside({ low: 1, high: 65_535 })).toHaveLength(55_536);
  });
});

describe('reservePorts', () => {
  test('two reservations with one seed never share a port, until one ends', async () => {
    await using second = new AsyncDisposableStack();
    const first = await reservePorts(5, random());
    const other = second.use(await reservePorts(5, random()));
    expect(new Set([...first.list, ...other.list]).size).toBe(10);
    await first[Symbol.asyncDispose]();
    await using again = await reservePorts(5, random());
    expect(again.list).toEqual(first.list);
  });

  test('passes over a port that is in use', async () => {
    const [wanted] = await using1((ports) => ports);
    expect.assert(wanted !== undefined);
    await using _ = await listener(wanted);
    await using ports = await reservePorts(1, random());
    expect(ports.list).not.toContain(wanted);
    const refusal = assertFree(wanted, '--listen');
    await expect(refusal).rejects.toThrow(HarnessError);
    await expect(refusal).rejects.toThrow(`--listen: port ${wanted} on 127.0.0.1 is in use`);
  });

  test('a free port passes', async () => {
    await using ports = await reservePorts(1, random());
    await expect(assertFree(ports.list[0] ?? 0, '--listen')).resolves.toBeUndefined();
  });
});

async function using1<T>(look: (ports: readonly number[]) => T): Promise<T> {
  await using ports = await reservePorts(1, random());
  return look(ports.list);
}

async function listener(port: number): Promise<AsyncDisposable> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}
