/** The flags of TLS: etcd's names, and what it makes of them. */
import { type Command, Option } from 'commander';
import { HarnessError } from '../../harness/core/errors.ts';
import type { MemberTls, TlsFiles } from './tls-files.ts';
import { isSecure } from './urls.ts';

/** As commander hands them over. */
export interface TlsValues {
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly clientCertAuth: boolean;
  readonly trustedCaFile?: string;
  readonly autoTls: boolean;
  readonly peerCertFile?: string;
  readonly peerKeyFile?: string;
  readonly peerClientCertAuth: boolean;
  readonly peerTrustedCaFile?: string;
  readonly peerAutoTls: boolean;
}

/** The URLs of a member that decide where there is TLS. */
export interface TlsUrls {
  readonly listenClient: string;
  readonly listenPeer: string;
  /** Of all members. */
  readonly peers: readonly string[];
}

export interface TlsSettings extends MemberTls<TlsFiles> {
  /** What was given and has no effect, in words. */
  readonly warnings: readonly string[];
}

export function tlsFlags(command: Command, parseBoolean: (text: string) => boolean): Command {
  return command
    .option('--cert-file <file>', 'certificate shown to clients (PEM), for https:// URLs')
    .option('--key-file <file>', 'its private key (PEM)')
    .option('--trusted-ca-file <file>', 'clients must show a certificate of these authorities')
    .option(
      '--client-cert-auth [bool]',
      'the same; needs --trusted-ca-file, which is enough',
      parseBoolean,
      false,
    )
    .option('--peer-cert-file <file>', 'certificate shown to other members (PEM), on both sides')
    .option('--peer-key-file <file>', 'its private key (PEM)')
    .option('--peer-trusted-ca-file <file>', 'members must show a certificate of these authorities')
    .option(
      '--peer-client-cert-auth [bool]',
      'the same; needs --peer-trusted-ca-file, which is enough',
      parseBoolean,
      false,
    )
    .addOption(autoTls('--auto-tls [bool]', parseBoolean))
    .addOption(autoTls('--peer-auto-tls [bool]', parseBoolean));
}

/** Known, so that who comes from etcd is told what to do instead. */
function autoTls(flags: string, parseBoolean: (text: string) => boolean): Option {
  return new Option(flags).argParser(parseBoolean).default(false).hideHelp();
}

/** Throws `bad-option`. The files are not looked at here. */
export function tlsSettings(values: TlsValues, urls: TlsUrls): TlsSettings {
  for (const [flag, isOn] of [
    ['--auto-tls', values.autoTls],
    ['--peer-auto-tls', values.peerAutoTls],
  ] as const)
    if (isOn) throw bad(`${flag}: raftkv makes no certificates; make them and name their files`);
  checkPeers(urls);
  const client = filesOf({
    prefix: '',
    certFile: values.certFile,
    keyFile: values.keyFile,
    trustedCaFile: values.trustedCaFile,
    mustAuthenticate: values.clientCertAuth,
  });
  const peer = filesOf({
    prefix: 'peer-',
    certFile: values.peerCertFile,
    keyFile: values.peerKeyFile,
    trustedCaFile: values.peerTrustedCaFile,
    mustAuthenticate: values.peerClientCertAuth,
  });
  const isClientSecure = isSecure(urls.listenClient);
  const isPeerSecure = isSecure(urls.listenPeer);
  if (isClientSecure && client === undefined) throw missing('', 'client', urls.listenClient);
  if (isPeerSecure && peer === undefined) throw missing('peer-', 'peer', urls.listenPeer);
  if (isPeerSecure && peer?.trustedCaFile === undefined)
    throw bad('--peer-trusted-ca-file is missing: members check each other by it');
  return {
    ...(isClientSecure && client !== undefined && { client }),
    ...(isPeerSecure && peer !== undefined && { peer }),
    warnings: [
      ...ignored(client, '--listen-client-urls', urls.listenClient),
      ...ignored(peer, '--listen-peer-urls', urls.listenPeer),
    ],
  };
}

/** A member dials the others as it is dialled itself, so all of them must do the same. */
function checkPeers({ listenPeer, peers }: TlsUrls): void {
  const other = peers.find((url) => isSecure(url) !== isSecure(listenPeer));
  if (other !== undefined)
    throw bad(
      `--listen-peer-urls says ${listenPeer}, another peer URL is ${other}: ` +
        'those of all members must be https://, or none',
    );
}

interface Given {
  readonly prefix: TlsFiles['prefix'];
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly trustedCaFile: string | undefined;
  readonly mustAuthenticate: boolean;
}

/** Undefined: none of them was given. */
function filesOf(given: Given): TlsFiles | undefined {
  const { prefix, certFile, keyFile, trustedCaFile, mustAuthenticate } = given;
  if (mustAuthenticate && trustedCaFile === undefined)
    throw bad(`--${prefix}client-cert-auth needs --${prefix}trusted-ca-file`);
  if (certFile === undefined && keyFile === undefined) {
    if (trustedCaFile === undefined) return undefined;
    throw bad(`--${prefix}trusted-ca-file needs --${prefix}cert-file and --${prefix}key-file`);
  }
  if (certFile === undefined || keyFile === undefined)
    throw bad(`--${prefix}cert-file and --${prefix}key-file go together: one of them is missing`);
  return { prefix, certFile, keyFile, ...(trustedCaFile !== undefined && { trustedCaFile }) };
}

function missing(prefix: string, who: 'client' | 'peer', url: string): HarnessError {
  const flags = `--${prefix}cert-file and --${prefix}key-file`;
  return bad(`--listen-${who}-urls: ${url} needs a certificate: ${flags}`);
}

function ignored(files: TlsFiles | undefined, flag: string, url: string): readonly string[] {
  if (files === undefined || isSecure(url)) return [];
  return [`${flag} says http://, so this is plaintext: ${files.certFile} and its key are not used`];
}

function bad(message: string): HarnessError {
  return new HarnessError('bad-option', message);
}
