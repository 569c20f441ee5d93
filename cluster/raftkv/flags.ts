/** The flags of `main.ts`: etcd's names and defaults wherever etcd has them. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { freshSeed, parseSeed, type Seed } from '../../harness/core/prng.ts';
import { type Bugs, NO_BUGS, parseBugs } from './bugs.ts';
import {
  addressOr,
  bad,
  dataDirOf,
  type Help,
  initialMembers,
  type MemberValues,
  memberFlags,
  parseWith,
  urlList,
} from './flags-members.ts';
import { type UpkeepValues, upkeepConfig, upkeepFlags } from './flags-upkeep.ts';
import { LOG_LEVELS, type LogLevel } from './json-log.ts';
import type { NodeConfig, Routes } from './server/config.ts';
import { type TlsSettings, type TlsValues, tlsFlags, tlsSettings } from './tls-flags.ts';
import { addressOfUrl, hostAndPort, isLoopback, type UrlAddress } from './urls.ts';

/** All that a process is told. */
export interface Settings {
  readonly config: NodeConfig;
  readonly dataDir: string;
  readonly listenPeer: UrlAddress;
  readonly listenClient: UrlAddress;
  readonly routes: Routes;
  /** `host:port` of the other members it may ask who is there. */
  readonly others: readonly string[];
  readonly progressNotifyMs: number;
  readonly seed: Seed;
  readonly logLevel: LogLevel;
  readonly tls: TlsSettings;
}

/** Or text to be printed, because it was asked for. */
export type Parsed = { readonly type: 'settings'; readonly settings: Settings } | Help;

/** etcd's. */
const HEARTBEATS_AN_ELECTION_MIN = 5;
const ELECTION_MS_MAX = 50_000;

/** As commander hands them over. */
interface Values extends MemberValues, TlsValues, UpkeepValues {
  readonly listenPeerUrls: string;
  readonly listenClientUrls: string;
  readonly advertiseClientUrls: string;
  readonly initialClusterState: 'new' | 'existing';
  readonly heartbeatInterval: number;
  readonly electionTimeout: number;
  readonly snapshotCount: number;
  readonly snapshotCatchupEntries: number;
  readonly maxTxnOps: number;
  readonly maxRequestBytes: number;
  readonly strictReconfigCheck: boolean;
  readonly preVote: boolean;
  readonly experimentalWatchProgressNotifyInterval: number;
  readonly maxAppendEntries: number;
  readonly leaseReads: boolean;
  readonly route: Routes;
  readonly seed?: Seed;
  readonly logLevel: LogLevel;
  readonly allowNonLoopback: boolean;
  readonly bug: Bugs;
}

/** Reads the arguments after the program's name. Throws `bad-option`, in one line. */
export function parseFlags(args: readonly string[]): Parsed {
  const command = flags();
  const help = parseWith(command, args);
  if (help !== undefined) return help;
  return { type: 'settings', settings: settingsOf(command.opts<Values>()) };
}

function flags(): Command {
  const command = new Command('raftkv').description(
    "One member of raftkv: a small replicated store with etcd's API. URLs are http[s]://host:port.",
  );
  command.addHelpText('after', "\nA member's folder out of a backup: raftkv restore --help");
  memberFlags(command);
  addressFlags(command);
  tlsFlags(command, parseBoolean);
  upkeepFlags(command, parseBoolean);
  return raftFlags(command)
    .option('--max-txn-ops <n>', 'operations of one transaction', atLeast(1), 128)
    .option('--max-request-bytes <n>', 'bytes of one request', atLeast(1), 1_572_864)
    .option(
      '--experimental-watch-progress-notify-interval <duration>',
      'how often watches hear how far they are, if they ask for it: 10m, 500ms',
      parseDuration,
      600_000,
    )
    .option(
      '--route <advertised=actual>',
      'how to dial a peer; may be repeated',
      parseRoute,
      new Map(),
    )
    .option(
      '--bug <name,...>',
      'to be wrong in a known way: for tests of what looks for bugs',
      parseBugs,
      NO_BUGS,
    )
    .option('--seed <seed>', 'of all chance: 0x5eed1234', parseSeedFlag)
    .addOption(
      new Option('--log-level <level>', 'what is logged').choices(LOG_LEVELS).default('info'),
    )
    .option(
      '--allow-non-loopback',
      'listen beyond this machine, with no more protection than TLS',
      false,
    );
}

function addressFlags(command: Command): Command {
  return command
    .option('--listen-peer-urls <url>', 'for other members', 'http://localhost:2380')
    .option('--listen-client-urls <url>', 'for clients', 'http://localhost:2379')
    .option('--advertise-client-urls <urls>', 'told to clients', 'http://localhost:2379')
    .addOption(
      new Option('--initial-cluster-state <state>', 'whether it starts or joins a cluster')
        .choices(['new', 'existing'])
        .default('new'),
    );
}

