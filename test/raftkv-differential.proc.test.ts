/** The same is asked of a real etcd and of raftkv, and their answers are compared. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCEPTED } from '../cluster/raftkv/differential/accepted.ts';
import { type CallSequence, put } from '../cluster/raftkv/differential/calls.ts';
import { difference } from '../cluster/raftkv/differential/compare.ts';
import {
  type AnySequence,
  ask,
  compareWithEtcd,
  type Surroundings,
} from '../cluster/raftkv/differential/compare-systems.ts';
import { playInLockstep } from '../cluster/raftkv/differential/lockstep-property.ts';
import { type RandomOptions, randomCalls } from '../cluster/raftkv/differential/random-calls.ts';
import { CALLS, COMMANDS } from '../cluster/raftkv/differential/sequences/all.ts';
import { realClock } from '../harness/core/clock.ts';
import { silentLog } from '../harness/core/log.ts';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { startWatchdog, type Watchdog } from '../harness/runner/undo.ts';
import { describeWith } from './requires.ts';

const clock = realClock();

let watchdog: Watchdog | undefined;
beforeAll(async () => {
  const runId = `differential-${process.pid}`;
  watchdog = await startWatchdog({ runId, clock, log: silentLog });
});
afterAll(async () => {
  await watchdog?.[Symbol.asyncDispose]();
});

function surroundings(): Surroundings {
  expect.assert(watchdog !== undefined);
  return { clock, undo: watchdog };
}

/** Fails with the difference as it is, since a person is to read it. */
async function expectAsEtcd(sequence: AnySequence): Promise<void> {
  const found = await compareWithEtcd(sequence, surroundings());
  expect(found === undefined, `${sequence.name}: the answers differ\n\n${found}`).toBe(true);
}

const isBusy = ({ isMostlyWaiting = false }: AnySequence): boolean => !isMostlyWaiting;
const isWaiting = (sequence: AnySequence): boolean => !isBusy(sequence);

function byChance(seed: number, options: Partial<RandomOptions> = {}): CallSequence {
  const random = Random.stream(seedFrom(seed), 'random calls');
  return randomCalls(random, { count: 300, nodes: 1, restarts: false, ...options });
}

describe('what is accepted', () => {
  test('names a sequence that exists, each of which has a name of its own', () => {
    const names = new Set([...COMMANDS, ...CALLS].map(({ name }) => name));
    expect(names.size).toBe(COMMANDS.length + CALLS.length);
    expect(ACCEPTED.filter(({ sequence }) => !names.has(sequence))).toEqual([]);
  });
});

describeWith('etcd', 'calls: raftkv answers as etcd', () => {
  test.each(CALLS.filter(isBusy))('$name', expectAsEtcd);

  test.each([1, 2])('300 calls by chance, seed %i', async (seed) => {
    await expectAsEtcd(byChance(seed));
  });

  test.each([6])('300 calls by chance to any of three nodes, seed %i', async (seed) => {
    await expectAsEtcd(byChance(seed, { nodes: 3 }));
  });

  test.each([
    { nodes: 1, count: 300, seed: 8 },
    { nodes: 3, count: 120, seed: 9 },
  ])(
    '$count calls by chance to $nodes nodes, one killed again and again, seed $seed',
    async (options) => {
      await expectAsEtcd(byChance(options.seed, { ...options, restarts: true }));
    },
  );

  test('two etcds agree, and one that was asked one thing more does not', async () => {
    const sequence = byChance(10);
    const { steps } = sequence;
    const altered = {
      ...sequence,
      steps: [...steps.slice(0, 150), put('x', '1'), ...steps.slice(150)],
    };
    const [one, other, third] = await Promise.all(
      [sequence, sequence, altered].map((each) => ask(each, 'etcd', surroundings())),
    );
    expect.assert(one !== undefined && other !== undefined && third !== undefined);
    expect(one.transcript.length).toBeGreaterThan(300);
    expect(difference(one, other)).toBeUndefined();
    expect(difference(one, third)).toMatch(/but etcd: KV\.Put \{"key":"x","value":"1"\}/);
  });
});

describeWith('etcd', 'one of each, asked the same for as long as they live', () => {
  test('answer alike, whatever it is', async () => {
    const options = { sequences: 100, seed: seedFrom(20), restarts: 3 };
    const { difference: found, ...played } = await playInLockstep(options, surroundings());
    expect(found === undefined, `the answers differ\n\n${found}`).toBe(true);
    expect(played).toMatchObject({ sequences: 100 });
    expect(played.commands).toBeGreaterThan(1000);
  }, 300_000);

  test('are told apart when one has a bug, by a sequence that can be read', async () => {
    const { difference: found } = await playInLockstep(
      {
        sequences: 150,
        seed: seedFrom(21),
        restarts: 0,
        flags: ['--bug=compact-live'],
        isShortened: false,
      },
      surroundings(),
    );
    expect(found).toMatch(/^\{"call":"KV\.Compact",/m);
    expect(found).toMatch(/^ {2}- etcd\n {2}\+ raftkv\n/m);
  }, 300_000);
});

describeWith('etcd', 'commands: raftkv answers as etcd', () => {
  describeWith('etcdctl', 'to the stock etcdctl', () => {
    test.each(COMMANDS.filter(isBusy))('$name', expectAsEtcd);

    test.concurrent.each([...COMMANDS, ...CALLS].filter(isWaiting))('$name', expectAsEtcd);

    test('two etcds agree, and one that holds another value does not', async () => {
      const puts = COMMANDS.find(({ name }) => name === 'put');
      expect.assert(puts !== undefined);
      const altered = { ...puts, steps: puts.steps.with(1, { run: 'put a 0 -w json' }) };
      const [one, other, third] = await Promise.all(
        [puts, puts, altered].map((each) => ask(each, 'etcd', surroundings())),
      );
      expect.assert(one !== undefined && other !== undefined && third !== undefined);
      expect(difference(one, other)).toBeUndefined();
      const found = difference(one, third);
      expect(found).toMatch(
        /step 3: etcdctl put a 3 --prev-kv -w json\n(.*\n)* {2}- stdout: .*"Mg=="/,
      );
      expect(found).toMatch(/ {2}\+ stdout: .*"prev_kv":.*"MA=="/);
    });
  });
});
