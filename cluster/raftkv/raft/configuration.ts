/** Who is a member, how many make a quorum, and which configuration holds where (thesis §4). */
import { invariant } from '../../../harness/core/invariant.ts';
import { type Bugs, NO_BUGS } from '../bugs.ts';
import type { ChangeRefusal, ConfigChange, Configuration, MemberId } from './types.ts';

/** Any two quorums of one configuration, or of two that differ by one voter, share a member. */
export function quorumOf(config: Configuration, bugs: Bugs = NO_BUGS): number {
  const { length } = config.voters;
  // Breaks: more than half, so that two quorums always share a member.
  if (bugs.has('even-quorum')) return Math.ceil(length / 2);
  return Math.floor(length / 2) + 1;
}

export function isVoter(config: Configuration, member: MemberId): boolean {
  return config.voters.includes(member);
}

export function isLearner(config: Configuration, member: MemberId): boolean {
  return config.learners.includes(member);
}

export function isMember(config: Configuration, member: MemberId): boolean {
  return isVoter(config, member) || isLearner(config, member);
}

/** Voters and learners, sorted. */
export function membersOf(config: Configuration): readonly MemberId[] {
  return [...config.voters, ...config.learners].toSorted();
}

/** The value that a quorum of the voters has reached; 0 when there is no voter. */
export function quorumValue(
  config: Configuration,
  value: (voter: MemberId) => number,
  electors: readonly MemberId[] = config.voters,
  quorum: number = quorumOf(config),
): number {
  const values = electors.map(value).toSorted((a, b) => b - a);
  return values[quorum - 1] ?? 0;
}

/**
 * The configuration after one change: by one voter at most, so that quorums before and after it
 * overlap (thesis §4.1). Refused when it changes nothing or leaves nobody to vote.
 */
export function applyChange(
  config: Configuration,
  change: ConfigChange,
): Configuration | Extract<ChangeRefusal, 'no-effect' | 'no-voter-left'> {
  const { voters, learners } = config;
  const { member } = change;
  switch (change.type) {
    case 'add-voter':
      if (isMember(config, member)) return 'no-effect';
      return { voters: withMember(voters, member), learners };
    case 'add-learner':
      if (isMember(config, member)) return 'no-effect';
      return { voters, learners: withMember(learners, member) };
    case 'promote':
      if (!isLearner(config, member)) return 'no-effect';
      return { voters: withMember(voters, member), learners: without(learners, member) };
    case 'remove': {
      if (!isMember(config, member)) return 'no-effect';
      const left = without(voters, member);
      if (left.length === 0) return 'no-voter-left';
      return { voters: left, learners: without(learners, member) };
    }
  }
}

function withMember(members: readonly MemberId[], member: MemberId): readonly MemberId[] {
  return [...members, member].toSorted();
}

function without(members: readonly MemberId[], member: MemberId): readonly MemberId[] {
  return members.filter((other) => other !== member);
}

/** A configuration, and the index of the entry it came with. */
export interface PlacedConfiguration {
  readonly index: number;
  readonly config: Configuration;
}

/**
 * The configurations of a log: one holds from where it is appended, and the one before it holds
 * again when its entry is truncated (thesis §4.1).
 */
export class ConfigurationHistory {
  /** Ascending; the first is what held where the log starts, and is never taken away. */
  #placed: PlacedConfiguration[];
  /** Voters that a later configuration did not have; also those that came back. */
  readonly removed: Set<MemberId> = new Set();

  constructor(index: number, config: Configuration) {
    this.#placed = [{ index, config }];
  }

  /** The newest, committed or not: the one that counts. */
  get latest(): PlacedConfiguration {
    const latest = this.#placed.at(-1);
    invariant(latest !== undefined, 'a log always has a configuration');
    return latest;
  }

  append(index: number, config: Configuration): void {
    invariant(index > this.latest.index, `configuration at ${index} is not the newest`);
    for (const voter of this.latest.config.voters)
      if (!isMember(config, voter)) this.removed.add(voter);
    this.#placed.push({ index, config });
  }

  truncateFrom(index: number): void {
    while (this.#placed.length > 1 && this.latest.index >= index) this.#placed.pop();
  }

  /** The newest not after `index`. */
  at(index: number): Configuration {
    const found = this.#placed.findLast((placed) => placed.index <= index);
    invariant(found !== undefined, `the configuration at ${index} is forgotten`);
    return found.config;
  }

  /** Forgets what no longer held at `index`. */
  compact(index: number): void {
    const from = this.#placed.findLastIndex((placed) => placed.index <= index);
    if (from > 0) this.#placed = this.#placed.slice(from);
  }
}
