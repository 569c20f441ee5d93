import { describe, expect, it } from 'vitest';
import { sleep } from '../../harness/core/clock.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { msFromNanos } from '../../harness/core/units.ts';
import type { FaultValue, Nemesis } from '../../harness/protocols/nemesis.ts';
import { membership } from './membership.ts';
import { drawMembership } from './membership-spec.ts';
import { FakeMembers, refusal, silence } from './membership-testing.ts';
import type { FaultOptions } from './options.ts';
import { faultOp } from './testing.ts';

const ALL = ['n1', 'n2', 'n3', 'n4', 'n5'];

function invoke(nemesis: Nemesis, fake: FakeMembers, value: FaultOptions): Promise<FaultValue> {
  const op = faultOp('membership', value);
  return fake.cluster.clock.run(nemesis.invoke(op, fake.context()));
}

const begin = (nemesis: Nemesis, fake: FakeMembers, options: FaultOptions): Promise<FaultValue> =>
  invoke(nemesis, fake, { ...options, stage: 'begin' });

const end = (nemesis: Nemesis, fake: FakeMembers): Promise<FaultValue> =>
  invoke(nemesis, fake, { stage: 'end' });

/** What was asked, without when. */
const words = (fake: FakeMembers): string[] =>
  fake.asked.map((line) => line.replace(/ at \d+$/, ''));

describe('a member that is removed', () => {
  it('is gone from the lists, counts as hit, and comes back in the end', async () => {
    const fake = new FakeMembers(5);
    const nemesis = membership();
    expect(await begin(nemesis, fake, { target: 'leader' })).toEqual({
      stage: 'begin',
      fault: 'membership',
      text: 'remove n2 (leader)',
      targets: ['n2'],
      evidence: { result: 'installed', probe: { n2: 'a2 is gone from the list of n1' } },
    });
    expect(fake.list()).toEqual(['n1', 'n3', 'n4', 'n5']);
    expect(fake.cluster.board.hit.get('membership')).toEqual(new Set(['n2']));
    expect(await end(nemesis, fake)).toMatchObject({
      stage: 'end',
      text: 'remove n2 (leader)',
      evidence: { result: 'installed', probe: { n2: 'voter a6', 'listed by': 'n2' } },
    });
    expect(words(fake)).toEqual(['remove n2 via n2', 'add n2 via n2']);
    expect(fake.list()).toEqual(ALL);
    expect(fake.cluster.board.hit.size).toBe(0);
  });

  it('comes back as a learner that is promoted as soon as it may be', async () => {
    const fake = new FakeMembers(3);
    const nemesis = membership();
    fake.answers.set('promote n1', [refusal('not-promotable'), refusal('not-promotable')]);
    await begin(nemesis, fake, { target: 'n1', as: 'learner' });
    expect((await end(nemesis, fake)).evidence.result).toBe('installed');
    expect(words(fake)).toEqual([
      'remove n1 via n2',
      'add n1 via n2',
      ...Array<string>(3).fill('promote n1 via n2'),
    ]);
    expect(fake.list()).toEqual(['n1', 'n2', 'n3']);
  });

  it('is only one of a minority, all lanes together', async () => {
    const fake = new FakeMembers(3);
    fake.cluster.board.hit.set('kill', new Set(['n1']));
    const nemesis = membership();
    const { evidence } = await begin(nemesis, fake, { target: 'leader' });
    expect(evidence).toMatchObject({
      result: 'skipped',
      why: expect.stringContaining('it would cost the majority'),
    });
    expect(fake.asked).toEqual([]);
  });

  it('is none that is no voter already', async () => {
    const fake = new FakeMembers(5);
    const nemesis = membership();
    fake.answers.set('remove n4', [silence('deadline-exceeded')]);
    fake.happensUntold.add('remove n4');
    await begin(membership(), fake, { target: 'n4' });
    const { evidence } = await begin(nemesis, fake, { target: 'n4' });
    expect(evidence).toEqual({
      result: 'skipped',
      why: 'the named nodes: n4 cannot be hit now',
    });
  });
});

