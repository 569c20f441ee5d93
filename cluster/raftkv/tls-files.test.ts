import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { realClock } from '../../harness/core/clock.ts';
import { refusalOf } from './flags-testing.ts';
import { type CertificateFiles, certificateFiles } from './testing-certificates.ts';
import { readMemberTls, readTls, type TlsFiles, untimely } from './tls-files.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

interface Made {
  readonly files: CertificateFiles;
  readonly good: TlsFiles;
}

async function made(stack: AsyncDisposableStack): Promise<Made> {
  const files = stack.use(await certificateFiles());
  const pair = await files.write('n1', await files.authority.sign());
  return { files, good: { prefix: 'peer-', ...pair, trustedCaFile: files.caFile } };
}

function refusal(files: TlsFiles): string {
  return refusalOf(() => readTls(files));
}

describe('files of TLS', () => {
  test('are read as they are; a chain is one certificate and those above it', async () => {
    await using stack = new AsyncDisposableStack();
    const { files, good } = await made(stack);
    const keys = readTls(good);
    expect(keys.ca).toBe(files.authority.cert);
    const { trustedCaFile: _, ...open } = good;
    expect(readTls(open)).toEqual({ cert: keys.cert, key: keys.key });
    const chain = { cert: `${keys.cert}\n${files.authority.cert}`, key: keys.key };
    const pair = await files.write('chain', chain);
    expect(readTls({ ...good, ...pair }).cert).toBe(chain.cert);
  });

  test('that are missing or are something else are refused by flag and name', async () => {
    await using stack = new AsyncDisposableStack();
    const { files, good } = await made(stack);
    const at = (name: string): string => join(files.dir, name);
    await writeFile(at('text'), 'hello');
    await writeFile(at('torn'), files.authority.cert.replace(/.{64}\n/, 'AAAA\n'));
    const another = await files.write('another', await files.authority.sign());
    expect(refusal({ ...good, certFile: at('none.crt') })).toBe(
      `--peer-cert-file: '${at('none.crt')}' is not there`,
    );
    expect(refusal({ ...good, prefix: '', keyFile: at('none') })).toContain('--key-file: ');
    expect(refusal({ ...good, certFile: files.dir })).toContain('cannot be read: EISDIR');
    expect(refusal({ ...good, certFile: at('text') })).toContain('has no certificate in PEM');
    expect(refusal({ ...good, certFile: good.keyFile })).toContain('has no certificate in PEM');
    expect(refusal({ ...good, keyFile: at('text') })).toContain('as a private key');
    expect(refusal({ ...good, keyFile: good.certFile })).toContain('as a private key');
    expect(refusal({ ...good, keyFile: another.keyFile })).toBe(
      `--peer-key-file: '${another.keyFile}' is not the key of the certificate in ${good.certFile}`,
    );
    expect(refusal({ ...good, trustedCaFile: at('torn') })).toMatch(
      /^--peer-trusted-ca-file: '.*torn' cannot be used as a certificate in PEM: /,
    );
  });

  test('never show a key in what is said of them', async () => {
    await using stack = new AsyncDisposableStack();
    const { files, good } = await made(stack);
    const { key } = await files.authority.sign();
    const damaged = await files.write('damaged', { cert: '', key: key.slice(0, -90) });
    const said = refusal({ ...good, keyFile: damaged.keyFile });
    expect(said).toContain(damaged.keyFile);
    expect(said).not.toContain(key.split('\n')[1]);
  });

  test('with dates that are not now are mentioned, and used', async () => {
    await using stack = new AsyncDisposableStack();
    const { files, good } = await made(stack);
    const nowMs = realClock().wallMs();
    const old = await files.write('old', await files.authority.sign({ isExpired: true }));
    const keys = readMemberTls({ peer: good, client: { prefix: '', ...old } });
    expect(untimely(keys, nowMs)).toEqual([
      expect.stringMatching(/^the certificate of --cert-file has expired: /),
    ]);
    expect(untimely({ peer: readTls(good) }, nowMs - 9 * DAY_MS)).toEqual([
      expect.stringMatching(/^the certificate of --peer-cert-file holds only from /),
    ]);
    expect(untimely({}, nowMs)).toEqual([]);
  });
});
