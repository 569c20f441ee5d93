/** Quotas, alarms, defragmentation and comparisons of members, on real processes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { falsify } from '../cluster/raftkv/storage/falsify-testing.ts';
import { openFileDisk } from '../cluster/raftkv/storage/file-disk.ts';
import {
  type SystemUnderTest,
  startEtcd,
  startRaftkv,
  type TestCluster,
} from '../cluster/raftkv/testing.ts';
import { realClock, sleep } from '../harness/core/clock.ts';
import { describeWith } from './requires.ts';

const clock = realClock();
const ASK_MS = 10_000;
const QUOTA = 16_777_216;
const VALUE = Buffer.alloc(500_000, 'x');
const NO_SPACE = 'etcdserver: mvcc: database space exceeded';

async function put(cluster: TestCluster, key: string, value: Buffer): Promise<string> {
  const reply = await cluster.client('n1').put({ key: Buffer.from(key), value }, ASK_MS);
  return reply.ok ? 'OK' : (reply.error as { details: string }).details;
}

/** What it printed, else the last line on stderr. */
async function printed(cluster: TestCluster, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await execa(
    'etcdctl',
    [`--endpoints=${cluster.address('n1')}`, ...args],
    { env: { ETCDCTL_API: '3' }, reject: false, timeout: ASK_MS },
  );
  return stdout === '' ? (stderr.split('\n').at(-1) ?? '') : stdout;
}

/** As `printed`, with names for what no two clusters share. */
async function etcdctl(cluster: TestCluster, ...args: readonly string[]): Promise<string> {
  const said = await printed(cluster, ...args);
  return said.replace(/memberID:\d+/g, 'memberID:<n1>').replaceAll(cluster.address('n1'), '<n1>');
}

interface Status {
  readonly dbSize: number;
  readonly errors?: readonly string[];
}

async function statusOf(cluster: TestCluster): Promise<Status> {
  const said = await printed(cluster, 'endpoint', 'status', '-w', 'json');
  const [first] = JSON.parse(said) as [{ readonly Status: Status }];
  return first.Status;
}

/** What one does by hand with a member that is full. */
async function fillAndMakeRoom(system: SystemUnderTest): Promise<readonly string[]> {
  const start = system === 'etcd' ? startEtcd : startRaftkv;
  await using cluster = await start({ nodes: 1, flags: [`--quota-backend-bytes=${QUOTA}`] });
  let written = 0;
  while ((await put(cluster, `fill/${written}`, VALUE)) === 'OK') written++;
  // Both estimate what they store, but neither puts up with much more than it may.
  expect(written).toBeGreaterThan(20);
  expect(written).toBeLessThan(40);
  const full = (await statusOf(cluster)).dbSize;
  const seen = [
    await put(cluster, 'fill/more', VALUE),
    await etcdctl(cluster, 'alarm', 'list'),
    await etcdctl(cluster, 'put', 'small', '1'),
    await etcdctl(cluster, 'get', 'fill/1', '--keys-only'),
    await etcdctl(cluster, 'lease', 'grant', '60'),
    (await etcdctl(cluster, 'endpoint', 'health')).replace(/took = .*/, ''),
    (await etcdctl(cluster, 'endpoint', 'status', '-w', 'simple')).replace(/^.*, (?=m)/, ''),
    await etcdctl(cluster, 'del', 'nothing'),
    (await etcdctl(cluster, 'del', 'fill/', '--prefix')).replace(String(written), '<all>'),
    // Or what is compacted may still be there while etcd defragments.
    (await etcdctl(cluster, 'compaction', '--physical', String(written + 2))).replace(
      /\d+/,
      '<revision>',
    ),
    await etcdctl(cluster, 'defrag'),
    await etcdctl(cluster, 'put', 'small', '1'),
    await etcdctl(cluster, 'alarm', 'disarm'),
    await etcdctl(cluster, 'alarm', 'disarm'),
    await etcdctl(cluster, 'alarm', 'list'),
    await put(cluster, 'fill/again', VALUE),
    await etcdctl(cluster, 'get', 'small'),
  ];
  expect((await statusOf(cluster)).dbSize).toBeLessThan(full / 4);
  return seen;
}

describeWith('etcd', 'a member that is full', () => {
  test('says and does with etcdctl what etcd says and does', { timeout: 90_000 }, async () => {
    const [raftkv, etcd] = await Promise.all([fillAndMakeRoom('raftkv'), fillAndMakeRoom('etcd')]);
    expect(raftkv).toEqual(etcd);
    expect(raftkv[0]).toBe(NO_SPACE);
    expect(raftkv[1]).toBe('memberID:<n1> alarm:NOSPACE ');
    expect(raftkv.slice(-5)).toEqual(['memberID:<n1> alarm:NOSPACE ', '', '', 'OK', '']);
  });
});

/** What is sent to a leader that is gone may be lost: until it is there. */
async function isPut(cluster: TestCluster, value: string): Promise<void> {
  await expect
    .poll(() => put(cluster, 'key', Buffer.from(value)), { timeout: 30_000, interval: 100 })
    .toBe('OK');
}

describeWith('etcdctl', 'members that are compared', () => {
  async function withOneWrong(flag: string): Promise<TestCluster> {
    await using stack = new AsyncDisposableStack();
    const cluster = stack.use(await startRaftkv({ nodes: 3, flags: [flag] }));
    await isPut(cluster, 'right');
    // Until then a start would apply it anew, from the log.
    const backend = join(cluster.dir, 'n3', 'data', 'db');
    await expect
      .poll(async () => (await readFile(backend)).includes('right'), { timeout: 20_000 })
      .toBe(true);
    await cluster.control.kill('n3');
    {
      await using disk = await openFileDisk(join(cluster.dir, 'n3', 'data'));
      await falsify(disk, 'right', 'wrong');
    }
    await cluster.control.start('n3');
    stack.move();
    return cluster;
  }

  test('the one that differs is named, and no member takes writes', {
    timeout: 60_000,
  }, async () => {
    await using cluster = await withOneWrong('--experimental-corrupt-check-time=200ms');
    // On a busy machine there may be no leader for a moment, which is an error, too.
    const alarms = async (): Promise<readonly string[]> =>
      ((await statusOf(cluster)).errors ?? []).filter((error) => error.includes('alarm'));
    while ((await alarms()).length === 0) await sleep(clock, 100);
    await cluster.ready(['n3']);
    const wrong = await cluster.client('n3').status(ASK_MS);
    const member = wrong.ok ? wrong.value.header?.memberId : undefined;
    expect(await alarms()).toEqual([`memberID:${member} alarm:CORRUPT `]);
    expect(await put(cluster, 'key', Buffer.from('more'))).toBe('etcdserver: corrupt cluster');
  });

  test('one that is to compare itself first does not start', { timeout: 60_000 }, async () => {
    await using cluster = await withOneWrong('--experimental-initial-corrupt-check');
    while (cluster.crashed().length === 0) await sleep(clock, 100);
    expect(cluster.crashed()).toMatchObject([{ node: 'n3', how: 'exit code 1' }]);
    await isPut(cluster, 'more');
  });
});
