import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { describeWith } from '../../../test/requires.ts';
import { startRaftkv, type TestCluster } from '../testing.ts';
import { backupFileOf, flipped } from './testing.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const ETCDCTL: string = 'etcdctl';
const CALL_MS_MAX = 5_000;
const SOON = { timeout: 20_000 };

interface Ran {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

async function restore(...args: readonly string[]): Promise<Ran> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [MAIN, 'restore', ...args], {
    reject: false,
    stdin: 'ignore',
  });
  return { exitCode, stdout, stderr };
}

async function put(cluster: TestCluster, key: string, value: string): Promise<void> {
  const request = { key: Buffer.from(key), value: Buffer.from(value) };
  const client = cluster.client(cluster.nodes[0] ?? '');
  await expect.poll(async () => (await client.put(request, CALL_MS_MAX)).ok, SOON).toBe(true);
}

/** Linearizable; undefined: no answer. */
async function get(
  cluster: TestCluster,
  node: string,
  key: string,
  timeoutMs = 10_000,
): Promise<string | undefined> {
  const reply = await cluster.client(node).range({ key: Buffer.from(key) }, timeoutMs);
  return reply.ok ? reply.value.kvs.map(({ value }) => value.toString()).join() : undefined;
}

/** What the node's log has under a message, as text. */
function logged(cluster: TestCluster, node: string, message: string): string {
  const path = join(cluster.dir, node, 'log');
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line.includes(message)).join('\n');
}

/** In place of what the node had, which moves aside; the node must not run. */
async function restoreNode(cluster: TestCluster, node: string, file: string): Promise<Ran> {
  const dir = join(cluster.dir, node, 'data');
  await rename(dir, `${dir}-before`);
  const all = cluster.nodes.map((each) => `${each}=${cluster.peerUrl(each)}`);
  return restore(
    file,
    `--name=${node}`,
    `--data-dir=${dir}`,
    `--initial-advertise-peer-urls=${cluster.peerUrl(node)}`,
    `--initial-cluster=${all.join(',')}`,
    '--initial-cluster-token=restored',
  );
}

async function save(cluster: TestCluster, node: string): Promise<string> {
  const file = join(cluster.dir, 'backup');
  await execa(ETCDCTL, ['--endpoints', cluster.address(node), 'snapshot', 'save', file], {
    env: { ETCDCTL_API: '3' },
  });
  return file;
}

describeWith('etcdctl', 'a backup that etcdctl saved', () => {
  test('restores a cluster, into which no member of the dead one finds its way', async () => {
    await using cluster = await startRaftkv({ nodes: 3 });
    const { control } = cluster;
    await put(cluster, 'k', 'saved');
    await put(cluster, 'long', 'x'.repeat(300_000));
    // A backup holds what its own member has applied.
    expect(await get(cluster, 'n2', 'long')).toHaveLength(300_000);
    const file = await save(cluster, 'n2');
    const bytes = await readFile(file);
    const hash = createHash('sha256').update(bytes.subarray(0, -32)).digest();
    expect(bytes.subarray(-32).equals(hash)).toBe(true);
    for (let n = 0; n < 20; n++) await put(cluster, 'k', `not saved ${n}`);

    for (const node of ['n1', 'n2']) await control.kill(node);
    for (const node of ['n1', 'n2']) {
      const { exitCode, stdout } = await restoreNode(cluster, node, file);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^restored .*, revision 3, to .* is member \w+ of the new cluster/);
    }
    for (const node of ['n1', 'n2']) await control.start(node);
    await cluster.ready(['n1', 'n2']);
    expect(await get(cluster, 'n1', 'k')).toBe('saved');
    // Both dial the other, and both are sent away.
    const refusal = 'refused a connection of a member';
    for (const node of ['n1', 'n3'])
      await expect.poll(() => logged(cluster, node, refusal), SOON).toMatch(/of another cluster/);
    await put(cluster, 'new', '1');
    expect(await get(cluster, 'n3', 'k', 1_000)).toBeUndefined();

    await control.kill('n3');
    expect((await restoreNode(cluster, 'n3', file)).exitCode).toBe(0);
    await control.start('n3');
    await cluster.ready();
    expect(await get(cluster, 'n3', 'new')).toBe('1');
    expect(await get(cluster, 'n3', 'long')).toHaveLength(300_000);
    const hashes = await Promise.all(
      cluster.nodes.map((node) => cluster.client(node).hashKV(CALL_MS_MAX, '4')),
    );
    const values = hashes.map((reply) => (reply.ok ? reply.value.hash : reply.error));
    expect(new Set(values).size).toBe(1);
    const list = await cluster.client('n3').memberList(CALL_MS_MAX);
    expect.assert(list.ok);
    expect(list.value.members.map(({ name }) => name).toSorted()).toEqual(['n1', 'n2', 'n3']);
    expect(cluster.crashed()).toEqual([]);
  }, 90_000);
});

describe('the command restore', () => {
  test('takes a copy of the file of a member that was killed', async () => {
    await using cluster = await startRaftkv({ nodes: 1 });
    await put(cluster, 'k', 'saved');
    await cluster.control.kill('n1');
    const copy = join(cluster.dir, 'copy');
    await cp(join(cluster.dir, 'n1', 'data', 'db'), copy);
    const dir = join(cluster.dir, 'restored');
    const refused = await restore(copy, `--data-dir=${dir}`);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^raftkv: .* no hash at its end; --skip-hash-check takes/);
    expect(existsSync(dir)).toBe(false);
    expect(await restore(copy, `--data-dir=${dir}`, '--skip-hash-check')).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
  });

  test('refuses in one line what it cannot use, and leaves nothing', async () => {
    await using stack = new AsyncDisposableStack();
    const dir = await mkdtemp(join(tmpdir(), 'schism-restore-'));
    stack.defer(() => rm(dir, { recursive: true }));
    const file = join(dir, 'backup');
    const bytes = await backupFileOf([(writer) => writer.put('b', 'k', Buffer.from('v'))]);
    await writeFile(file, bytes);
    const changed = join(dir, 'changed');
    await writeFile(changed, flipped(bytes, 400));
    const cut = join(dir, 'cut');
    await writeFile(cut, bytes.subarray(0, 300));
    const there = ['--data-dir', join(dir, 'data')];
    const refusals: readonly [args: readonly string[], exitCode: number, said: RegExp][] = [
      [[changed, ...there], 1, /was changed or cut off: at byte 43/],
      [[cut, ...there], 1, /was changed or cut off: at byte \d+/],
      [[join(dir, 'nothing'), ...there], 1, /cannot read .*ENOENT/],
      [[file, '--data-dir', dir], 1, /exists; restore to another one/],
      [[file, '--data-dir', join(file, 'x')], 1, /cannot write to .*file already exists/],
      [there, 2, /missing required argument 'file'/],
      [[file, ...there, '--wal-dir=x'], 2, /unknown option '--wal-dir=?x?'/],
      [[file, ...there, '--bug=none'], 2, /no bug 'none'/],
    ];
    for (const [args, exitCode, said] of refusals) {
      const ran = await restore(...args);
      expect(ran).toMatchObject({ exitCode, stdout: '' });
      expect(ran.stderr).toMatch(/^raftkv: [^\n]*$/);
      expect(ran.stderr).toMatch(said);
      expect(existsSync(join(dir, 'data'))).toBe(false);
    }
    expect((await restore('--help')).stdout).toContain('--skip-hash-check');
  });
});
