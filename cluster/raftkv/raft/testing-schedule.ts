/** Random schedules of everything that can happen to a cluster of bare cores. */
import { invariant, unreachable } from '../../../harness/core/invariant.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import type { Bugs } from '../bugs.ts';
import { type Held, ids, type Matches, type Member, Peers } from './testing.ts';
import { type DiskState, machineAt, newCluster, written } from './testing-disk.ts';
import { drawEra, drawReign, type Era, type Reign, reign } from './testing-reigns.ts';
import { lastIndexOf, Safety, type Seen } from './testing-safety.ts';
import type { ConfigChange, MemberId } from './types.ts';

/** Each is nothing when it makes no sense any more, so that any part of a schedule is one too. */
export type Action =
  | { readonly kind: 'tick' | 'campaign' | 'read' | 'hold-disk'; readonly id: MemberId }
  /** As long as no election timeout takes, on its clock only, or on all clocks but its own. */
  | { readonly kind: 'wait' | 'pause' | 'isolate' | 'rejoin'; readonly id: MemberId }
  /** A slow connection: what is sent from now on waits, and then comes in order. */
  | { readonly kind: 'stall' | 'unstall'; readonly from: MemberId; readonly to: MemberId }
  | { readonly kind: 'split'; readonly one: readonly MemberId[] }
  | { readonly kind: 'flush'; readonly id: MemberId; readonly once: boolean }
  | { readonly kind: 'deliver' | 'lose' | 'twice'; readonly pair: string; readonly at: number }
  | { readonly kind: 'deliver-all' | 'heal' }
  | { readonly kind: 'propose'; readonly id: MemberId; readonly commands: readonly string[] }
  | { readonly kind: 'cut'; readonly from: MemberId; readonly to: MemberId }
  /** What was being written gets on disk in part; else even what was not synced is lost. */
  | { readonly kind: 'crash'; readonly id: MemberId; readonly part: number | undefined }
  /** `kept`: how much of what it had applied the state machine still has. */
  | { readonly kind: 'restart'; readonly id: MemberId; readonly kept: number }
  | { readonly kind: 'change'; readonly id: MemberId; readonly change: ConfigChange }
  | { readonly kind: 'transfer'; readonly id: MemberId; readonly to: MemberId }
  | { readonly kind: 'compact'; readonly id: MemberId; readonly part: number }
  | {
      readonly kind: 'unreachable' | 'snapshot-lost';
      readonly id: MemberId;
      readonly to: MemberId;
    }
  | Reign;

type Link = Extract<Action, { readonly kind: 'stall' | 'unstall' }>;

/** A cluster under test: who could be of it, and what judges it. */
interface Trial {
  readonly peers: Peers;
  readonly safety: Safety;
  readonly electionTicks: number;
  /** Leaders come and go with little said in between; undefined: only as chance has it. */
  readonly era: Era | undefined;
  /** Per ordered pair. */
  readonly stalled: Map<string, Held>;
}

/** `seed` draws the shape of the cluster, the weights of the actions, and the actions. */
function newTrial({ seed, bugs, isAboutRaft }: PlayOptions): Trial {
  const random = Random.stream(seedFrom(seed), 'cluster');
  const era = random.chance(0.3) ? drawEra(random, ids(7)) : undefined;
  const hasReigns = era !== undefined;
  const voters = ids(era?.voters ?? random.pick([1, 2, 3, 3, 4, 4, 5, 5, 6, 7]));
  const learners = voters.length < 7 && random.chance(0.2) ? [String(voters.length + 1)] : [];
  const safety = new Safety(isAboutRaft);
  const electionTicks = random.pick([3, 5, 10]);
  const peers = new Peers({
    disks: newCluster(voters, learners),
    seed,
    observer: safety,
    tuning: {
      electionTicks,
      // Both keep a leader from being replaced at any moment.
      preVote: !hasReigns && random.chance(0.6),
      checkQuorum: !hasReigns && random.chance(0.6),
      maxAppendEntries: random.pick(hasReigns ? [1, 1, 64] : [1, 2, 4, 64]),
      maxInFlight: random.pick([1, 2, 16]),
      ...(bugs && { bugs }),
    },
  });
  return { peers, safety, electionTicks, era, stalled: new Map() };
}

/** How often each kind happens, drawn anew for each schedule: some are calm, some are not. */
interface Weights {
  readonly kinds: readonly Action['kind'][];
  readonly weights: readonly number[];
}