describe('a member whose place another one takes', () => {
  it.each([
    [{ as: 'voter' }, 'n3', 'voter a6'],
    [{ as: 'learner' }, 'n3', 'voter a6'],
    [{ as: 'learner', promote: false }, 'n3 (learner)', 'learner a6'],
  ])('%o: is listed as %s', async (options, listed, role) => {
    const fake = new FakeMembers(5);
    const nemesis = membership();
    const value = await begin(nemesis, fake, { do: 'replace', target: 'n3', ...options });
    expect(value.evidence).toEqual({
      result: 'installed',
      probe: { n3: `${role} is in the place of a3 in the list of n1` },
    });
    expect(fake.list()).toEqual(ALL.with(2, listed));
    expect((await end(nemesis, fake)).evidence.result).toBe('installed');
    expect(fake.list()).toEqual(ALL);
  });

  it('is gone all the same when the other one is refused for too long', async () => {
    const fake = new FakeMembers(3);
    const nemesis = membership();
    fake.answers.set('add n1', Array(100).fill(refusal('unhealthy-cluster')));
    const { evidence } = await begin(nemesis, fake, { do: 'replace', target: 'n1' });
    expect(evidence).toEqual({
      result: 'installed',
      probe: {
        n1: 'a1 is gone from the list of n2; through n2: not added: unhealthy-cluster',
      },
    });
  });
});

describe('who is asked', () => {
  it.each([
    ['leader', 'n4'],
    ['old-leader', 'n2'],
    ['target', 'n3'],
    ['n5', 'n5'],
  ])('%s', async (via, asked) => {
    const fake = new FakeMembers(5);
    fake.cluster.leaders = ['n4', 'n2'];
    await begin(membership(), fake, { target: 'n3', via });
    expect(words(fake)).toEqual([`remove n3 via ${asked}`]);
  });

  it('may be another one for each target, in the order of the targets', async () => {
    const fake = new FakeMembers(5);
    const options = { target: ['n3', 'n1', 'n2'], via: ['n4', 'n5'] };
    const { text } = await begin(membership(), fake, options);
    expect(text).toBe('remove n3, n1, n2 (leader), through n4, n5');
    expect(words(fake)).toEqual(['remove n3 via n4', 'remove n1 via n5', 'remove n2 via n5']);
  });

  it('is asked for the next one at its time, answered or not', async () => {
    const waits = new FakeMembers(5);
    await begin(membership(), waits, { target: ['n3', 'n4'] });
    const overlaps = new FakeMembers(5);
    await begin(membership(), overlaps, { target: ['n3', 'n4'], every: '0ms' });
    const gap = ({ asked }: FakeMembers): number => {
      const [first = 0, second = 0] = asked.map((line) => Number(line.split(' at ')[1]));
      return second - first;
    };
    expect(gap(waits)).toBeGreaterThanOrEqual(10);
    expect(gap(overlaps)).toBe(0);
  });

  it('is never a deposed leader when members come back', async () => {
    const fake = new FakeMembers(3);
    const nemesis = membership();
    await begin(nemesis, fake, { target: 'n3' });
    // The new leader was seen once, and is silent now: the old one must not be believed.
    fake.roles.set('n1', { term: 12 });
    const op = faultOp('membership', { stage: 'end' });
    const { clock } = fake.cluster;
    const ending = nemesis.invoke(op, fake.context());
    clock.timer(5_000, () => fake.roles.set('n1', { role: 'leader', term: 12 }));
    expect((await clock.run(ending)).evidence.result).toBe('installed');
    expect(words(fake)).toEqual(['remove n3 via n2', 'add n3 via n1']);
  });
});

describe('a change', () => {
  it('that is refused is skipped, with the reason', async () => {
    const fake = new FakeMembers(3);
    fake.answers.set('remove n1', [refusal('unhealthy-cluster')]);
    const { evidence } = await begin(membership(), fake, { target: 'n1' });
    expect(evidence).toEqual({
      result: 'skipped',
      why: 'n1: not seen to change through n2: unhealthy-cluster',
    });
  });

  it('that nobody answers counts only when it is seen', async () => {
    const fake = new FakeMembers(3);
    const answer = silence('deadline-exceeded');
    fake.answers.set('remove n1', [answer]);
    const unseen = await begin(membership(), fake, { target: 'n1' });
    expect(unseen.evidence).toEqual({
      result: 'failed',
      why: 'n1: not seen to change through n2: deadline-exceeded',
    });
    fake.answers.set('remove n1', [answer]);
    fake.happensUntold.add('remove n1');
    const seen = await begin(membership(), fake, { target: 'n1' });
    expect(seen.evidence).toEqual({
      result: 'installed',
      probe: { n1: 'a1 is gone from the list of n2; through n2: deadline-exceeded' },
    });
  });

  it('is not asked for when nobody lists members, or nobody leads', async () => {
    const fake = new FakeMembers(3);
    for (const node of fake.cluster.nodes) fake.silent.add(node);
    const mute = await begin(membership(), fake, { target: 'n1' });
    expect(mute.evidence).toMatchObject({ why: 'no node says who the members are' });
    const headless = new FakeMembers(3);
    headless.cluster.leaders = [];
    const { evidence } = await begin(membership(), headless, { target: 'n1' });
    expect(evidence).toEqual({ result: 'skipped', why: 'no node says that it leads' });
  });
});

