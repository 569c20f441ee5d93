import { describe, expect, test } from 'vitest';
import { refusal, settings } from './flags-testing.ts';

const CLIENTS = [
  '--listen-client-urls=https://127.0.0.1:2001',
  '--advertise-client-urls=https://127.0.0.1:2001',
];
const PEERS = [
  '--listen-peer-urls=https://127.0.0.1:1001',
  '--initial-advertise-peer-urls=https://127.0.0.1:1001',
  '--initial-cluster=default=https://127.0.0.1:1001,n2=https://n2.test:1002',
];
const PLAIN_PEERS = PEERS.map((flag) => flag.replaceAll('https', 'http'));
const PAIR = ['--cert-file=n.crt', '--key-file=n.key'];
const PEER_PAIR = ['--peer-cert-file=p.crt', '--peer-key-file=p.key'];
const PEER_CA = '--peer-trusted-ca-file=ca.crt';

describe('TLS', () => {
  test('is off without https', () => {
    expect(settings().tls).toEqual({ warnings: [] });
  });

  test('for clients takes a certificate and its key, and asks for theirs only with authorities', () => {
    const files = { prefix: '', certFile: 'n.crt', keyFile: 'n.key' };
    expect(settings(...CLIENTS, ...PAIR).tls).toEqual({ client: files, warnings: [] });
    expect(settings(...CLIENTS, ...PAIR, '--trusted-ca-file=ca.crt').tls.client).toEqual({
      ...files,
      trustedCaFile: 'ca.crt',
    });
    expect(
      settings(...CLIENTS, ...PAIR, '--trusted-ca-file=ca.crt', '--client-cert-auth').tls.client,
    ).toEqual({ ...files, trustedCaFile: 'ca.crt' });
  });

  test('for members needs authorities as well, and leaves clients alone', () => {
    const { tls, config, listenPeer, others } = settings(...PEERS, ...PEER_PAIR, PEER_CA);
    expect(tls).toEqual({
      peer: { prefix: 'peer-', certFile: 'p.crt', keyFile: 'p.key', trustedCaFile: 'ca.crt' },
      warnings: [],
    });
    expect(config.initialCluster[0]?.peerUrls).toEqual(['https://127.0.0.1:1001']);
    expect(listenPeer).toEqual({ host: '127.0.0.1', port: 1001 });
    expect(others).toEqual(['n2.test:1002']);
  });

  test('files that have no effect are mentioned', () => {
    const { tls } = settings(...PAIR, ...PEER_PAIR);
    expect(tls.client).toBeUndefined();
    expect(tls.warnings).toEqual([
      expect.stringMatching(/--listen-client-urls says http:.*n\.crt/),
      expect.stringMatching(/--listen-peer-urls says http:.*p\.crt/),
    ]);
  });

  test.each([
    [CLIENTS, '--listen-client-urls: https://127.0.0.1:2001 needs a certificate: --cert-file'],
    [[...CLIENTS, ...PEER_PAIR], 'needs a certificate: --cert-file'],
    [[...CLIENTS, '--cert-file=n.crt'], 'go together'],
    [[...CLIENTS, '--key-file=n.key'], 'go together'],
    [['--trusted-ca-file=ca.crt'], '--trusted-ca-file needs --cert-file'],
    [[...CLIENTS, ...PAIR, '--client-cert-auth'], 'needs --trusted-ca-file'],
    [PEERS, '--listen-peer-urls: https://127.0.0.1:1001 needs a certificate: --peer-cert-file'],
    [[...PEERS, ...PAIR], '--peer-cert-file'],
    [[...PEERS, ...PEER_PAIR], '--peer-trusted-ca-file is missing'],
    [['--peer-client-cert-auth'], '--peer-client-cert-auth needs --peer-trusted-ca-file'],
    [[...CLIENTS, '--auto-tls'], '--auto-tls: raftkv makes no certificates'],
    [['--peer-auto-tls=true'], '--peer-auto-tls: raftkv makes no certificates'],
    [
      [...PEERS.slice(0, 2), '--initial-cluster=default=https://127.0.0.1:1001,n2=http://x:1'],
      'another peer URL is http://x:1',
    ],
    [
      [PLAIN_PEERS[0] ?? '', ...PEERS.slice(1)],
      '--listen-peer-urls says http://127.0.0.1:1001, another peer URL is https://127.0.0.1:1001',
    ],
    [['--listen-client-urls=ftp://127.0.0.1:1'], 'http://host:port (or https)'],
  ])('%j is refused in one line that says why', (args, said) => {
    expect(refusal(...args)).toContain(said);
  });

  test('etcd\'s "no" to making certificates is none of our business', () => {
    expect(settings('--auto-tls=false').tls).toEqual({ warnings: [] });
  });

  test('still listens beyond loopback only when told so', () => {
    const far = ['--listen-client-urls=https://192.0.2.1:2379', ...PAIR];
    expect(refusal(...far)).toContain('--allow-non-loopback');
    expect(settings(...far, '--allow-non-loopback').listenClient.host).toBe('192.0.2.1');
  });
});