function drawWeights(random: Random, hasReigns: boolean): Weights {
  const faults = random.pick([0.1, 0.4, 1, 2]);
  const changes = random.pick([0, 0.5, 3]);
  const disks = random.pick([0, 1, 4]);
  // Leaders come and go with little said in between, as in figure 8.
  const storm = random.pick([0, 0.3, 2, 5]);
  const drawn: readonly (readonly [Action['kind'], number])[] = [
    ['tick', random.pick([5, 30])],
    ['deliver', 35],
    ['deliver-all', random.pick([0.5, 1, 4, 10])],
    ['propose', random.pick([2, 8])],
    ['read', 4],
    ['wait', storm],
    ['pause', random.pick([0, 0.2 * storm])],
    ['isolate', 0.6 * storm],
    ['split', 0.3 * storm],
    ['rejoin', storm],
    ['stall', random.pick([0, 0.5 * storm])],
    ['unstall', 0.7 * storm],
    ['lose', 3 * faults],
    ['twice', 2 * faults],
    ['cut', 1 * faults],
    ['heal', 1],
    ['crash', 1 * faults],
    ['restart', 2],
    ['hold-disk', disks],
    ['flush', 2 * disks],
    ['change', changes],
    ['transfer', 0.5 * faults],
    ['campaign', 0.5 * faults],
    ['compact', random.pick([0, 1, 3])],
    ['unreachable', 0.3],
    ['snapshot-lost', 0.5],
    ['reign', hasReigns ? random.pick([30, 300, 1000]) : 0],
  ];
  return { kinds: drawn.map(([kind]) => kind), weights: drawn.map(([, weight]) => weight) };
}

function draw(
  random: Random,
  { kinds, weights }: Weights,
  { peers, era }: Trial,
  step: number,
): Action {
  const kind = kinds[random.weighted(weights)] ?? 'tick';
  const members = [...peers.members.keys()];
  const id = random.pick(members);
  const isLeader = random.chance(0.7);
  // Only where it matters: this is what most of the time went to.
  const leader = isLeader && isForLeaders(kind) ? (peers.leaders().at(-1) ?? id) : id;
  switch (kind) {
    case 'tick':
    case 'campaign':
    case 'hold-disk':
    case 'wait':
    case 'rejoin':
      return { kind, id };
    case 'read':
    case 'pause':
    case 'isolate':
      return { kind, id: random.pick([id, leader]) };
    case 'split':
      return { kind, one: members.filter(() => random.chance(0.5)) };
    case 'stall':
    case 'unstall':
      return { kind, from: id, to: random.pick([leader, random.pick(members)]) };
    case 'deliver':
    case 'lose':
    case 'twice': {
      const pair = pickBusy(random, peers.queues);
      if (pair === undefined) return { kind: 'tick', id };
      const waiting = peers.queues.get(pair)?.length ?? 1;
      // Mostly in order, as on one connection; one that was lost may be followed by another.
      return { kind, pair, at: random.chance(0.03) ? random.int(0, waiting - 1) : 0 };
    }
    case 'deliver-all':
    case 'heal':
      return { kind };
    case 'propose': {
      const count = random.pick([1, 1, 1, 2, 5]);
      const commands = Array.from({ length: count }, (_, at) => `c${step}.${at}`);
      return { kind, id: random.pick([id, leader]), commands };
    }
    case 'cut':
      return { kind, from: id, to: random.pick(members) };
    case 'crash':
      return {
        kind,
        id: random.pick([id, leader]),
        part: random.chance(0.3) ? undefined : random.float(),
      };
    case 'restart':
      return { kind, id, kept: random.float() };
    case 'flush':
      return { kind, id, once: random.chance(0.5) };
    case 'change': {
      const type = random.pick(['add-voter', 'add-learner', 'promote', 'remove'] as const);
      return { kind, id: leader, change: { type, member: random.pick(ids(7)) } };
    }
    case 'transfer':
    case 'unreachable':
    case 'snapshot-lost':
      return { kind, id: leader, to: random.pick(members) };
    case 'compact':
      return { kind, id, part: random.float() };
    case 'reign':
      return era === undefined ? { kind: 'tick', id } : drawReign(random, peers, era, step);
    default:
      return unreachable(kind);
  }
}

/** Kinds that are mostly about who leads. */
const FOR_LEADERS: ReadonlySet<Action['kind']> = new Set<Action['kind']>([
  'read',
  'pause',
  'isolate',
  'stall',
  'unstall',
  'propose',
  'crash',
  'change',
  'transfer',
  'unreachable',
  'snapshot-lost',
]);

function isForLeaders(kind: Action['kind']): boolean {
  return FOR_LEADERS.has(kind);
}