describe('bringing members back', () => {
  it('waits for other faults to let go of the node', async () => {
    const fake = new FakeMembers(5);
    const nemesis = membership();
    const { board, clock } = fake.cluster;
    await begin(nemesis, fake, { target: 'n3' });
    board.links.set('partition', new Set(['n3>n1']));
    clock.timer(3_000, () => board.links.clear());
    const startMs = msFromNanos(clock.now());
    expect((await end(nemesis, fake)).evidence.result).toBe('installed');
    const added = Number(fake.asked.at(-1)?.split(' at ')[1]);
    expect(added).toBeGreaterThanOrEqual(startMs + 3_000);
  });

  it('starts a member that gave up joining', async () => {
    const fake = new FakeMembers(5);
    const nemesis = membership();
    await begin(nemesis, fake, { do: 'replace', target: 'n3' });
    fake.cluster.crash('n3');
    expect((await end(nemesis, fake)).evidence.result).toBe('installed');
    expect(await fake.cluster.clock.run(fake.cluster.damage())).toEqual([]);
  });

  it.each(['unknown', 'learner'] as const)(
    'heeds no term in which nobody leads: of a node that is %s',
    async (role) => {
      const fake = new FakeMembers(5);
      const nemesis = membership();
      await begin(nemesis, fake, { target: 'n3' });
      fake.roles.set('n3', { role, term: 99 });
      expect((await end(nemesis, fake)).evidence).toMatchObject({
        result: 'installed',
        probe: { 'listed by': 'n2' },
      });
    },
  );

  it('replaces a member whose removal nobody answered, since it may happen later', async () => {
    const fake = new FakeMembers(5);
    const nemesis = membership();
    const answer = silence('deadline-exceeded');
    fake.answers.set('remove n4', [answer, answer, refusal('unhealthy-cluster')]);
    await begin(nemesis, fake, { target: 'n4', via: 'n1' });
    expect((await end(nemesis, fake)).evidence).toMatchObject({
      result: 'installed',
      probe: { n4: 'voter a6' },
    });
    expect(words(fake)).toEqual([
      'remove n4 via n1',
      ...Array<string>(3).fill('remove n4 via n2'),
      'add n4 via n2',
    ]);
    await end(nemesis, fake);
    expect(fake.list()).toEqual(ALL);
  });

  it('asks once for a removal that nobody answered, but that has happened', async () => {
    const fake = new FakeMembers(5);
    const nemesis = membership();
    fake.answers.set('remove n4', [silence('deadline-exceeded')]);
    fake.happensUntold.add('remove n4');
    await begin(nemesis, fake, { target: 'n4' });
    await end(nemesis, fake);
    expect(words(fake)).toEqual(['remove n4 via n2', 'add n4 via n2']);
  });

  it('never removes the last member, whatever was not answered', async () => {
    const fake = new FakeMembers(1);
    fake.cluster.leaders = ['n1'];
    const nemesis = membership();
    fake.answers.set('remove n1', [silence('deadline-exceeded')]);
    await begin(nemesis, fake, { target: 'n1' });
    expect((await end(nemesis, fake)).evidence.result).toBe('installed');
    expect(words(fake)).toEqual(['remove n1 via n1']);
  });

  it('makes the others whole before it removes one whose removal nobody answered', async () => {
    const fake = new FakeMembers(2);
    const nemesis = membership();
    const how = { do: 'replace', as: 'learner', promote: false, target: ['n1', 'n2'] };
    fake.answers.set('remove n1', [silence('deadline-exceeded')]);
    await begin(nemesis, fake, how);
    expect(fake.list()).toEqual(['n1', 'n2 (learner)']);
    const before = fake.asked.length;
    await end(nemesis, fake);
    const steps = ['promote n2', 'remove n1', 'add n1', 'promote n1'].map(
      (step) => `${step} via n2`,
    );
    expect(words(fake).slice(before)).toEqual(steps);
  });

  it('promotes a learner first: there may be only one', async () => {
    const fake = new FakeMembers(5);
    const nemesis = membership();
    fake.answers.set('add n3', Array(200).fill(refusal('unhealthy-cluster')));
    const how = { do: 'replace', as: 'learner', promote: false };
    await begin(nemesis, fake, { ...how, target: ['n3', 'n4'] });
    expect(fake.list()).toEqual(['n1', 'n2', 'n4 (learner)', 'n5']);
    fake.answers.clear();
    const before = fake.asked.length;
    await end(nemesis, fake);
    const steps = ['promote n4 via n2', 'add n3 via n2', 'promote n3 via n2'];
    expect(words(fake).slice(before)).toEqual(steps);
  });

  it('replaces a member that runs and never serves', async () => {
    const fake = new FakeMembers(5);
    const nemesis = membership();
    const { clock } = fake.cluster;
    await begin(nemesis, fake, { do: 'replace', target: 'n3' });
    fake.roles.set('n3', { role: 'unknown', state: 'unreachable' });
    const ending = nemesis.invoke(faultOp('membership', { stage: 'end' }), fake.context());
    const joined = sleep(clock, 15_000).then(() => fake.roles.clear());
    const [{ evidence }] = await clock.run(Promise.all([ending, joined]));
    expect(evidence).toMatchObject({ result: 'installed', probe: { n3: 'voter a7' } });
    expect(words(fake)).toEqual([
      'remove n3 via n2',
      'add n3 via n2',
      'remove n3 via n2',
      'add n3 via n2',
    ]);
  });

  it('gives up at a heal in time for its run, and says what is missing', async () => {
    const fake = new FakeMembers(5);
    const nemesis = membership();
    const { clock } = fake.cluster;
    await begin(nemesis, fake, { target: 'n3' });
    fake.answers.set('add n3', Array(10_000).fill(refusal('unhealthy-cluster')));
    const ctx = fake.context();
    const startMs = msFromNanos(clock.now());
    const ending = nemesis.invoke(faultOp('membership', { stage: 'end' }), ctx);
    const both = Promise.all([ending, nemesis.heal(ctx)]);
    const [ended, healed] = await clock.run(both);
    const why = 'n3: not added through n2: unhealthy-cluster';
    expect(ended.evidence).toEqual({ result: 'failed', why });
    expect(healed).toEqual({ result: 'failed', why });
    expect(msFromNanos(clock.now()) - startMs).toBeLessThan(30_000);
    expect(fake.cluster.board.hit.size).toBe(0);
  });
});

