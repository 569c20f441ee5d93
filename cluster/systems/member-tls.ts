/** TLS of members on this machine: the options that name the files, and what becomes of them. */
import { resolve } from 'node:path';
import { HarnessError } from '../../harness/core/errors.ts';
import type { BackendName } from '../../harness/protocols/system.ts';
import type { ClientTls } from '../etcd-api/client.ts';
import { readTls } from '../raftkv/tls-files.ts';
import type { Options } from './member-options.ts';

/** A line of help each. */
export const CLIENT_TLS_OPTIONS: Readonly<Record<string, string>> = {
  'cert-file': 'processes: TLS for clients with this certificate (PEM) for 127.0.0.1; theirs, too',
  'key-file': 'processes: the private key of cert-file',
  'trusted-ca-file': 'processes: the authority that signed cert-file',
};

/** As `CLIENT_TLS_OPTIONS`. Not for etcd: its forwarder could not see whom a request is for. */
export const PEER_TLS_OPTIONS: Readonly<Record<string, string>> = {
  'peer-cert-file':
    'processes: TLS between members with this certificate, for 192.0.2.1 (n1), 192.0.2.2 (n2), ...',
  'peer-key-file': 'processes: the private key of peer-cert-file',
  'peer-trusted-ca-file': 'processes: the authority that signed peer-cert-file',
};

/** All nodes show the same certificate, and so do Schism's clients. */
export interface MembersTls {
  /** Absent: clients speak plaintext. */
  readonly client?: ClientTls;
  readonly isPeerSecure: boolean;
  /** For every node; paths, never what is in the files. */
  readonly flags: readonly string[];
}

/** Throws `bad-option` for files that cannot be used, or where this cannot be. */
export function checkTlsOptions(system: string, options: Options, backend: BackendName): void {
  if (backend === 'process') {
    tlsOf(system, options);
    return;
  }
  const given = Object.keys({ ...CLIENT_TLS_OPTIONS, ...PEER_TLS_OPTIONS }).find(
    (name) => options[name] !== undefined,
  );
  if (given !== undefined)
    throw bad(system, given, `only with --backend process, and this is ${backend}`);
}

/** Throws `bad-option` for files that cannot be used. */
export function tlsOf(system: string, options: Options): MembersTls {
  const client = filesOf(system, options, '');
  const peer = filesOf(system, options, 'peer-');
  return {
    ...(client !== undefined && { client: client.keys }),
    isPeerSecure: peer !== undefined,
    flags: [...(client?.flags ?? []), ...(peer?.flags ?? [])],
  };
}

interface Files {
  readonly keys: ClientTls;
  readonly flags: readonly string[];
}

/** Undefined: none of them was given. */
function filesOf(system: string, options: Options, prefix: '' | 'peer-'): Files | undefined {
  const names = ['cert-file', 'key-file', 'trusted-ca-file'].map((name) => `${prefix}${name}`);
  const [certFile, keyFile, trustedCaFile] = names.map((name) => options[name]);
  const given = names.find((name) => options[name] !== undefined);
  if (given === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined || trustedCaFile === undefined)
    throw bad(system, given, `${names.join(', ')} go together`);
  const files = {
    prefix,
    certFile: resolve(certFile),
    keyFile: resolve(keyFile),
    trustedCaFile: resolve(trustedCaFile),
  };
  const { cert, key, ca = '' } = read(system, files);
  return {
    keys: { ca, own: { cert, key } },
    flags: [
      `--${prefix}cert-file=${files.certFile}`,
      `--${prefix}key-file=${files.keyFile}`,
      `--${prefix}trusted-ca-file=${files.trustedCaFile}`,
    ],
  };
}

/** Its complaints begin with the name of a flag, which is that of the option. */
function read(system: string, files: Parameters<typeof readTls>[0]): ReturnType<typeof readTls> {
  try {
    return readTls(files);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    throw new HarnessError('bad-option', `${system} option ${error.message.replace(/^--/, '')}`);
  }
}

function bad(system: string, option: string, why: string): HarnessError {
  return new HarnessError('bad-option', `${system} option ${option}: ${why}`);
}
