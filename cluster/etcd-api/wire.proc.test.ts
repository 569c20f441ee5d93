import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { realClock, sleep } from '../../harness/core/clock.ts';
import { silentLog } from '../../harness/core/log.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import type { RegisterApi } from '../../harness/protocols/system.ts';
import { noUndo } from '../../harness/protocols/undo.ts';
import { describeWith } from '../../test/requires.ts';
import { reservePorts } from '../backends/ports.ts';
import { type LocalProcesses, startProcesses } from '../backends/process.ts';
import { EtcdClient } from './client.ts';
import { etcdConnection } from './connection.ts';
import { etcdRegister } from './register.ts';
import { fakeServer, type Misbehaviour, type Seen, tap } from './wire-testing.ts';

const PUTS = 20;
const clock = realClock();

/** Puts one after the other through one connection; each carries its own id. */
async function puts(register: RegisterApi, count: number, timeoutMs: number): Promise<string[]> {
  const ended: string[] = [];
  for (let index = 0; index < count; index++) {
    const outcome = await register.write(`k${index}`, `op-${index}.`, { timeoutMs });
    ended.push(outcome.type === 'ok' ? 'ok' : outcome.error.code);
  }
  return ended;
}

async function seenBy(misbehaviour: Misbehaviour, retries: 0 | 1): Promise<Seen> {
  await using server = await fakeServer(misbehaviour);
  using client = new EtcdClient(server.address, clock, { 'grpc.enable_retries': retries });
  const ended = await puts(etcdRegister(client), PUTS, 3_000);
  expect(ended).not.toContain('ok');
  return server.seen;
}

describe('a server that refuses', () => {
  const all: readonly Misbehaviour[] = ['refused-stream', 'goaway-drop', 'goaway-stay', 'drop'];

  test.each(all)('%s: each operation is one request, sent once', async (misbehaviour) => {
    const { headers, ids } = await seenBy(misbehaviour, 0);
    expect(headers).toBe(PUTS);
    expect(ids.size).toBe(PUTS);
    expect([...ids.values()].every((times) => times === 1)).toBe(true);
  });

  test.each(['refused-stream', 'goaway-drop'] as const)(
    '%s: the count sees it when the library sends again',
    async (misbehaviour) => {
      const { headers, ids } = await seenBy(misbehaviour, 1);
      expect(headers).toBe(2 * PUTS);
      expect([...ids.values()].every((times) => times === 2)).toBe(true);
    },
  );
});