describe('the options', () => {
  it.each([
    [{ do: 'expel' }, 'do: "expel" is not known; write remove, replace'],
    [{ as: 'lerner' }, 'as: "lerner" is not known (did you mean'],
    [{ via: 'leadr' }, 'via: "leadr" cannot be asked (did you mean'],
    [{ via: [] }, 'via: [] cannot be asked'],
    [{ via: ['n1', 7] }, 'via: 7 cannot be asked; write leader, old-leader, target, a node'],
    [{ promote: false }, 'promote: goes with "do": "replace", "as": "learner" only'],
    [{ do: 'replace', as: 'learner', promote: 'no' }, 'promote: "no" is neither true nor false'],
    [{ every: 5 }, 'every: 5 is not a duration'],
    [{ node: 'n1' }, "unknown option 'node'"],
  ])('%o is refused', (options, message) => {
    expect(() => membership().check?.(options as FaultOptions, 'here')).toThrow(message);
  });

  it('of every random fault are ones that it takes', () => {
    const random = Random.stream(seedFrom(1), 'draws');
    const drawn = Array.from({ length: 200 }, () => drawMembership(random));
    for (const options of drawn) expect(() => membership().check?.(options, 'here')).not.toThrow();
    expect(new Set(drawn.map((options) => JSON.stringify(options))).size).toBeGreaterThan(20);
  });
});

it('is not for clusters whose members cannot be changed', () => {
  const fake = new FakeMembers(3);
  expect(membership().available(fake.context().cluster)).toBe(true);
  expect(membership().available(fake.cluster.cluster())).toBe(
    'this cluster does not let its members be changed',
  );
});
