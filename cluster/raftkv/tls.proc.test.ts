import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { realClock, sleep } from '../../harness/core/clock.ts';
import { freshSeed, Random } from '../../harness/core/prng.ts';
import { reservePorts } from '../backends/ports.ts';
import { type ClientTls, EtcdClient } from '../etcd-api/client.ts';
import { MEMBER_PROGRAM } from './program.ts';
import {
  type Authority,
  type CertificateFiles,
  type CertificateOptions,
  certificateAuthority,
  certificateFiles,
} from './testing-certificates.ts';

const clock = realClock();
const SOON = { timeout: 20_000 };
const NAMES = ['n1', 'n2', 'n3'];
/** The connection failed, at once: not that there was no time. */
const REFUSED = { ok: false, error: { code: status.UNAVAILABLE } };

interface Pair {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Three members that speak nothing but TLS, which are there until it is disposed of. */
interface Cluster extends AsyncDisposable {
  readonly files: CertificateFiles;
  readonly addresses: readonly string[];
  /** Of a client that is welcome. */
  readonly pair: Pair;
  readonly tls: ClientTls;
  /** Starts one that is not a member yet, with this certificate for its peers. */
  startFourth(pair: Pair): ReturnType<typeof start>;
  readonly fourthPeerUrl: string;
  stderr(): string;
}

function start(args: readonly string[]) {
  return execa(process.execPath, [...MEMBER_PROGRAM, ...args], {
    reject: false,
    stdin: 'ignore',
    forceKillAfterDelay: 2_000,
    cleanup: true,
  });
}

async function secureCluster(): Promise<Cluster> {
  await using stack = new AsyncDisposableStack();
  const files = stack.use(await certificateFiles());
  const ports = stack.use(await reservePorts(8, Random.stream(freshSeed(), 'raftkv-tls')));
  const [peers, clients] = [ports.list.slice(0, 4), ports.list.slice(4)];
  const own = await files.authority.sign();
  const pair = await files.write('member', own);
  const url = (at: number): string => `https://127.0.0.1:${peers[at]}`;
  const flags = (at: number, names: readonly string[], { certFile, keyFile }: Pair): string[] => [
    `--name=n${at + 1}`,
    `--data-dir=${join(files.dir, `data-${at}`)}`,
    `--listen-peer-urls=${url(at)}`,
    `--initial-advertise-peer-urls=${url(at)}`,
    `--listen-client-urls=https://127.0.0.1:${clients[at]}`,
    `--advertise-client-urls=https://127.0.0.1:${clients[at]}`,
    `--initial-cluster=${names.map((name, index) => `${name}=${url(index)}`).join(',')}`,
    '--heartbeat-interval=50',
    '--election-timeout=500',
    `--cert-file=${pair.certFile}`,
    `--key-file=${pair.keyFile}`,
    `--trusted-ca-file=${files.caFile}`,
    '--client-cert-auth',
    '--strict-reconfig-check=false',
    `--peer-cert-file=${certFile}`,
    `--peer-key-file=${keyFile}`,
    `--peer-trusted-ca-file=${files.caFile}`,
    '--peer-client-cert-auth',
  ];
  const started = NAMES.map((_, at) => start(flags(at, NAMES, pair)));
  stack.defer(async () => {
    for (const each of started) each.kill();
    await Promise.all(started);
  });
  let said = '';
  for (const { stderr } of started) stderr?.on('data', (chunk) => (said += String(chunk)));
  const tls: ClientTls = { ca: files.authority.cert, own };
  const addresses = clients.map((port) => `127.0.0.1:${port}`);
  await Promise.all(addresses.slice(0, 3).map((address) => serves(address, tls)));
  const owned = stack.move();
  return {
    files,
    addresses,
    pair,
    tls,
    fourthPeerUrl: url(3),
    startFourth: (fourth) =>
      start([...flags(3, [...NAMES, 'n4'], fourth), '--initial-cluster-state=existing']),
    stderr: () => said,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function serves(address: string, tls: ClientTls): Promise<void> {
  using client = new EtcdClient(address, clock, {}, tls);
  for (;;) {
    const reply = await client.range({ key: Buffer.from('k') }, 500);
    if (reply.ok) return;
    await sleep(clock, 20);
  }
}

describe('a cluster that speaks nothing but TLS', () => {
  let cluster: Cluster;
  let other: Authority;

  beforeAll(async () => {
    cluster = await secureCluster();
    other = await certificateAuthority('another authority');
    return () => cluster[Symbol.asyncDispose]();
  });

  function etcdctl(
    args: readonly string[],
    { certFile, keyFile }: Pair = cluster.pair,
    timeout = '10s',
  ) {
    const [endpoint] = cluster.addresses;
    return execa(
      'etcdctl',
      [
        `--endpoints=https://${endpoint}`,
        `--cacert=${cluster.files.caFile}`,
        `--cert=${certFile}`,
        `--key=${keyFile}`,
        `--command-timeout=${timeout}`,
        '--dial-timeout=10s',
        ...args,
      ],
      { reject: false, env: { ETCDCTL_API: '3' } },
    );
  }

  async function pairOf(from: Authority, name: string, options?: CertificateOptions) {
    return cluster.files.write(name, await from.sign(options));
  }

  test('elects, and every member serves what was written through one', async () => {
    const key = Buffer.from('greeting');
    for (const [at, address] of cluster.addresses.slice(0, 3).entries()) {
      using client = new EtcdClient(address, clock, {}, cluster.tls);
      const request = { key, value: Buffer.from(`${at}`) };
      await expect.poll(async () => (await client.put(request, 5_000)).ok, SOON).toBe(true);
    }
    for (const address of cluster.addresses.slice(0, 3)) {
      using client = new EtcdClient(address, clock, {}, cluster.tls);
      const reply = await client.range({ key }, 5_000);
      expect.assert(reply.ok);
      expect(reply.value.kvs?.[0]?.value?.toString()).toBe('2');
    }
  });

  test('has nothing to say to clients without TLS, or without a certificate', async () => {
    const [address = ''] = cluster.addresses;
    const key = Buffer.from('k');
    using plain = new EtcdClient(address, clock);
    expect(await plain.range({ key }, 5_000)).toMatchObject(REFUSED);
    using anonymous = new EtcdClient(address, clock, {}, { ca: cluster.tls.ca });
    expect(await anonymous.range({ key }, 5_000)).toMatchObject(REFUSED);
    using welcome = new EtcdClient(address, clock, {}, cluster.tls);
    expect(await welcome.range({ key }, 5_000)).toMatchObject({ ok: true });
  });

  test.each([
    ['of another authority', () => other, {}],
    ['that has expired', () => cluster.files.authority, { isExpired: true }],
  ])('has nothing to say to clients with a certificate %s', async (_which, from, options) => {
    const own = await from().sign(options);
    using client = new EtcdClient(cluster.addresses[0] ?? '', clock, {}, { ...cluster.tls, own });
    expect(await client.range({ key: Buffer.from('k') }, 5_000)).toMatchObject(REFUSED);
  });

  test('is not believed by clients that know another authority', async () => {
    const tls: ClientTls = { ca: other.cert, own: await other.sign() };
    using client = new EtcdClient(cluster.addresses[0] ?? '', clock, {}, tls);
    expect(await client.range({ key: Buffer.from('k') }, 5_000)).toMatchObject(REFUSED);
  });

  test('is not believed by clients when its certificate is for another host', async () => {
    const [, port] = (cluster.addresses[0] ?? '').split(':');
    using byName = new EtcdClient(`localhost:${port}`, clock, {}, cluster.tls);
    expect(await byName.range({ key: Buffer.from('k') }, 5_000)).toMatchObject({ ok: true });
    using elsewhere = new EtcdClient(`127.0.0.2:${port}`, clock, {}, cluster.tls);
    expect(await elsewhere.range({ key: Buffer.from('k') }, 5_000)).toMatchObject(REFUSED);
  });

  test('works with etcdctl as it is', async () => {
    expect((await etcdctl(['put', 'a', '1'])).stdout).toBe('OK');
    expect((await etcdctl(['get', 'a'])).stdout).toBe('a\n1');
    const list = await etcdctl(['member', 'list']);
    expect(list.stdout.match(/started, n\d, https:\/\/127/g)).toHaveLength(3);
    const strange = await pairOf(other, 'strange-client');
    const refused = await etcdctl(['get', 'a'], strange, '2s');
    expect([refused.exitCode, refused.stdout]).toEqual([1, '']);
  });

  test('is joined only with a certificate that it believes', async () => {
    const added = await etcdctl(['member', 'add', 'n4', `--peer-urls=${cluster.fourthPeerUrl}`]);
    expect(added.exitCode).toBe(0);
    await using strange = joining(
      cluster.startFourth(await pairOf(other, 'strange-member')),
      'cannot ask a member who is there',
    );
    await strange.said;
    expect(strange.isOver()).toBe(false);
    await strange[Symbol.asyncDispose]();
    while (!cluster.stderr().includes('UNABLE_TO_VERIFY_LEAF_SIGNATURE')) await sleep(clock, 20);
    await using fourth = joining(cluster.startFourth(cluster.pair), 'ready to serve');
    await fourth.said;
    await serves(cluster.addresses[3] ?? '', cluster.tls);
    expect(fourth.isOver()).toBe(false);
    expect((await etcdctl(['get', 'a'])).stdout).toBe('a\n1');
  });

  test('mentions what it refused a few times only', () => {
    const refusals = cluster
      .stderr()
      .split('\n')
      .filter((line) => line.includes('refused'));
    expect(refusals.length).toBeGreaterThan(0);
    expect(refusals.length).toBeLessThan(20);
    expect(cluster.stderr()).not.toContain('panic');
  });
});

/** `said` resolves once it has said so. */
function joining(started: ReturnType<typeof start>, text: string): Joining {
  let isOver = false;
  let stderr = '';
  void started.finally(() => {
    isOver = true;
  });
  const said = new Promise<void>((resolve) => {
    started.stderr?.on('data', (chunk) => {
      stderr += String(chunk);
      if (stderr.includes(text)) resolve();
    });
  });
  return {
    said,
    isOver: () => isOver,
    [Symbol.asyncDispose]: async () => {
      // One that looks for members listens to nothing else.
      started.kill('SIGKILL');
      await started;
    },
  };
}

interface Joining extends AsyncDisposable {
  readonly said: Promise<void>;
  isOver(): boolean;
}

test.each([
  [['--listen-client-urls=https://127.0.0.1:1'], '--listen-client-urls'],
  [
    ['--listen-client-urls=https://127.0.0.1:1', '--cert-file=/none.crt', '--key-file=/none.key'],
    "--cert-file: '/none.crt' is not there",
  ],
])('flags that cannot be used end with code 2 and one line: %j', async (args, said) => {
  const { exitCode, stderr } = await start(args);
  expect(exitCode).toBe(2);
  expect(stderr.split('\n')).toHaveLength(1);
  expect(stderr).toContain(said);
});

test('what certificates cannot do is said when a member starts', async () => {
  await using files = await certificateFiles();
  const old = await files.write('old', await files.authority.sign({ isExpired: true }));
  const { exitCode, stderr } = await start([
    '--listen-client-urls=https://127.0.0.1:1',
    `--cert-file=${old.certFile}`,
    `--key-file=${old.keyFile}`,
    `--peer-cert-file=${old.certFile}`,
    `--peer-key-file=${old.keyFile}`,
    // It gets no further than to its folder, which cannot be.
    `--data-dir=${files.caFile}/data`,
  ]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('the certificate of --cert-file has expired');
  expect(stderr).toContain('--listen-peer-urls says http://, so this is plaintext');
});
