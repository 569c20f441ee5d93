/**
 * Reigns: somebody is elected by some of the members, starts something, is heard by few, and goes.
 * A row of them leads where chance alone hardly ever comes: to the paper's figure 8, and to the
 * leaders of two configurations that do not overlap (thesis §4.1).
 */
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import type { Peers } from './testing.ts';
import type { ConfigChange, Configuration, MemberId, Message } from './types.ts';

export interface Reign {
  readonly kind: 'reign';
  /** Who is to lead. */
  readonly id: MemberId;
  /** Those who may vote; all others are cut off from them. */
  readonly court: readonly MemberId[];
  /** Those of the court who hear from the leader afterwards. */
  readonly heard: readonly MemberId[];
  /** The court first hears all that there is to say, so that an entry of this term is committed. */
  readonly isSettled: boolean;
  /** Asked for without waiting for each other. */
  readonly changes: readonly ConfigChange[];
  readonly commands: readonly string[];
  /** Messages that arrive before it is over, after the election; drawn by `seed`. */
  readonly messages: number;
  readonly seed: number;
  /** The leader crashes, instead of being cut off later. */
  readonly isMurdered: boolean;
}

/** What the reigns of one schedule have in common. */
export interface Era {
  /** How many there are in the beginning. */
  readonly voters: number;
  /** Who could be a member, though most are not yet. */
  readonly everybody: readonly MemberId[];
  readonly changeChance: number;
  readonly settledChance: number;
}

const TRIES = 3;

/** Each kind of era leads somewhere else, and hides what the others lead to. */
export function drawEra(random: Random, everybody: readonly MemberId[]): Era {
  return random.pick([
    { everybody, voters: random.pick([3, 5, 5]), changeChance: 0, settledChance: 0 },
    { everybody, voters: random.pick([2, 4, 4]), changeChance: 0.8, settledChance: 0 },
    { everybody, voters: random.pick([3, 4, 5, 5]), changeChance: 0.8, settledChance: 0.6 },
  ]);
}

export function drawReign(random: Random, peers: Peers, era: Era, step: number): Reign {
  const id = random.pick([...peers.members.keys()]);
  const known = peers.member(id).raft?.status().config ?? { voters: [], learners: [] };
  const { voters, learners } = known;
  const others = random.shuffle(voters.filter((member) => member !== id));
  const most = random.chance(0.8) ? Math.floor(voters.length / 2) : others.length;
  const court = others.slice(0, most);
  const outside = era.everybody.filter(
    (member) => !voters.includes(member) && !learners.includes(member),
  );
  const count = random.chance(era.changeChance) ? random.pick([1, 2]) : 0;
  return {
    kind: 'reign',
    id,
    court: [id, ...court],
    heard: random.chance(0.3) ? court : court.filter(() => random.chance(0.5)),
    isSettled: random.chance(era.settledChance),
    changes: Array.from({ length: count }, () => drawChange(random, known, outside)),
    commands: random.chance(0.7) ? [`r${step}`] : [],
    messages: random.pick([0, 2, 4, 5, 6, 7, 8, 10, 14, 30]),
    seed: random.int(0, 2 ** 31),
    isMurdered: random.chance(0.3),
  };
}

function drawChange(
  random: Random,
  { voters, learners }: Configuration,
  outside: readonly MemberId[],
): ConfigChange {
  const possible: readonly (readonly [ConfigChange['type'], readonly MemberId[]])[] = [
    // Only these two change what a majority is.
    ['remove', voters],
    ['remove', voters],
    ['add-voter', outside],
    ['add-voter', outside],
    ['remove', learners],
    ['add-learner', outside],
    ['promote', learners],
  ];
  const [type, members] = random.pick(possible.filter(([, candidates]) => candidates.length > 0));
  return { type, member: random.pick(members) };
}

export function reign(peers: Peers, plan: Reign): void {
  const { id, court, heard, changes, commands } = plan;
  const random = Random.stream(seedFrom(plan.seed), 'reign');
  for (const queue of peers.queues.values()) queue.length = 0;
  peers.heal();
  const present = court.filter((member) => peers.members.has(member));
  for (const member of present) if (peers.member(member).raft === undefined) peers.restart(member);
  peers.split(
    present,
    [...peers.members.keys()].filter((member) => !present.includes(member)),
  );
  if (!present.includes(id) || !elect(peers, id)) return;
  if (plan.isSettled) peers.deliver();
  peers.split(
    [id],
    present.filter((member) => member !== id && !heard.includes(member)),
  );
  if (peers.status(id).role !== 'leader') return;
  for (const { type, member } of changes) {
    // Whoever is to be added is there already, with an empty disk, and listens.
    if (!peers.members.has(member)) peers.start(member);
    peers.change(id, type, member);
  }
  if (commands.length > 0) peers.propose(id, ...commands);
  for (let count = 0; count < plan.messages; count++) {
    const busy = [...peers.queues.values()].filter(({ length }) => length > 0);
    if (busy.length === 0) break;
    arrive(peers, random.pick(busy), 0);
  }
  if (plan.isMurdered && peers.member(id).raft !== undefined) peers.crash(id);
}

/** Nothing but votes is heard until `id` leads, or nobody would vote for it. */
function elect(peers: Peers, id: MemberId): boolean {
  if (peers.status(id).role === 'leader') {
    peers.crash(id);
    peers.restart(id);
  }
  for (let tries = 0; tries < TRIES; tries++) {
    if (peers.status(id).role === 'leader') return true;
    peers.campaign(id);
    let isBusy = true;
    while (isBusy) isBusy = deliverVote(peers);
  }
  return peers.status(id).role === 'leader';
}

/** False: there is none. */
function deliverVote(peers: Peers): boolean {
  for (const queue of peers.queues.values()) {
    const at = queue.findIndex(isAboutVotes);
    if (at < 0) continue;
    arrive(peers, queue, at);
    return true;
  }
  return false;
}

function isAboutVotes({ type }: Message): boolean {
  return type === 'vote' || type === 'vote-reply';
}

function arrive(peers: Peers, queue: Message[], at: number): void {
  const [message] = queue.splice(at, 1);
  if (message !== undefined) peers.arrive(message);
}
