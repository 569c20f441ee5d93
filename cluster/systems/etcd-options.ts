/** The options of system `etcd`, and the flags and environment that they become. */
import { HarnessError } from '../../harness/core/errors.ts';
import { type NodeName, parseDurationMs } from '../../harness/core/units.ts';
import type { Timing } from '../../harness/protocols/system.ts';

/** A line of help each. */
export const ETCD_OPTIONS: Readonly<Record<string, string>> = {
  binary: 'the etcd program: a path, or a name on PATH (default etcd)',
  heartbeat: 'time between two heartbeats of a leader (default 50ms)',
  election: 'election timeout, at least five heartbeats (default 500ms)',
  'snapshot-count': 'committed entries between two snapshots; small forces them often',
  'pre-vote': 'true or false: ask before starting an election (default: as the version has it)',
  'quota-backend-bytes': 'size of the database at which writes are refused',
  'unsafe-no-fsync': 'true: never wait for the disk; from 3.5 on',
  extra: 'more flags for every node, separated by spaces',
};

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

export interface MemberFlags {
  readonly node: NodeName;
  readonly dataDir: string;
  /** Where it listens: `127.0.0.1:16032`. */
  readonly peer: string;
  readonly client: string;
  /** Every member's advertised peer URL. */
  readonly urls: ReadonlyMap<NodeName, string>;
  readonly token: string;
}

/** etcd refuses an election timeout that is shorter. */
const HEARTBEATS_PER_ELECTION = 5;
/** What the harness decides: a second value for one of these would break the wiring. */
const OURS = /^--?(name|data-dir|wal-dir|listen-|advertise-|initial-|proxy|config-file|discovery)/;

export function binaryOf(options: Readonly<Record<string, string>>): string {
  return options['binary'] ?? 'etcd';
}

/** Reads `etcd --version`; undefined when that was something else. */
export function parseVersion(text: string): EtcdVersion | undefined {
  const match = /^etcd Version: ((\d+)\.(\d+)\.\S+)/m.exec(text);
  if (match?.[1] === undefined) return undefined;
  return { text: match[1], major: Number(match[2]), minor: Number(match[3]) };
}

/** Throws `bad-option` for what etcd would refuse. */
export function timingOf(options: Readonly<Record<string, string>>): Timing {
  const heartbeatMs = parseDurationMs(options['heartbeat'] ?? '50ms', 'heartbeat');
  const electionMs = parseDurationMs(options['election'] ?? '500ms', 'election');
  if (electionMs < HEARTBEATS_PER_ELECTION * heartbeatMs)
    throw bad('election', `${electionMs} ms is less than five heartbeats of ${heartbeatMs} ms`);
  return { heartbeatMs, electionMs };
}

/**
 * Throws `bad-option` for a value that cannot be used, `unsupported` for a version before 3.4. The
 * version's own defaults stay, since they are what people run.
 */
export function settingsOf(
  options: Readonly<Record<string, string>>,
  version: EtcdVersion,
): EtcdSettings {
  if (!atLeast(version, 3, 4))
    throw new HarnessError('unsupported', `etcd ${version.text} is too old: 3.4 is the oldest`);
  const timing = timingOf(options);
  const { heartbeatMs, electionMs } = timing;
  const flags = [
    `--heartbeat-interval=${heartbeatMs}`,
    `--election-timeout=${electionMs}`,
    // The default of 3.4 is a format that nothing reads.
    ...(atLeast(version, 3, 5) ? [] : ['--logger=zap']),
    ...number(options, 'snapshot-count'),
    ...flag(options, 'pre-vote'),
    ...number(options, 'quota-backend-bytes'),
    ...flag(options, 'unsafe-no-fsync'),
    ...extraFlags(options['extra']),
  ];
  if (options['unsafe-no-fsync'] !== undefined && !atLeast(version, 3, 5))
    throw bad('unsafe-no-fsync', `etcd ${version.text} does not have it; 3.5 does`);
  return { binary: binaryOf(options), timing, flags };
}

/** Everything one member is started with, at its first start and at each later one. */
export function memberArgs(member: MemberFlags, settings: EtcdSettings): string[] {
  const { node, dataDir, peer, client, urls, token } = member;
  return [
    `--name=${node}`,
    `--data-dir=${dataDir}`,
    `--listen-peer-urls=http://${peer}`,
    `--initial-advertise-peer-urls=${urls.get(node) ?? ''}`,
    `--listen-client-urls=http://${client}`,
    `--advertise-client-urls=http://${client}`,
    `--initial-cluster=${[...urls].map(([name, url]) => `${name}=${url}`).join(',')}`,
    `--initial-cluster-state=new`,
    `--initial-cluster-token=${token}`,
    ...settings.flags,
  ];
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
    HTTP_PROXY: forwarderUrl,
    http_proxy: forwarderUrl,
    REQUEST_METHOD: undefined,
  };
  for (const name of ['NO_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']) {
    env[name] = undefined;
    env[name.toLowerCase()] = undefined;
  }
  for (const name of Object.keys(outer)) if (name.startsWith('ETCD_')) env[name] = undefined;
  return env;
}

function atLeast(version: EtcdVersion, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}

function number(options: Readonly<Record<string, string>>, name: string): string[] {
  const value = options[name];
  if (value === undefined) return [];
  if (!/^\d{1,15}$/.test(value)) throw bad(name, `'${value}' is not a whole number`);
  return [`--${name}=${value}`];
}

function flag(options: Readonly<Record<string, string>>, name: string): string[] {
  const value = options[name];
  if (value === undefined) return [];
  if (value !== 'true' && value !== 'false') throw bad(name, `'${value}' is not true or false`);
  return [`--${name}=${value}`];
}

function extraFlags(text = ''): string[] {
  const flags = text.split(/\s+/).filter((each) => each !== '');
  const ours = flags.find((each) => OURS.test(each));
  if (ours !== undefined) throw bad('extra', `'${ours}' is set by Schism itself`);
  return flags;
}

function bad(option: string, why: string): HarnessError {
  return new HarnessError('bad-option', `etcd option ${option}: ${why}`);
}
