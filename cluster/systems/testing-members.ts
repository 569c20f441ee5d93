/** One scenario for every system whose members can be changed, on whatever time it runs. */
import { expect } from 'vitest';
import { type Clock, sleep } from '../../harness/core/clock.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { MemberView } from '../../harness/protocols/membership.ts';
import type { Cluster, Outcome, RegisterApi } from '../../harness/protocols/system.ts';

const CALL = { timeoutMs: 10_000 };
const TIMEOUT_MS = 10_000;
/** Changes are refused until all members have been well for five seconds. */
const WAIT_MS = 20_000;

/** Polls until `look` finds something. */
async function awaited<T>(
  clock: Clock,
  what: string,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = clock.now() + WAIT_MS * 1e6;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (clock.now() >= deadline) throw new Error(`waited for ${what}`);
    await sleep(clock, 50);
  }
}

async function done<T>(
  clock: Clock,
  what: string,
  ask: () => Promise<Outcome<T>>,
): Promise<T | null> {
  return awaited(clock, what, async () => {
    const outcome = await ask();
    if (outcome.type === 'ok') return outcome.value;
    expect([what, outcome]).toMatchObject([what, { type: 'fail', error: { definite: true } }]);
    return undefined;
  });
}

function votersOf(members: readonly MemberView[]): Set<NodeName | undefined> {
  return new Set(members.filter(({ isLearner }) => !isLearner).map(({ node }) => node));
}

/**
 * The leader of three nodes is removed and ends, comes back with an empty disk as a learner, and
 * becomes a voter that serves, also after a kill. Nobody crashed.
 */
export async function leaderLeavesAndReturns(cluster: Cluster, clock: Clock): Promise<void> {
  const { membership, processes, nodes } = cluster;
  expect.assert(membership !== undefined && processes !== undefined);
  await using stack = new AsyncDisposableStack();
  const register = async (node: NodeName): Promise<RegisterApi> => {
    const { apis } = stack.use(await cluster.open(node));
    expect.assert(apis.register !== undefined);
    return apis.register;
  };
  const leaderNow = (): Promise<NodeName> =>
    awaited(clock, 'a leader', async () => {
      const roles = await cluster.roles();
      return roles.findLast(({ role }) => role === 'leader')?.node;
    });
  const listed = async (via: NodeName): Promise<readonly MemberView[]> =>
    (await done(clock, `the list of ${via}`, () => membership.list(via, TIMEOUT_MS))) ?? [];
  const idOf = (members: readonly MemberView[], node: NodeName): string | undefined =>
    members.find((member) => member.node === node)?.id;

  const old = await leaderNow();
  const [other] = nodes.filter((node) => node !== old);
  expect.assert(other !== undefined);
  const before = await listed(other);
  expect(votersOf(before)).toEqual(new Set(nodes));
  expect(before).toHaveLength(nodes.length);
  const atOther = await register(other);
  // What is sent to a leader that just changed may be lost: it is written until it is there.
  const writes = (value: string): Promise<true> =>
    awaited(clock, `a write of ${value}`, async () =>
      (await atOther.write('k', value, CALL)).type === 'ok' ? true : undefined,
    );
  await writes('before');
  const twice = await membership.add(old, { via: other, asLearner: false, timeoutMs: TIMEOUT_MS });
  expect(twice).toMatchObject({ type: 'fail', error: { code: 'peer-url-exists' } });

  await done(clock, 'the removal', () => membership.remove(old, old, TIMEOUT_MS));
  await awaited(clock, 'its end', async () =>
    (await processes.state(old)).state === 'gone' ? true : undefined,
  );
  const next = await leaderNow();
  expect(next).not.toBe(old);
  expect(idOf(await listed(next), old)).toBeUndefined();
  const again = await membership.remove(old, next, TIMEOUT_MS);
  expect(again).toMatchObject({ type: 'fail', error: { code: 'member-not-found' } });
  await writes('without');

  const how = { via: next, asLearner: true, timeoutMs: TIMEOUT_MS };
  await done(clock, 'the addition', () => membership.add(old, how));
  expect((await listed(next)).find(({ node }) => node === old)).toMatchObject({ isLearner: true });
  await done(clock, 'the promotion', () => membership.promote(old, next, TIMEOUT_MS));
  await cluster.ready(WAIT_MS);
  const after = await listed(old);
  expect(votersOf(after)).toEqual(new Set(nodes));
  expect(after).toHaveLength(nodes.length);
  expect(idOf(after, old)).not.toBe(idOf(before, old));
  expect(idOf(after, other)).toBe(idOf(before, other));
  const atOld = await register(old);
  expect(await atOld.read('k', 'linearizable', CALL)).toMatchObject({ value: 'without' });

  await processes.kill(old);
  await processes.start(old);
  await cluster.ready(WAIT_MS);
  const back = await register(old);
  expect(await back.read('k', 'serializable', CALL)).toMatchObject({ value: 'without' });
  expect(idOf(await listed(old), old)).toBe(idOf(after, old));
  expect(cluster.crashed()).toEqual([]);
}

/** What was overwritten cannot be read any more where the past is compacted, the present can. */
export async function pastIsForgotten(cluster: Cluster): Promise<void> {
  const { maintenance, nodes } = cluster;
  const [node = ''] = nodes;
  await using connection = await cluster.open(node);
  const { register } = connection.apis;
  expect.assert(maintenance !== undefined && register !== undefined);
  const revisions: number[] = [];
  for (const value of [1, 2, 3]) {
    const written = await register.write('k', value, CALL);
    expect.assert(written.type === 'ok');
    revisions.push(written.server?.revision ?? 0);
  }
  const [first = 0, second = 0, third = 0] = revisions;
  const remembers = async (revision: number): Promise<unknown> => {
    const outcome = await maintenance.remembers(node, revision, TIMEOUT_MS);
    return outcome.type === 'ok' ? outcome.value : outcome;
  };
  expect(await remembers(first)).toBe(true);
  const compacted = await maintenance.compact(node, third - second, TIMEOUT_MS);
  expect(compacted).toEqual({ type: 'ok', value: { revision: second } });
  expect([await remembers(first), await remembers(second)]).toEqual([false, true]);
  expect(await register.read('k', 'linearizable', CALL)).toMatchObject({ type: 'ok', value: 3 });
  const never = await maintenance.compact(node, 1_000_000, TIMEOUT_MS);
  expect(never).toMatchObject({ type: 'fail', error: { code: 'nothing-to-compact' } });
}
