/** Options and flags that etcd and what speaks like it have in common. */
import { HarnessError } from '../../harness/core/errors.ts';
import { type NodeName, parseDurationMs } from '../../harness/core/units.ts';
import type { Timing } from '../../harness/protocols/system.ts';

export type Options = Readonly<Record<string, string>>;

export interface MemberFlags {
  readonly node: NodeName;
  readonly dataDir: string;
  /** Where it listens: `127.0.0.1:16032`. */
  readonly peer: string;
  readonly client: string;
  /** Every member's advertised peer URL; of one that joins: those of all members by then. */
  readonly urls: ReadonlyMap<NodeName, string>;
  readonly token: string;
  /** It was added to a cluster that exists already. */
  readonly isJoining?: boolean;
  /** It listens with TLS; false by default. */
  readonly isClientSecure?: boolean;
  readonly isPeerSecure?: boolean;
}

/** etcd refuses an election timeout that is shorter. */
const HEARTBEATS_PER_ELECTION = 5;
/** What the harness decides: a second value for one of these would break the wiring. */
const OURS = new RegExp(
  '^--?(name|data-dir|wal-dir|listen-|advertise-|initial-|proxy|config-file|discovery|route|seed' +
    '|(peer-)?(cert-file|key-file|trusted-ca-file|client-cert-auth|auto-tls))',
);

/** Reads and checks the options of one system; every complaint is a `bad-option` that names it. */
export class OptionReader {
  readonly #system: string;
  readonly #options: Options;

  constructor(system: string, options: Options) {
    this.#system = system;
    this.#options = options;
  }

  timing(): Timing {
    const heartbeatMs = parseDurationMs(this.#options['heartbeat'] ?? '50ms', 'heartbeat');
    const electionMs = parseDurationMs(this.#options['election'] ?? '500ms', 'election');
    if (electionMs < HEARTBEATS_PER_ELECTION * heartbeatMs)
      throw this.bad(
        'election',
        `${electionMs} ms is less than five heartbeats of ${heartbeatMs} ms`,
      );
    return { heartbeatMs, electionMs };
  }

  /** The flag of the same name, where it was given. */
  number(name: string): string[] {
    const value = this.#options[name];
    if (value === undefined) return [];
    if (!/^\d{1,15}$/.test(value)) throw this.bad(name, `'${value}' is not a whole number`);
    return [`--${name}=${value}`];
  }

  /** The flag of the same name, where it was given. */
  boolean(name: string): string[] {
    const value = this.#options[name];
    if (value === undefined) return [];
    if (value !== 'true' && value !== 'false')
      throw this.bad(name, `'${value}' is not true or false`);
    return [`--${name}=${value}`];
  }

  /** The flag of the same name, where it was given, as it is: the member reads it. */
  text(name: string): string[] {
    const value = this.#options[name];
    return value === undefined ? [] : [`--${name}=${value}`];
  }

  /** The flags of what members do by themselves to stay well. */
  upkeep(): string[] {
    return [
      ...this.number('quota-backend-bytes'),
      ...this.text('auto-compaction-mode'),
      ...this.text('auto-compaction-retention'),
      ...this.text('experimental-corrupt-check-time'),
    ];
  }

  /** Option `extra`: flags that are passed on as they are. */
  extra(): string[] {
    const flags = (this.#options['extra'] ?? '').split(/\s+/).filter((each) => each !== '');
    const ours = flags.find((each) => OURS.test(each));
    if (ours !== undefined) throw this.bad('extra', `'${ours}' is set by Schism itself`);
    return flags;
  }

  bad(option: string, why: string): HarnessError {
    return new HarnessError('bad-option', `${this.#system} option ${option}: ${why}`);
  }
}

export function timingFlags({ heartbeatMs, electionMs }: Timing): string[] {
  return [`--heartbeat-interval=${heartbeatMs}`, `--election-timeout=${electionMs}`];
}

/** Who a member is and where: what differs from member to member. */
export function memberFlags(member: MemberFlags): string[] {
  const { node, dataDir, peer, client, urls, token, isJoining = false } = member;
  const schemeOf = (isSecure = false): string => (isSecure ? 'https' : 'http');
  const clientUrl = `${schemeOf(member.isClientSecure)}://${client}`;
  return [
    `--name=${node}`,
    `--data-dir=${dataDir}`,
    `--listen-peer-urls=${schemeOf(member.isPeerSecure)}://${peer}`,
    `--initial-advertise-peer-urls=${urls.get(node) ?? ''}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--initial-cluster=${[...urls].map(([name, url]) => `${name}=${url}`).join(',')}`,
    `--initial-cluster-state=${isJoining ? 'existing' : 'new'}`,
    `--initial-cluster-token=${token}`,
  ];
}

/** What makes a member's folder out of a backup is told, beside the backup itself. */
export function restoreFlags({ node, dataDir, urls, token }: MemberFlags): string[] {
  return [
    `--name=${node}`,
    `--data-dir=${dataDir}`,
    `--initial-advertise-peer-urls=${urls.get(node) ?? ''}`,
    `--initial-cluster=${[...urls].map(([name, url]) => `${name}=${url}`).join(',')}`,
    `--initial-cluster-token=${token}`,
  ];
}

/** Takes every variable of the outer environment away whose name begins so. */
export function without(
  outer: Readonly<Record<string, string | undefined>>,
  prefixes: readonly string[],
): Record<string, undefined> {
  const names = Object.keys(outer).filter((name) => prefixes.some((each) => name.startsWith(each)));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
