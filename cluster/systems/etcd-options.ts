/** The options of system `etcd`, and the flags and environment that they become. */
import { dirname, join } from 'node:path';
import { HarnessError } from '../../harness/core/errors.ts';
import type { Timing } from '../../harness/protocols/system.ts';
import {
  type MemberFlags,
  memberFlags,
  OptionReader,
  type Options,
  restoreFlags,
  timingFlags,
  without,
} from './member-options.ts';

/** A line of help each. */
export const ETCD_OPTIONS: Readonly<Record<string, string>> = {
  binary: 'the etcd program: a path, or a name on PATH (default etcd)',
  heartbeat: 'time between two heartbeats of a leader (default 50ms)',
  election: 'election timeout, at least five heartbeats (default 500ms)',
  'snapshot-count': 'committed entries between two snapshots; small forces them often',
  'pre-vote': 'true or false: ask before starting an election (default: as the version has it)',
  'strict-reconfig-check': 'false: members may be added and removed while others are unwell',
  'quota-backend-bytes': 'size of the database at which writes are refused',
  'auto-compaction-mode': 'periodic or revision: what the retention counts (default periodic)',
  'auto-compaction-retention': 'hours or a duration, or revisions, that are kept (default 0: all)',
  'experimental-corrupt-check-time': 'how often the leader compares the members, such as 2s',
  'unsafe-no-fsync': 'true: never wait for the disk; from 3.5 on',
  extra: 'more flags for every node, separated by spaces',
};

/** Every member answers this to anybody, as soon as it serves its peers. */
export const ETCD_PROBE: Uint8Array = Buffer.from(
  'GET /version HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n',
);

export interface EtcdVersion {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
}

export interface EtcdSettings {
  readonly binary: string;
  readonly timing: Timing;
  /** The same for every node, after those that differ. */
  readonly flags: readonly string[];
}

export function binaryOf(options: Options): string {
  return options['binary'] ?? 'etcd';
}

/** Reads `etcd --version`; undefined when that was something else. */
export function parseVersion(text: string): EtcdVersion | undefined {
  const match = /^etcd Version: ((\d+)\.(\d+)\.\S+)/m.exec(text);
  if (match?.[1] === undefined) return undefined;
  return { text: match[1], major: Number(match[2]), minor: Number(match[3]) };
}

/** Throws `bad-option` for what etcd would refuse. */
export function timingOf(options: Options): Timing {
  return new OptionReader('etcd', options).timing();
}

/**
 * Throws `bad-option` for a value that cannot be used, `unsupported` for a version before 3.4. The
 * version's own defaults stay, since they are what people run.
 */
export function settingsOf(options: Options, version: EtcdVersion): EtcdSettings {
  if (!atLeast(version, 3, 4))
    throw new HarnessError('unsupported', `etcd ${version.text} is too old: 3.4 is the oldest`);
  const reader = new OptionReader('etcd', options);
  const timing = reader.timing();
  const flags = [
    ...timingFlags(timing),
    // The default of 3.4 is a format that nothing reads.
    ...(atLeast(version, 3, 5) ? [] : ['--logger=zap']),
    ...reader.number('snapshot-count'),
    ...reader.boolean('pre-vote'),
    ...reader.boolean('strict-reconfig-check'),
    ...reader.upkeep(),
    ...reader.boolean('unsafe-no-fsync'),
    ...reader.extra(),
  ];
  if (options['unsafe-no-fsync'] !== undefined && !atLeast(version, 3, 5))
    throw reader.bad('unsafe-no-fsync', `etcd ${version.text} does not have it; 3.5 does`);
  return { binary: binaryOf(options), timing, flags };
}

/** Everything one member is started with, at its first start and at each later one. */
export function memberArgs(member: MemberFlags, settings: EtcdSettings): string[] {
  return [...memberFlags(member), ...settings.flags];
}

/** The tool that came with this etcd lies beside it, and from 3.6 on it is another one. */
export function restoreProgram(
  backup: string,
  member: MemberFlags,
  { binary }: EtcdSettings,
  version: EtcdVersion,
): {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const name = atLeast(version, 3, 6) ? 'etcdutl' : 'etcdctl';
  return {
    file: binary.includes('/') ? join(dirname(binary), name) : name,
    args: ['snapshot', 'restore', backup, ...restoreFlags(member)],
    // Older ones speak to etcd 2 unless they are told not to.
    env: { ETCDCTL_API: '3' },
  };
}

/**
 * Sends everything that a member dials through its forwarder. Go reads both spellings, leaves out
 * the proxy for what NO_PROXY names, and altogether when REQUEST_METHOD looks like CGI. Variables
 * that etcd takes for flags must not come in from outside.
 */
export function memberEnvironment(
  forwarderUrl: string | undefined,
  outer: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const env: Record<string, string | undefined> = {
    ...without(outer, ['ETCD_']),
    HTTP_PROXY: forwarderUrl,
    http_proxy: forwarderUrl,
    REQUEST_METHOD: undefined,
  };
  for (const name of ['NO_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']) {
    env[name] = undefined;
    env[name.toLowerCase()] = undefined;
  }
  return env;
}

function atLeast(version: EtcdVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}
