/** The options of system `raftkv`, and the flags and environment that they become. */
import type { NodeName } from '../../harness/core/units.ts';
import type { Timing } from '../../harness/protocols/system.ts';
import { BUG_NAMES, parseBugs } from '../raftkv/bugs.ts';
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
export const RAFTKV_OPTIONS: Readonly<Record<string, string>> = {
  heartbeat: 'time between two heartbeats of a leader (default 50ms)',
  election: 'election timeout, at least five heartbeats (default 500ms)',
  'snapshot-count': 'applied entries between two snapshots; small forces them often',
  'snapshot-catchup-entries': 'entries kept behind a snapshot, for slow followers',
  'pre-vote': 'true or false: ask before starting an election (default true)',
  'strict-reconfig-check': 'false: members may be added and removed while others are unwell',
  'lease-reads': 'true: the leader reads without asking a quorum; unsafe where clocks differ',
  'max-append-entries': 'entries of one message between members at most',
  'quota-backend-bytes': 'size of the database at which writes are refused',
  'auto-compaction-mode': 'periodic or revision: what the retention counts (default periodic)',
  'auto-compaction-retention': 'hours or a duration, or revisions, that are kept (default 0: all)',
  'experimental-corrupt-check-time': 'how often the leader compares the members, such as 2s',
  bug: `be wrong in known ways, separated by commas: ${BUG_NAMES.join(', ')}`,
  extra: 'more flags for every node, separated by spaces',
};

export interface RaftkvSettings {
  readonly timing: Timing;
  /** The same for every node, after those that differ. */
  readonly flags: readonly string[];
}

/** A member's own flags; `routes` tells how it dials each peer. */
export interface RaftkvMember extends MemberFlags {
  /** What a peer advertises, to the link that leads there from this member: `host:port` both. */
  readonly routes: ReadonlyMap<string, string>;
  /** Of its elections' chance. */
  readonly seed: number;
}

/** Throws `bad-option` for what etcd would refuse, too. */
export function timingOf(options: Options): Timing {
  bugFlags(options);
  return new OptionReader('raftkv', options).timing();
}

/** Throws `bad-option` for a value that cannot be used. */
export function settingsOf(options: Options): RaftkvSettings {
  const reader = new OptionReader('raftkv', options);
  const timing = reader.timing();
  const flags = [
    ...timingFlags(timing),
    ...reader.number('snapshot-count'),
    ...reader.number('snapshot-catchup-entries'),
    ...reader.boolean('pre-vote'),
    ...reader.boolean('strict-reconfig-check'),
    ...reader.boolean('lease-reads'),
    ...reader.number('max-append-entries'),
    ...reader.upkeep(),
    ...bugFlags(options),
    ...reader.extra(),
  ];
  return { timing, flags };
}

/** Throws `bad-option` for a bug that there is not. */
function bugFlags({ bug }: Options): string[] {
  return bug === undefined ? [] : [`--bug=${[...parseBugs(bug)].join(',')}`];
}

/** Everything one member is started with, at its first start and at each later one. */
export function memberArgs(member: RaftkvMember, settings: RaftkvSettings): string[] {
  return [
    ...memberFlags(member),
    ...[...member.routes].map(([advertised, link]) => `--route=${advertised}=${link}`),
    `--seed=${member.seed}`,
    ...settings.flags,
  ];
}

/** After `restore` and the backup. */
export function restoreArgs(member: MemberFlags, { flags }: RaftkvSettings): string[] {
  return [...restoreFlags(member), ...flags.filter((flag) => flag.startsWith('--bug='))];
}

/**
 * What is set for the harness's own Node.js (a test runner's loaders, an inspector's port) would
 * break a node that starts with it, or make it start late.
 */
export function memberEnvironment(
  outer: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return without(outer, ['NODE_', 'ETCD_', 'RAFTKV_', 'VITEST']);
}

/** How `from` dials each of the others. */
export function routesOf(
  members: readonly { readonly node: NodeName; readonly advertised: string }[],
  from: NodeName,
  linkTo: (node: NodeName) => string,
): ReadonlyMap<string, string> {
  return new Map(
    members
      .filter(({ node }) => node !== from)
      .map(({ node, advertised }) => [advertised, linkTo(node)]),
  );
}