function raftFlags(command: Command): Command {
  return command
    .option('--heartbeat-interval <ms>', 'of a leader', atLeast(1), 100)
    .option('--election-timeout <ms>', 'of a follower; at least 5 heartbeats', atLeast(1), 1_000)
    .option('--snapshot-count <n>', 'entries from snapshot to snapshot', atLeast(1), 100_000)
    .option('--snapshot-catchup-entries <n>', 'kept behind a snapshot', atLeast(0), 5_000)
    .option('--max-append-entries <n>', 'entries of one message', atLeast(1), 1_024)
    .option('--pre-vote [bool]', 'ask before an election (PreVote)', parseBoolean, true)
    .option(
      '--strict-reconfig-check [bool]',
      'refuse changes of the members that could cost the quorum',
      parseBoolean,
      true,
    )
    .option(
      '--lease-reads [bool]',
      'linearizable reads without asking others; wrong when a clock is',
      parseBoolean,
      false,
    );
}

function settingsOf(values: Values): Settings {
  const { heartbeatInterval: heartbeatMs, electionTimeout: electionMs } = values;
  if (electionMs < HEARTBEATS_AN_ELECTION_MIN * heartbeatMs)
    throw bad(
      `--election-timeout (${electionMs} ms) must be at least ${HEARTBEATS_AN_ELECTION_MIN} times ` +
        `--heartbeat-interval (${heartbeatMs} ms)`,
    );
  if (electionMs > ELECTION_MS_MAX)
    throw bad(`--election-timeout: ${electionMs} ms is too long; at most ${ELECTION_MS_MAX}`);
  const initialCluster = initialMembers(values);
  return {
    config: {
      name: values.name,
      clientUrls: urlList('--advertise-client-urls', values.advertiseClientUrls),
      initialCluster,
      initialState: values.initialClusterState,
      token: values.initialClusterToken,
      heartbeatMs,
      electionMs,
      preVote: values.preVote,
      leaseReads: values.leaseReads,
      maxAppendEntries: values.maxAppendEntries,
      snapshotCount: values.snapshotCount,
      catchUpEntries: values.snapshotCatchupEntries,
      maxTxnOps: values.maxTxnOps,
      maxRequestBytes: values.maxRequestBytes,
      strictReconfigCheck: values.strictReconfigCheck,
      ...upkeepConfig(values),
      ...(values.bug.size > 0 && { bugs: values.bug }),
    },
    dataDir: dataDirOf(values),
    listenPeer: listenAddress('--listen-peer-urls', values.listenPeerUrls, values),
    listenClient: listenAddress('--listen-client-urls', values.listenClientUrls, values),
    routes: values.route,
    others: initialCluster
      .filter(({ name }) => name !== values.name)
      .flatMap(({ peerUrls }) => peerUrls.map(hostAndPort)),
    progressNotifyMs: values.experimentalWatchProgressNotifyInterval,
    tls: tlsSettings(values, {
      listenClient: values.listenClientUrls,
      listenPeer: values.listenPeerUrls,
      peers: initialCluster.flatMap(({ peerUrls }) => peerUrls),
    }),
    seed: values.seed ?? freshSeed(),
    logLevel: values.logLevel,
  };
}

function listenAddress(
  flag: string,
  text: string,
  { allowNonLoopback }: { readonly allowNonLoopback: boolean },
): UrlAddress {
  if (text.includes(',')) throw bad(`${flag}: one URL, not '${text}'`);
  const address = addressOr(flag, text);
  if (!allowNonLoopback && !isLoopback(address.host))
    throw bad(
      `${flag}: ${address.host} is not loopback, and raftkv has no accounts; ` +
        'use 127.0.0.1, or add --allow-non-loopback',
    );
  return address;
}

function atLeast(min: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min)) throw new InvalidArgumentError(`Write a whole number, at least ${min}.`);
    return value;
  };
}

/** As Go's flags: a flag without a value is true. */
function parseBoolean(text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new InvalidArgumentError('Write true or false.');
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

function parseDuration(text: string): number {
  const groups = /^(?<count>\d{1,9})(?<unit>ms|s|m|h)$/.exec(text)?.groups;
  const ms = Number(groups?.['count']) * (UNIT_MS[groups?.['unit'] ?? ''] ?? Number.NaN);
  if (!(ms > 0)) throw new InvalidArgumentError('Write a number and ms, s, m or h: 500ms.');
  return ms;
}

function parseRoute(text: string, routes: Routes): Routes {
  const [advertised, actual, ...more] = text.split('=');
  const isAddress = (part: string | undefined): part is string =>
    part !== undefined && addressOfUrl(`http://${part}`) !== undefined;
  if (!isAddress(advertised) || !isAddress(actual) || more.length > 0)
    throw new InvalidArgumentError('Write host:port=host:port.');
  return new Map([...routes, [advertised, actual]]);
}

function parseSeedFlag(text: string): Seed {
  try {
    return parseSeed(text);
  } catch {
    throw new InvalidArgumentError('Write up to 8 hex digits such as 0x5eed1234.');
  }
}
