import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openFileDisk } from '../storage/file-disk.ts';
import { openStorage } from '../storage/storage.ts';
import { parseRestore, type RestoreSettings, restoreFile } from './restore-process.ts';
import { backupFileOf, PLAN } from './testing.ts';

test('the flags of restore are those of etcdctl, with the same defaults', () => {
  expect(parseRestore(['file'])).toEqual({
    type: 'restore',
    settings: {
      file: 'file',
      dataDir: 'default.raftkv',
      plan: {
        name: 'default',
        initialCluster: [{ name: 'default', peerUrls: ['http://localhost:2380'] }],
        token: 'etcd-cluster',
        skipHashCheck: false,
        bugs: new Set(),
      },
    },
  });
  const flags = [
    '--name=n2',
    '--data-dir=/d',
    '--initial-cluster=n1=http://h1:1,n2=http://h2:2',
    '--initial-advertise-peer-urls=http://h2:2',
    '--initial-cluster-token=t',
    '--skip-hash-check',
    '--bug=restore-same-id',
  ];
  expect(parseRestore([...flags, 'file'])).toEqual({
    type: 'restore',
    settings: {
      file: 'file',
      dataDir: '/d',
      plan: {
        name: 'n2',
        initialCluster: [
          { name: 'n1', peerUrls: ['http://h1:1'] },
          { name: 'n2', peerUrls: ['http://h2:2'] },
        ],
        token: 't',
        skipHashCheck: true,
        bugs: new Set(['restore-same-id']),
      },
    },
  });
});

test('help is text, and what cannot be used is refused in one line', () => {
  expect(parseRestore(['--help'])).toMatchObject({ type: 'help' });
  for (const [args, said] of [
    [[], /missing required argument 'file'/],
    [['a', 'b'], /too many arguments/],
    [['f', '--name=n9', '--initial-cluster=n1=http://h:1'], /--name is 'n9'/],
    [['f', '--initial-cluster=n1'], /is not name=http/],
    [['f', '--bug=none'], /no bug 'none'/],
  ] as const) {
    expect(() => parseRestore(args)).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(() => parseRestore(args)).toThrow(said);
  }
});

describe('what is restored to one folder', () => {
  /** In a folder that is not there yet, below one that is gone after the test. */
  async function settingsOf(): Promise<RestoreSettings & { readonly parent: string }> {
    const parent = await mkdtemp(join(tmpdir(), 'schism-restore-'));
    onTestFinished(() => rm(parent, { recursive: true }));
    const file = join(parent, 'backup');
    await writeFile(file, await backupFileOf([(writer) => writer.put('b', 'k', Buffer.from('v'))]));
    return { parent, file, dataDir: join(parent, 'new', 'data'), plan: PLAN };
  }

  test('twice at once is there once, whole', async () => {
    const settings = await settingsOf();
    const both = await Promise.allSettled([restoreFile(settings), restoreFile(settings)]);
    const refused = both.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({
      message: expect.stringMatching(/^the data folder .* exist/),
    });
    await using disk = await openFileDisk(settings.dataDir);
    await using storage = await openStorage(disk);
    expect(storage.recovered?.snapshot.index).toBe(3);
  });

  test('where a link leads nowhere, or a file is in the way, is refused', async () => {
    const { parent, ...settings } = await settingsOf();
    const link = join(parent, 'link');
    await symlink(join(parent, 'nowhere'), link);
    await expect(restoreFile({ ...settings, dataDir: link })).rejects.toThrow('link exists');
    const below = join(settings.file, 'data');
    await expect(restoreFile({ ...settings, dataDir: below })).rejects.toThrow('cannot write to');
    expect((await readdir(parent)).toSorted()).toEqual(['backup', 'link']);
  });
});
