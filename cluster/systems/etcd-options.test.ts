import { describe, expect, test } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import {
  type EtcdVersion,
  memberArgs,
  memberEnvironment,
  parseVersion,
  settingsOf,
} from './etcd-options.ts';

const version = (text: string): EtcdVersion => {
  const parsed = parseVersion(`etcd Version: ${text}\nGit SHA: abc\n`);
  expect.assert(parsed !== undefined);
  return parsed;
};

describe('parseVersion', () => {
  test('reads what etcd prints', () => {
    expect(version('3.4.23')).toEqual({ text: '3.4.23', major: 3, minor: 4 });
    expect(version('3.6.0-rc.1')).toEqual({ text: '3.6.0-rc.1', major: 3, minor: 6 });
  });
  test('anything else is no version', () => {
    expect(parseVersion('etcdctl version: 3.4.23')).toBeUndefined();
  });
});

describe('settingsOf', () => {
  test('3.4 needs to be told its log format; later versions do not', () => {
    expect(settingsOf({}, version('3.4.23'))).toEqual({
      binary: 'etcd',
      timing: { heartbeatMs: 50, electionMs: 500 },
      flags: ['--heartbeat-interval=50', '--election-timeout=500', '--logger=zap'],
    });
    for (const text of ['3.5.17', '3.6.1', '4.0.0'])
      expect(settingsOf({}, version(text)).flags).not.toContain('--logger=zap');
  });

  test('options become flags', () => {
    const options = {
      binary: 'bin/etcd',
      heartbeat: '10ms',
      election: '1s',
      'snapshot-count': '100',
      'pre-vote': 'true',
      'strict-reconfig-check': 'false',
      'unsafe-no-fsync': 'true',
      extra: ' --max-txn-ops=1024  --enable-pprof ',
    };
    expect(settingsOf(options, version('3.5.9'))).toEqual({
      binary: 'bin/etcd',
      timing: { heartbeatMs: 10, electionMs: 1000 },
      flags: [
        '--heartbeat-interval=10',
        '--election-timeout=1000',
        '--snapshot-count=100',
        '--pre-vote=true',
        '--strict-reconfig-check=false',
        '--unsafe-no-fsync=true',
        '--max-txn-ops=1024',
        '--enable-pprof',
      ],
    });
  });

  test.each([
    [{ election: '200ms' }, 'etcd option election: 200 ms is less than five heartbeats of 50 ms'],
    [{ heartbeat: 'fast' }, "heartbeat: 'fast' is not a duration"],
    [{ 'snapshot-count': 'few' }, "etcd option snapshot-count: 'few' is not a whole number"],
    [{ 'pre-vote': 'yes' }, "etcd option pre-vote: 'yes' is not true or false"],
    [{ 'unsafe-no-fsync': 'true' }, 'etcd option unsafe-no-fsync: etcd 3.4.23 does not have it'],
    [{ extra: '--data-dir=/' }, "etcd option extra: '--data-dir=/' is set by Schism itself"],
  ])('%o is refused', (options, message) => {
    const settings = (): unknown => settingsOf(options, version('3.4.23'));
    expect(settings).toThrow(HarnessError);
    expect(settings).toThrow(message);
  });

  test('what is too old is refused', () => {
    expect(() => settingsOf({}, version('3.3.27'))).toThrow('etcd 3.3.27 is too old');
  });
});

test('memberArgs: each member advertises the name that its peers forward', () => {
  const urls = new Map([
    ['n1', 'http://peer1.test:1'],
    ['n2', 'http://peer2.test:2'],
  ]);
  const [peer, client] = ['127.0.0.1:2', '127.0.0.1:3'];
  const member = { node: 'n2', dataDir: 'nodes/n2/data', peer, client, urls, token: 'run' };
  const args = memberArgs(member, settingsOf({}, version('3.5.0')));
  expect(args).toContain('--initial-advertise-peer-urls=http://peer2.test:2');
  expect(args).toContain('--listen-peer-urls=http://127.0.0.1:2');
  expect(args).toContain('--initial-cluster=n1=http://peer1.test:1,n2=http://peer2.test:2');
  expect(args.at(-1)).toBe('--election-timeout=500');
});

test('memberEnvironment: nothing from outside gets round the forwarder or sets a flag', () => {
  const outer = { ETCD_NAME: 'x', NO_PROXY: '*', PATH: '/bin' };
  const env = memberEnvironment('http://127.0.0.1:9', outer);
  expect(env).toMatchObject({ HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9' });
  const cleared = Object.keys(env).filter((name) => env[name] === undefined);
  expect(cleared.toSorted()).toEqual(
    'ALL_PROXY ETCD_NAME HTTPS_PROXY NO_PROXY REQUEST_METHOD all_proxy https_proxy no_proxy'.split(
      ' ',
    ),
  );
  expect(env).not.toHaveProperty('PATH');
});
