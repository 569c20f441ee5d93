import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { realClock, sleep } from '../../harness/core/clock.ts';
import { freshSeed, Random } from '../../harness/core/prng.ts';
import { reservePorts } from '../backends/ports.ts';
import { EtcdClient } from '../etcd-api/client.ts';
import { rawClient } from './grpc/client-testing.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const clock = realClock();

type Started = ReturnType<typeof start>;

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return execa(process.execPath, [MAIN, ...args], {
    reject: false,
    env,
    stdin: 'ignore',
    // A test that fails leaves nothing behind.
    forceKillAfterDelay: 30_000,
    cleanup: true,
  });
}

interface Place extends AsyncDisposable {
  readonly dir: string;
  readonly client: EtcdClient;
  readonly address: string;
  /** Flags of the member of a cluster of as many as `names`. */
  flags(name?: string, more?: readonly string[]): string[];
}

/** Folders and ports for the members `n1` and `n2`; the cluster is `n1`, or both. */
async function place(names: readonly string[] = ['n1']): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'schism-raftkv-main-'));
  stack.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
  const ports = stack.use(await reservePorts(4, Random.stream(freshSeed(), 'raftkv-main')));
  const [peer1, peer2, client1, client2] = ports.list.map((port) => `127.0.0.1:${port}`);
  const peers: Readonly<Record<string, string>> = { n1: peer1 ?? '', n2: peer2 ?? '' };
  const clients: Readonly<Record<string, string>> = { n1: client1 ?? '', n2: client2 ?? '' };
  const client = stack.use(new EtcdClient(client1 ?? '', clock));
  const owned = stack.move();
  return {
    dir,
    client,
    address: client1 ?? '',
    flags: (name = 'n1', more = []) => [
      `--name=${name}`,
      `--data-dir=${join(dir, name)}`,
      `--listen-peer-urls=http://${peers[name]}`,
      `--initial-advertise-peer-urls=http://${peers[name]}`,
      `--listen-client-urls=http://${clients[name]}`,
      `--advertise-client-urls=http://${clients[name]}`,
      `--initial-cluster=${names.map((each) => `${each}=http://${peers[each]}`).join(',')}`,
      '--heartbeat-interval=20',
      '--election-timeout=200',
      ...more,
    ],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Waits until it serves; a process that ends before fails the test, with what it said. */
async function served({ client }: Place, started: Started): Promise<void> {
  let isOver = false;
  void started.finally(() => {
    isOver = true;
  });
  for (;;) {
    const reply = await client.range({ key: Buffer.from('k') }, 500);
    if (reply.ok) return;
    expect(isOver).toBe(false);
    await sleep(clock, 20);
  }
}

function lines(text: unknown): { level: string; msg: string }[] {
  return String(text)
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { level: string; msg: string });
}

/** Again and again: what was on its way to a leader that is no more is lost. */
async function put({ client }: Place): Promise<void> {
  for (;;) {
    const reply = await client.put({ key: Buffer.from('k'), value: Buffer.from('v') }, 1_000);
    if (reply.ok) return;
    await sleep(clock, 20);
  }
}