/** An ordered pair between which something is under way. */
function pickBusy(
  random: Random,
  queues: ReadonlyMap<string, readonly unknown[]>,
): string | undefined {
  let busy = 0;
  for (const { length } of queues.values()) if (length > 0) busy++;
  if (busy === 0) return undefined;
  let left = random.int(0, busy - 1);
  for (const [pair, { length }] of queues) if (length > 0 && left-- === 0) return pair;
  return undefined;
}

function perform(trial: Trial, action: Action): void {
  const { peers, safety } = trial;
  if ('id' in action && !isPossible(peers, action.kind, action.id)) return;
  switch (action.kind) {
    case 'tick':
      return peers.tick(action.id);
    case 'wait':
      return peers.tick(action.id, 2 * trial.electionTicks);
    case 'pause':
      return peers.pause(action.id, 3 * trial.electionTicks);
    case 'isolate':
      return peers.isolate(action.id);
    case 'rejoin':
      return peers.rejoin(action.id);
    case 'split':
      return peers.split(
        action.one,
        [...peers.members.keys()].filter((id) => !action.one.includes(id)),
      );
    case 'stall':
    case 'unstall':
      return stall(trial, action);
    case 'campaign':
      return peers.campaign(action.id);
    case 'hold-disk':
      return peers.holdDisk(action.id);
    case 'flush':
      return action.once ? peers.flushOnce(action.id) : peers.flush(action.id);
    case 'read':
      return ask(peers, safety, action.id);
    case 'deliver':
    case 'lose':
    case 'twice': {
      const [message] = peers.queues.get(action.pair)?.splice(action.at, 1) ?? [];
      if (message === undefined || action.kind === 'lose') return undefined;
      if (action.kind === 'twice') peers.queues.get(action.pair)?.push(message);
      return peers.arrive(message);
    }
    case 'deliver-all':
      return peers.deliver();
    case 'heal':
      return peers.heal();
    case 'propose':
      peers.propose(action.id, ...action.commands);
      return undefined;
    case 'cut':
      return action.from === action.to ? undefined : peers.cut(action.from, action.to);
    case 'crash':
      return peers.crash(action.id, leftByCrash(peers.member(action.id), action.part));
    case 'restart':
      return restart(peers, action.id, action.kept);
    case 'change':
      // Whoever is to be added is there already, with an empty disk, and listens.
      if (!peers.members.has(action.change.member)) peers.start(action.change.member);
      peers.change(action.id, action.change.type, action.change.member);
      return undefined;
    case 'transfer':
      peers.transfer(action.id, action.to);
      return undefined;
    case 'compact':
      return compact(peers, action.id, action.part);
    case 'unreachable':
      return peers.act(action.id, (raft) => raft.reportUnreachable(action.to));
    case 'snapshot-lost':
      return peers.act(action.id, (raft) => raft.reportSnapshot(action.to, false));
    case 'reign':
      return reign(peers, action);
    default:
      return unreachable(action);
  }
}

function isPossible(peers: Peers, kind: Action['kind'], id: MemberId): boolean {
  const member = peers.members.get(id);
  if (kind === 'isolate' || kind === 'rejoin' || kind === 'reign') return member !== undefined;
  return member !== undefined && (member.raft === undefined) === (kind === 'restart');
}

function stall({ peers, stalled }: Trial, { kind, from, to }: Link): void {
  const pair = `${from}>${to}`;
  const held = stalled.get(pair);
  if (kind === 'unstall') {
    held?.release();
    stalled.delete(pair);
  } else if (held === undefined) {
    const isOfPair: Matches = (message) => message.from === from && message.to === to;
    stalled.set(pair, peers.hold(isOfPair));
  }
}

/** The floor is what anybody knows to be committed before the core hears of the read. */
function ask(peers: Peers, safety: Safety, id: MemberId): void {
  safety.asked(peers.nextRead, id);
  peers.read(id);
}

function leftByCrash(member: Member, part: number | undefined): DiskState {
  if (part === undefined) return member.synced;
  if (member.writing === undefined) return member.disk;
  const { snapshot, entries, hardState } = member.writing;
  const pieces = entries.length + 2;
  const done = Math.floor(part * (pieces + 1));
  if (done === 0) return member.disk;
  return written(member.disk, {
    ...(snapshot !== undefined && { snapshot }),
    entries: entries.slice(0, done - 1),
    ...(hardState !== undefined && done === pieces && { hardState }),
  });
}

function restart(peers: Peers, id: MemberId, kept: number): void {
  const { disk, machine } = peers.member(id);
  const more = machine.index - disk.snapshot.index;
  if (more <= 0) return peers.restart(id, disk.machine);
  return peers.restart(id, machineAt(machine, disk.snapshot.index + Math.floor(kept * (more + 1))));
}

