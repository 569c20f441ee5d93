/** Certificates for tests: an authority, and what it signs, in memory or in files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { realClock } from '../../harness/core/clock.ts';
import type { TlsKeys } from './tls-files.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const SIGNED = { keyType: 'ec', algorithm: 'sha256' } as const;

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** Names and addresses that it is for; by default this machine's loopback. */
  readonly hosts?: readonly string[];
  /** It ended yesterday. */
  readonly isExpired?: boolean;
}

export interface Authority extends Certificate {
  /** Good for both sides of a connection. */
  sign(options?: CertificateOptions): Promise<Certificate>;
  /** What one member, or one client, needs. */
  keys(options?: CertificateOptions): Promise<TlsKeys>;
}

export async function certificateAuthority(name = 'authority'): Promise<Authority> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    ...SIGNED,
    ...dates(),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const sign = async (options: CertificateOptions = {}): Promise<Certificate> => {
    const { hosts = ['127.0.0.1', 'localhost'], isExpired = false } = options;
    const signed = await generate([{ name: 'commonName', value: 'member' }], {
      ...SIGNED,
      ...dates(isExpired),
      ca: { key, cert },
      extensions: [
        { name: 'basicConstraints', cA: false },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        {
          name: 'subjectAltName',
          altNames: hosts.map((host) =>
            isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host },
          ),
        },
      ],
    });
    return { cert: signed.cert, key: signed.private };
  };
  return { cert, key, sign, keys: async (options) => ({ ...(await sign(options)), ca: cert }) };
}

function dates(isExpired = false): { notBeforeDate: Date; notAfterDate: Date } {
  const nowMs = realClock().wallMs();
  return {
    notBeforeDate: new Date(nowMs - 3 * DAY_MS),
    notAfterDate: new Date(nowMs + (isExpired ? -DAY_MS : 30 * DAY_MS)),
  };
}

/** Files of one authority and of certificates that it signed, in a folder of their own. */
export interface CertificateFiles extends AsyncDisposable {
  readonly authority: Authority;
  readonly caFile: string;
  /** Its paths are `<name>.crt` and `<name>.key`. */
  write(
    name: string,
    certificate: Certificate,
  ): Promise<{ readonly certFile: string; readonly keyFile: string }>;
  readonly dir: string;
}

export async function certificateFiles(): Promise<CertificateFiles> {
  const dir = await mkdtemp(join(tmpdir(), 'schism-tls-'));
  const authority = await certificateAuthority();
  const caFile = join(dir, 'ca.crt');
  await writeFile(caFile, authority.cert);
  return {
    authority,
    caFile,
    dir,
    write: async (name, { cert, key }) => {
      const files = { certFile: join(dir, `${name}.crt`), keyFile: join(dir, `${name}.key`) };
      await writeFile(files.certFile, cert);
      await writeFile(files.keyFile, key, { mode: 0o600 });
      return files;
    },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}
