import { describe, expect, test } from 'vitest';
import { parseFlags } from './flags.ts';
import { refusal, settings } from './flags-testing.ts';

const MEMBER = [
  '--name=n1',
  '--listen-peer-urls=http://127.0.0.1:1001',
  '--initial-advertise-peer-urls=http://127.0.0.1:1001',
  '--listen-client-urls=http://127.0.0.1:2001',
  '--advertise-client-urls=http://127.0.0.1:2001',
  '--initial-cluster=n1=http://127.0.0.1:1001,n2=http://127.0.0.1:1002',
];

describe('flags', () => {
  test("defaults are etcd's, with PreVote as since 3.5", () => {
    const { config, dataDir, listenClient, routes, progressNotifyMs } = settings();
    expect(config).toEqual({
      name: 'default',
      clientUrls: ['http://localhost:2379'],
      initialCluster: [{ name: 'default', peerUrls: ['http://localhost:2380'] }],
      initialState: 'new',
      token: 'etcd-cluster',
      heartbeatMs: 100,
      electionMs: 1000,
      preVote: true,
      leaseReads: false,
      maxAppendEntries: 1024,
      snapshotCount: 100_000,
      catchUpEntries: 5000,
      maxTxnOps: 128,
      maxRequestBytes: 1_572_864,
      strictReconfigCheck: true,
      quotaBytes: 2_147_483_648,
    });
    expect(dataDir).toBe('default.raftkv');
    expect(listenClient).toEqual({ host: 'localhost', port: 2379 });
    expect(routes.size).toBe(0);
    expect(progressNotifyMs).toBe(600_000);
  });

  test('a member of a cluster knows its own addresses and those of the others', () => {
    const { config, listenPeer, listenClient, others } = settings(...MEMBER);
    expect(listenPeer).toEqual({ host: '127.0.0.1', port: 1001 });
    expect(listenClient).toEqual({ host: '127.0.0.1', port: 2001 });
    expect(config.clientUrls).toEqual(['http://127.0.0.1:2001']);
    expect(config.initialCluster.map(({ name }) => name)).toEqual(['n1', 'n2']);
    expect(others).toEqual(['127.0.0.1:1002']);
  });

  test('a member may have several peer URLs', () => {
    const urls = ['http://127.0.0.1:1', 'http://[::1]:2'];
    const { config } = settings(
      `--initial-advertise-peer-urls=${urls.join(',')}`,
      `--initial-cluster=default=${urls[1]},default=${urls[0]}`,
    );
    expect(config.initialCluster[0]?.peerUrls).toEqual(urls.toReversed());
  });

  test("values are written as for etcd: with or without '=', booleans with or without a value", () => {
    const { config } = settings('--name', 'x', '--initial-cluster', 'x=http://localhost:2380');
    expect(config.name).toBe('x');
    expect(settings('--pre-vote=false').config.preVote).toBe(false);
    expect(settings('--lease-reads').config.leaseReads).toBe(true);
    expect(settings('--lease-reads=true', '--strict-reconfig-check=f').config).toMatchObject({
      leaseReads: true,
      strictReconfigCheck: false,
    });
  });

  test('routes say how to dial an advertised address, each flag one', () => {
    const { routes } = settings(
      '--route',
      '127.0.0.1:9=127.0.0.1:10',
      '--route=127.0.0.1:11=[::1]:12',
    );
    expect([...routes]).toEqual([
      ['127.0.0.1:9', '127.0.0.1:10'],
      ['127.0.0.1:11', '[::1]:12'],
    ]);
    expect(settings().routes.size).toBe(0);
  });

  test('a seed is taken as it is written, and drawn when there is none', () => {
    expect(settings('--seed=0x5eed1234').seed).toBe(0x5eed1234);
    expect(settings().seed).toEqual(expect.any(Number));
  });

  test('bugs are planted only when asked for, one or several', () => {
    expect(settings().config.bugs).toBeUndefined();
    expect(settings('--bug=txn-race').config.bugs).toEqual(new Set(['txn-race']));
    expect(settings('--bug', 'txn-race, figure-8').config.bugs?.has('figure-8')).toBe(true);
  });

  test('a duration has a unit', () => {
    const flag = '--experimental-watch-progress-notify-interval';
    expect(settings(`${flag}=100ms`).progressNotifyMs).toBe(100);
    expect(settings(`${flag}=2s`).progressNotifyMs).toBe(2000);
    expect(refusal(`${flag}=5`)).toContain(flag);
  });

  test('it listens beyond loopback only when told so', () => {
    const far = '--listen-client-urls=http://192.0.2.1:2379';
    expect(refusal(far)).toContain('--allow-non-loopback');
    expect(refusal('--listen-peer-urls=http://192.0.2.1:2380')).toContain('--listen-peer-urls');
    expect(settings(far, '--allow-non-loopback').listenClient.host).toBe('192.0.2.1');
    expect(settings('--listen-client-urls=http://[::1]:2379').listenClient.host).toBe('::1');
  });

  test.each([
    [['--nmae=n1'], "unknown option '--nmae=n1'"],
    [['--nmae', 'n1'], 'Did you mean --name?'],
    [['n1'], 'argument'],
    [['--heartbeat-interval=0'], '--heartbeat-interval'],
    [['--election-timeout=1e3'], '--election-timeout'],
    [['--election-timeout=499'], '5 times'],
    [['--election-timeout=60000'], 'too long'],
    [['--pre-vote=maybe'], '--pre-vote'],
    [['--initial-cluster-state=old'], 'new, existing'],
    [['--initial-cluster=http://localhost:2380'], 'name=http://host:port'],
    [['--initial-cluster=n2=http://localhost:2380'], "--name is 'default'"],
    [['--initial-cluster=default=http://localhost:9'], '--initial-advertise-peer-urls'],
    [['--advertise-client-urls=ftp://localhost:2379'], 'http://host:port'],
    [['--advertise-client-urls=http://localhost:2379/x'], 'http://host:port'],
    [['--listen-client-urls=http://localhost:99999'], 'http://host:port'],
    [['--listen-client-urls=http://localhost:1,http://localhost:2'], 'one URL'],
    [['--route=127.0.0.1:9'], 'host:port=host:port'],
    [['--route=127.0.0.1:9=x'], 'host:port=host:port'],
    [['--seed=red'], '--seed'],
    [['--bug=figure-8,figure-9'], "no bug 'figure-9' (did you mean 'figure-8'?); it has: stale-"],
    [['--log-level=loud'], 'debug, info, warn, error'],
  ])('%j is refused in one line that says why', (args, said) => {
    expect(refusal(...args)).toContain(said);
  });

  test('help lists every flag', () => {
    const parsed = parseFlags(['--help']);
    expect.assert(parsed.type === 'help');
    for (const flag of ['--route', '--initial-cluster-state', '--snapshot-catchup-entries'])
      expect(parsed.text).toContain(flag);
  });
});