function compact(peers: Peers, id: MemberId, part: number): void {
  const { disk, machine } = peers.member(id);
  const droppable = machine.index - disk.snapshot.index;
  const index = disk.snapshot.index + Math.ceil(part * droppable);
  // A leader's snapshot that is on its way to the disk has taken the place of that log already.
  if (droppable <= 0 || index < peers.status(id).firstIndex) return;
  peers.compact(id, index);
}

/**
 * Everything works again: one leader must emerge, and everybody must come to its log. Where voters
 * listen to anybody who asks, members that were removed are switched off, as their operators must
 * (thesis §4.2.3).
 */
function converge({ peers, electionTicks, stalled }: Trial): void {
  peers.heal();
  for (const held of stalled.values()) held.release();
  for (const { id, raft, holdsDisk } of peers.members.values())
    if (raft === undefined) peers.restart(id);
    else if (holdsDisk) peers.flush(id);
  const bound = 60 * electionTicks;
  let isProposed = false;
  for (let tick = 0; tick < bound; tick++) {
    peers.elapse(1);
    const [leader, ...others] = peers.leaders();
    if (leader === undefined || others.length > 0) continue;
    if (!peers.member(leader).tuning.checkQuorum) stopRemoved(peers, leader);
    if (!isProposed) isProposed = peers.propose(leader, 'last');
    else if (hasConverged(peers, leader)) return;
  }
  invariant(false, `no convergence in ${bound} ticks: ${describe(peers)}`);
}

function stopRemoved(peers: Peers, leader: MemberId): void {
  const { voters, learners } = peers.status(leader).config;
  for (const id of peers.members.keys())
    if (id !== leader && !voters.includes(id) && !learners.includes(id)) peers.crash(id);
}

function hasConverged(peers: Peers, leader: MemberId): boolean {
  const { config } = peers.status(leader);
  const { machine, disk } = peers.member(leader);
  return (
    machine.commands.some(({ command }) => command === 'last') &&
    machine.index === lastIndexOf(disk) &&
    [...config.voters, ...config.learners].every((id) => {
      const other = peers.member(id).machine;
      return (
        other.index === machine.index &&
        other.commands.every(({ command }, at) => command === machine.commands[at]?.command)
      );
    })
  );
}

function describe(peers: Peers): string {
  return [...peers.members.values()]
    .map(({ id, raft }) => {
      if (raft === undefined) return `${id} stopped`;
      const { role, term, commit, lastIndex, config } = raft.status();
      const { voters, learners } = config;
      return `${id} ${role} term ${term} ${commit}/${lastIndex} {${voters.join(' ')}|${learners.join(' ')}}`;
    })
    .join('; ');
}

export interface Outcome {
  readonly actions: readonly Action[];
  readonly error: unknown;
  readonly seen: Seen;
}

export interface PlayOptions {
  readonly seed: number;
  readonly stepsMax: number;
  /** Exactly these on the cluster that `seed` stands for, instead of what it draws. */
  readonly actions?: readonly Action[];
  readonly bugs?: Bugs;
  /** Only what figure 3 says is looked at; by default also promises, reads, and liveness. */
  readonly isAboutRaft?: boolean;
}

/** Plays one schedule, of a length that `seed` draws. */
export function play(options: PlayOptions): Outcome {
  const { seed, stepsMax, actions, isAboutRaft = false } = options;
  const trial = newTrial(options);
  const random = Random.stream(seedFrom(seed), 'schedule');
  const weights = drawWeights(random, trial.era !== undefined);
  // A reign is as much as many other steps.
  const longest = trial.era === undefined ? stepsMax : Math.ceil(stepsMax / 4);
  const steps = actions?.length ?? random.int(Math.ceil(longest / 10), longest);
  const done: Action[] = [];
  const { safety } = trial;
  try {
    for (let step = 0; step < steps; step++) {
      const action = actions?.[step] ?? draw(random, weights, trial, step);
      done.push(action);
      perform(trial, action);
    }
    if (!isAboutRaft) converge(trial);
  } catch (error) {
    return { actions: done, error, seen: safety.seen };
  }
  return { actions: done, error: undefined, seen: safety.seen };
}

/** Leaves out what is not needed for `fails` to stay true, in ever smaller pieces. */
export function minimise<T>(failing: readonly T[], fails: (part: readonly T[]) => boolean): T[] {
  let least = [...failing];
  let size = Math.ceil(least.length / 2);
  while (size >= 1) {
    for (let at = 0; at < least.length; ) {
      const shorter = least.toSpliced(at, size);
      if (fails(shorter)) least = shorter;
      else at += size;
    }
    size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return least;
}
