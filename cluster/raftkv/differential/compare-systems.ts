/** Asks fresh clusters of both systems the same, and says where raftkv does not answer as etcd. */
import type { Clock } from '../../../harness/core/clock.ts';
import type { UndoRegistry } from '../../../harness/protocols/undo.ts';
import type { SystemUnderTest, TestCluster } from '../testing.ts';
import { ACCEPTED } from './accepted.ts';
import { type CallSequence, IN_VAIN } from './calls.ts';
import { freshCluster } from './clusters.ts';
import { difference, type Side, type Transcript } from './compare.ts';
import { runSequence } from './etcdctl.ts';
import { runCalls } from './grpc.ts';
import type { Sequence } from './sequence.ts';

export interface Surroundings {
  readonly clock: Clock;
  readonly undo: UndoRegistry;
}

/** Of calls, or of commands of etcdctl. */
export type AnySequence = CallSequence | Sequence;

/** Undefined when raftkv answers as etcd, but for what is accepted; else what differs, as text. */
export async function compareWithEtcd(
  sequence: AnySequence,
  surroundings: Surroundings,
): Promise<string | undefined> {
  const [etcd, raftkv] = await Promise.all([
    ask(sequence, 'etcd', surroundings),
    ask(sequence, 'raftkv', surroundings),
  ]);
  const accepted = ACCEPTED.filter((each) => each.sequence === sequence.name);
  return wrongQuestion(etcd) ?? difference(etcd, raftkv, accepted);
}

/** What a fresh cluster answers. */
export async function ask(
  sequence: AnySequence,
  system: SystemUnderTest,
  { clock, undo }: Surroundings,
): Promise<Side> {
  await using cluster = await freshCluster(system, sequence, clock, undo);
  const transcript = isOfCalls(sequence)
    ? await runCalls(sequence, cluster, clock)
    : await runSequence(sequence, cluster, clock);
  return { name: system, transcript: [...transcript, ...crashesOf(cluster)] };
}

function isOfCalls(sequence: AnySequence): sequence is CallSequence {
  return sequence.kind === 'calls';
}

/** A removed member ends by itself too, with exit code 0. */
function crashesOf(cluster: TestCluster): Transcript {
  const seen = cluster.crashed().filter(({ how }) => how !== 'exit code 0');
  return seen.map(({ node, how }) => ({ title: `${node} ended by itself`, seen: [how] }));
}

/** What etcd never answers, or dies of, is no model. */
function wrongQuestion({ name, transcript }: Side): string | undefined {
  const wrong = transcript.find(
    ({ title, seen }) => seen.includes(IN_VAIN) || title.endsWith('ended by itself'),
  );
  if (wrong === undefined) return undefined;
  return `${name} should not have been asked this: ${wrong.title} → ${wrong.seen.join(' | ')}`;
}
