/** The files of TLS: which there are, and what is in them once they were read and understood. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { HarnessError, messageOf, systemCodeOf } from '../../harness/core/errors.ts';

/** Of one listener. Paths, as they were written. */
export interface TlsFiles {
  /** Before the names of the flags that named them: `--cert-file` or `--peer-cert-file`. */
  readonly prefix: '' | 'peer-';
  /** Its own certificate, then those between it and the authority, if there are any. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Of the authorities whose certificates are believed. Absent: anybody may connect. */
  readonly trustedCaFile?: string;
}

/** In PEM, checked to be what they should be. */
export interface TlsKeys {
  readonly cert: string;
  readonly key: string;
  /** Who connects must show a certificate of one of these. Absent: anybody may. */
  readonly ca?: string;
}

/** Older versions are broken; what etcd is asked for since 3.4. */
export const TLS_VERSION_MIN = 'TLSv1.2';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Throws `bad-option`, in one line that names the flag, the file and what was seen. */
export function readTls({ prefix, certFile, keyFile, trustedCaFile }: TlsFiles): TlsKeys {
  const cert = readPem(`--${prefix}cert-file`, certFile);
  const [own] = certificates(`--${prefix}cert-file`, certFile, cert);
  const key = readPem(`--${prefix}key-file`, keyFile);
  const privateKey = understood(`--${prefix}key-file`, keyFile, 'a private key in PEM', () =>
    createPrivateKey(key),
  );
  if (own?.checkPrivateKey(privateKey) !== true)
    throw bad(`--${prefix}key-file`, keyFile, `is not the key of the certificate in ${certFile}`);
  // What OpenSSL has against it: a key that is too short, for instance.
  understood(`--${prefix}cert-file`, certFile, 'a certificate to show', () =>
    createSecureContext({ cert, key, minVersion: TLS_VERSION_MIN }),
  );
  if (trustedCaFile === undefined) return { cert, key };
  const ca = readPem(`--${prefix}trusted-ca-file`, trustedCaFile);
  certificates(`--${prefix}trusted-ca-file`, trustedCaFile, ca);
  return { cert, key, ca };
}

/** Of both listeners of a member; absent: plaintext. */
export interface MemberTls<Of> {
  readonly client?: Of;
  readonly peer?: Of;
}

/** Throws `bad-option`, as `readTls`. */
export function readMemberTls({ client, peer }: MemberTls<TlsFiles>): MemberTls<TlsKeys> {
  return {
    ...(client !== undefined && { client: readTls(client) }),
    ...(peer !== undefined && { peer: readTls(peer) }),
  };
}

/**
 * Which certificates nobody will accept at `wallMs`, in words. A member starts with them all the
 * same, as etcd does: what is wrong may be its clock.
 */
export function untimely({ client, peer }: MemberTls<TlsKeys>, wallMs: number): readonly string[] {
  return Object.entries({ 'cert-file': client, 'peer-cert-file': peer }).flatMap(([flag, keys]) => {
    if (keys === undefined) return [];
    const { validFromDate, validToDate, validFrom, validTo } = new X509Certificate(keys.cert);
    if (wallMs < validFromDate.getTime())
      return [`the certificate of --${flag} holds only from ${validFrom} on`];
    return wallMs > validToDate.getTime()
      ? [`the certificate of --${flag} has expired: ${validTo}`]
      : [];
  });
}

function readPem(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = systemCodeOf(error);
    throw bad(flag, file, code === 'ENOENT' ? 'is not there' : `cannot be read: ${code}`);
  }
}

function certificates(flag: string, file: string, pem: string): readonly X509Certificate[] {
  const found = pem.match(CERTIFICATE) ?? [];
  if (found.length === 0)
    throw bad(flag, file, 'has no certificate in PEM (-----BEGIN CERTIFICATE-----)');
  return found.map((each) =>
    understood(flag, file, 'a certificate in PEM', () => new X509Certificate(each)),
  );
}

function understood<T>(flag: string, file: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw bad(flag, file, `cannot be used as ${what}: ${messageOf(error)}`);
  }
}

function bad(flag: string, file: string, why: string): HarnessError {
  return new HarnessError('bad-option', `${flag}: '${file}' ${why}`);
}
