import { afterAll, describe, expect, test } from 'vitest';
import { realClock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import type { Network } from '../../harness/protocols/network.ts';
import type { BackendName, System } from '../../harness/protocols/system.ts';
import { EtcdClient } from '../etcd-api/client.ts';
import { certificateFiles } from '../raftkv/testing-certificates.ts';
import { etcd } from './etcd.ts';
import { checkTlsOptions } from './member-tls.ts';
import { raftkv } from './raftkv.ts';
import { settingsOf } from './raftkv-options.ts';
import { deployed } from './testing.ts';
import { leaderLeavesAndReturns } from './testing-members.ts';

const call = { timeoutMs: 2_000 };
/** A look that a busy node does not answer says nothing, and an election may lose what is asked. */
const LOOKS = { timeout: 20_000 };

const files = await certificateFiles();
afterAll(() => files[Symbol.asyncDispose]());
const advertised = [1, 2, 3, 4, 5].map((each) => `192.0.2.${each}`);
const pair = await files.write(
  'all',
  await files.authority.sign({ hosts: ['127.0.0.1', ...advertised] }),
);
const CLIENT_TLS = {
  'cert-file': pair.certFile,
  'key-file': pair.keyFile,
  'trusted-ca-file': files.caFile,
};
const PEER_TLS = {
  'peer-cert-file': pair.certFile,
  'peer-key-file': pair.keyFile,
  'peer-trusted-ca-file': files.caFile,
};

function secured(system: System, tls: Readonly<Record<string, string>>): System {
  return {
    ...system,
    deploy: (request) => system.deploy({ ...request, options: { ...request.options, ...tls } }),
  };
}

describe('raftkv with TLS for clients and members', () => {
  const system = secured(raftkv, { ...CLIENT_TLS, ...PEER_TLS });

  test('is cut as is measured, heals, and takes back a member that left', async () => {
    await using three = await deployed(system, 3);
    const { cluster } = three;
    const { network } = cluster;
    expect.assert(network !== undefined);
    await network.drop(new Map([['n2', new Set(['n1'])]]));
    await expect.poll(() => cutPairs(network), LOOKS).toEqual(['n1>n2']);
    await network.heal();
    await expect.poll(() => cutPairs(network), LOOKS).toEqual([]);
    await cluster.ready(20_000);
    await leaderLeavesAndReturns(cluster, realClock());
    expect(cluster.crashed()).toEqual([]);
  });

  test('tells where its files are, and never what is in them; plaintext is not answered', async () => {
    await using one = await deployed(system, 1);
    const facts = JSON.stringify(one.cluster.facts);
    expect(facts).toContain(`--peer-key-file=${pair.keyFile}`);
    expect(facts).not.toContain('PRIVATE');
    const [, address] = /"client":"([^"]+)"/.exec(facts) ?? [];
    using plain = new EtcdClient(address ?? '', realClock());
    expect(await plain.status(2_000)).toMatchObject({ ok: false });
  });
});

async function cutPairs(network: Network): Promise<string[]> {
  const matrix = await network.observe();
  return matrix.filter(({ state }) => state !== 'open').map(({ from, to }) => `${from}>${to}`);
}

describe.each([
  ['etcd', etcd, CLIENT_TLS],
  ['raftkv', raftkv, CLIENT_TLS],
  ['raftkv', raftkv, PEER_TLS],
] as const)('%s with only some TLS', (_name, system, tls) => {
  test(`serves: ${Object.keys(tls).join(', ')}`, async () => {
    await using three = await deployed(secured(system, tls), 3);
    const { cluster } = three;
    await using n1 = await cluster.open('n1');
    await using n3 = await cluster.open('n3');
    await expect
      .poll(() => n1.apis.register?.write('k', 1, call), LOOKS)
      .toMatchObject({ type: 'ok' });
    expect(await n3.apis.register?.read('k', 'linearizable', call)).toMatchObject({ value: 1 });
    const { network } = cluster;
    expect.assert(network !== undefined);
    expect(await network.observe()).toHaveLength(6);
    await expect.poll(() => cutPairs(network), LOOKS).toEqual([]);
  });
});

describe('options of TLS', () => {
  function refusal(options: Readonly<Record<string, string>>, backend: BackendName = 'process') {
    try {
      checkTlsOptions('raftkv', options, backend);
    } catch (error) {
      expect.assert(error instanceof HarnessError);
      expect(error.code).toBe('bad-option');
      return error.message;
    }
    return 'accepted';
  }

  test('are the only way to it: flags of TLS beside them would break the wiring', () => {
    for (const flag of ['--cert-file=x', '--peer-trusted-ca-file=x', '--auto-tls'])
      expect(() => settingsOf({ extra: flag })).toThrow(`'${flag}' is set by Schism itself`);
    expect(settingsOf({ extra: '--log-level=debug' }).flags).toContain('--log-level=debug');
  });

  test('are refused where there is no TLS, where some are missing, and for files that are none', () => {
    expect(refusal({ ...CLIENT_TLS, ...PEER_TLS })).toBe('accepted');
    expect(refusal({}, 'sim')).toBe('accepted');
    for (const backend of ['sim', 'docker', 'attach'] as const)
      expect(refusal(PEER_TLS, backend)).toBe(
        `raftkv option peer-cert-file: only with --backend process, and this is ${backend}`,
      );
    expect(refusal({ 'key-file': pair.keyFile })).toBe(
      'raftkv option key-file: cert-file, key-file, trusted-ca-file go together',
    );
    expect(refusal({ ...CLIENT_TLS, 'cert-file': '/none.crt' })).toBe(
      "raftkv option cert-file: '/none.crt' is not there",
    );
    expect(refusal({ ...PEER_TLS, 'peer-key-file': files.caFile })).toContain(
      'raftkv option peer-key-file: ',
    );
  });
});
