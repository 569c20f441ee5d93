import { expect, test } from 'vitest';
import { parseRestore } from './restore-process.ts';

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