describe('a server that takes connections and says nothing', () => {
  test('is left, and connected to anew', async () => {
    const taken = new Set<Socket>();
    await using server = createServer((socket) => {
      taken.add(socket.on('error', () => undefined));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    using end = new DisposableStack();
    using client = new EtcdClient(`127.0.0.1:${port}`, clock);
    end.defer(() => {
      for (const socket of taken) socket.destroy();
    });
    for (let calls = 0; taken.size < 2 && calls < 100; calls++)
      expect((await client.status(200)).ok).toBe(false);
    expect(taken.size).toBe(2);
  });
});

interface OneEtcd extends AsyncDisposable {
  readonly address: string;
  readonly processes: LocalProcesses;
}

/** One member, for tests that need no links. */
async function startEtcd(): Promise<OneEtcd> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'schism-wire-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const ports = stack.use(await reservePorts(2, Random.stream(seedFrom(7), 'wire')));
  const [peer, port] = ports.list.map((number) => `http://127.0.0.1:${number}`);
  const address = (port ?? '').replace('http://', '');
  const probe = stack.use(new EtcdClient(address, clock));
  const args = ['--name=n1', `--data-dir=${join(dir, 'data')}`, '--logger=zap'];
  args.push(`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`);
  args.push(`--listen-client-urls=${port}`, `--advertise-client-urls=${port}`);
  args.push(`--initial-cluster=n1=${peer}`);
  const processes = stack.use(
    await startProcesses(
      [
        {
          node: 'n1',
          spec: { file: 'etcd', args, logPath: join(dir, 'n1.log') },
          readiness: {
            description: 'serve a linearizable read',
            probe: async () => (await probe.range({ key: Buffer.from('k') }, 300)).ok || 'an error',
          },
        },
      ],
      { undo: noUndo, clock, log: silentLog },
    ),
  );
  await processes.ready(20_000);
  const held = stack.move();
  return { address, processes, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

describeWith('etcd', 'a real etcd', () => {
  test('reads, writes and cas, with what the server says of itself', async () => {
    await using etcd = await startEtcd();
    await using connection = etcdConnection(etcd.address, clock);
    const { register } = connection.apis;
    expect.assert(register !== undefined);
    const call = { timeoutMs: 10_000 };

    const absent = await register.read('k', 'linearizable', call);
    expect(absent).toMatchObject({ type: 'ok', value: null, server: { modRevision: 0 } });

    const written = await register.write('k', 1, call);
    expect.assert(written.type === 'ok');
    const { revision, term, member, cluster } = written.server ?? {};
    expect([typeof revision, typeof term]).toEqual(['number', 'number']);
    expect([member, cluster]).toEqual([
      expect.stringMatching(/^[0-9a-f]{8,16}$/),
      expect.stringMatching(/^[0-9a-f]{8,16}$/),
    ]);

    const server = { revision, modRevision: revision, version: 1, term, member, cluster };
    for (const mode of ['linearizable', 'serializable'] as const)
      expect(await register.read('k', mode, call)).toEqual({ type: 'ok', value: 1, server });

    expect(await register.cas('k', 2, 3, call)).toEqual({
      type: 'fail',
      error: { code: 'cas-mismatch', definite: true },
      seen: 1,
      server,
    });
    expect(await register.cas('k', 1, 'two', call)).toMatchObject({
      type: 'ok',
      server: { modRevision: (revision ?? 0) + 1 },
    });
    expect(await register.cas('k', null, 4, call)).toMatchObject({ type: 'fail', seen: 'two' });
    expect(await register.cas('new', 1, 2, call)).toMatchObject({ type: 'fail', seen: null });
    expect(await register.cas('new', null, 'först', call)).toMatchObject({ type: 'ok' });
    for (let times = 0; times < 2; times++)
      expect(await register.write('k', null, call)).toMatchObject({ type: 'ok' });
    const gone = await register.read('k', 'linearizable', call);
    expect(gone).toMatchObject({ type: 'ok', value: null, server: { modRevision: 0 } });
    const read = await register.read('new', 'linearizable', call);
    expect(read).toMatchObject({ value: 'först', server: { version: 1 } });
  });

  test('one request per operation, before, while and after it is killed', async () => {
    await using etcd = await startEtcd();
    await using watched = await tap(etcd.address);
    await using connections = new AsyncDisposableStack();
    const registers = Array.from({ length: 4 }, () => {
      const connection = connections.use(etcdConnection(watched.address, clock));
      expect.assert(connection.apis.register !== undefined);
      return connection.apis.register;
    });
    const ended: string[] = [];
    const stop = new AbortController();
    const loop = async (register: RegisterApi): Promise<void> => {
      while (!stop.signal.aborted) {
        const id = `op-${ended.push('open') - 1}.`;
        const outcome = await register.write('k', id, { timeoutMs: 400 });
        ended[Number(id.slice(3, -1))] = outcome.type === 'ok' ? 'ok' : outcome.error.code;
        await sleep(clock, 1);
      }
    };
    const loops = registers.map(loop);
    const control = etcd.processes.control;
    const count = (...codes: string[]): number =>
      ended.filter((each) => codes.includes(each)).length;
    await expect.poll(() => count('ok'), { timeout: 30_000 }).toBeGreaterThan(100);
    await control.pause('n1');
    await sleep(clock, 600);
    await control.resume('n1');
    await sleep(clock, 300);
    await control.kill('n1');
    await sleep(clock, 500);
    const atStart = ended.length;
    await control.start('n1');
    await expect.poll(() => ended.slice(atStart), { timeout: 30_000 }).toContain('ok');
    stop.abort();
    await Promise.all(loops);

    const { headers, ids } = watched.seen;
    const neverSent = count('not-connected', 'connect-timeout');
    expect([...ids.values()].filter((times) => times !== 1)).toEqual([]);
    expect(headers).toBe(ids.size);
    expect(headers).toBeLessThanOrEqual(ended.length - neverSent);
    // What never came back although it was sent, and what did, shows that the faults were real.
    expect(headers).toBeGreaterThanOrEqual(count('ok', 'deadline-exceeded'));
    expect(count('deadline-exceeded', 'connection-lost')).toBeGreaterThan(0);
  });
});