describe('a process', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('ends in good order on %s', async (signal) => {
    await using there = await place();
    const started = start(there.flags());
    await served(there, started);
    await put(there);
    started.kill(signal);
    const { exitCode, stderr, stdout } = await started;
    expect(exitCode).toBe(0);
    expect(stdout).toBe('');
    expect(lines(stderr).at(-1)).toMatchObject({ level: 'info', msg: 'stopping' });
    expect(lines(stderr).map(({ level }) => level)).not.toContain('fatal');
  });

  test('keeps what was written, and who it is', async () => {
    await using there = await place();
    const flags = there.flags();
    const ids: unknown[] = [];
    for (const round of [1, 2]) {
      const started = start(flags);
      await served(there, started);
      if (round === 1) await put(there);
      const reply = await there.client.range({ key: Buffer.from('k') }, 2_000);
      expect.assert(reply.ok);
      expect(reply.value.kvs[0]?.value.toString()).toBe('v');
      ids.push(reply.value.header?.memberId);
      started.kill('SIGKILL');
      await started;
    }
    expect(ids[0]).toBe(ids[1]);
  });

  test('a member that is removed ends by itself, with exit code 0', async () => {
    await using there = await place(['n1', 'n2']);
    const first = start(there.flags('n1', ['--strict-reconfig-check=false']));
    const second = start(there.flags('n2', ['--strict-reconfig-check=false']));
    await served(there, first);
    using client = rawClient(there.address);
    let wasListed = false;
    for (;;) {
      const { members } = (await client.call('Cluster', 'MemberList', {})) as unknown as {
        members: { name?: string; ID: string }[];
      };
      const ID = members.find(({ name }) => name === 'n2')?.ID;
      // It may go although the answer to its removal is lost.
      if (wasListed && ID === undefined) break;
      wasListed ||= ID !== undefined;
      const answer = ID === undefined ? {} : await client.call('Cluster', 'MemberRemove', { ID });
      if ('members' in answer) break;
      await sleep(clock, 50);
    }
    const { exitCode, stderr } = await second;
    expect(exitCode).toBe(0);
    expect(lines(stderr).at(-1)?.msg).toContain('removed');
    await put(there);
    first.kill('SIGTERM');
    expect((await first).exitCode).toBe(0);
  });
});

describe('a process that cannot go on', () => {
  test('refuses flags that it cannot use in one line, with exit code 2', async () => {
    const { exitCode, stderr } = await start(['--election-timeout=1']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^raftkv: --election-timeout .*$/);
  });

  test('says where it cannot listen', async () => {
    await using there = await place();
    const taken = createServer();
    const port = Number(there.address.split(':')[1]);
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
    const { exitCode, stderr } = await start(there.flags());
    taken.close();
    expect(exitCode).toBe(1);
    const last = lines(stderr).at(-1);
    expect(last).toMatchObject({ level: 'fatal' });
    expect(last?.msg).toContain(there.address);
  });

  test("keeps off another one's folder", async () => {
    await using there = await place();
    const started = start(there.flags());
    await served(there, started);
    const { exitCode, stderr } = await start(there.flags());
    expect(exitCode).toBe(1);
    expect(lines(stderr).at(-1)).toMatchObject({ level: 'fatal' });
    await put(there);
    started.kill('SIGTERM');
    await started;
  });

  test('names the damaged file, the place, and what to do', async () => {
    await using there = await place();
    const started = start(there.flags());
    await served(there, started);
    for (let index = 0; index < 20; index++) await put(there);
    started.kill('SIGKILL');
    await started;
    const folder = join(there.dir, 'n1');
    const log = readdirSync(folder).find((name) => name.startsWith('wal'));
    expect.assert(log !== undefined);
    const bytes = readFileSync(join(folder, log));
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    writeFileSync(join(folder, log), bytes);
    const { exitCode, stderr } = await start(there.flags());
    expect(exitCode).toBe(1);
    const last = lines(stderr).at(-1);
    expect(last).toMatchObject({ level: 'fatal' });
    expect(last?.msg).toMatch(new RegExp(`${log}.* at byte \\d+.*remove this member`));
  });

  test('an exception that nobody caught is a panic in the log', async () => {
    await using there = await place();
    const throws = "process.once('SIGUSR2', () => { throw new Error('no such thing'); })";
    const started = start(there.flags(), {
      NODE_OPTIONS: `--import="data:text/javascript,${encodeURIComponent(throws)}"`,
    });
    await served(there, started);
    started.kill('SIGUSR2');
    const { exitCode, stderr } = await started;
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('panic: no such thing');
  });
});

test('--help goes to stdout', async () => {
  const { exitCode, stdout, stderr } = await start(['--help']);
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toContain('--initial-cluster');
});
