import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../harness/core/clock.ts';
import { ownerText } from '../../../harness/runner/watchdog-proc.ts';
import {
  countText,
  type EngineApi,
  type Found,
  isOrphan,
  ownerLabel,
  removeMade,
  removeRun,
} from './cleanup.ts';
import { LABEL } from './labels.ts';

class Refusal extends Error {
  readonly statusCode: number;
  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

interface FakeEngine extends EngineApi {
  /** Ids, in the order in which their removal was asked for. */
  readonly asked: string[];
  readonly there: Map<string, Found['kind']>;
  /** What each answers to being removed, one after the other; then it goes. */
  readonly refusals: Map<string, Refusal[]>;
}

function fakeEngine(there: Readonly<Record<string, Found['kind']>>): FakeEngine {
  const asked: string[] = [];
  const left = new Map(Object.entries(there));
  const refusals = new Map<string, Refusal[]>();
  const item = (id: string): object => ({
    remove: async () => {
      asked.push(id);
      await Promise.resolve();
      const refusal = refusals.get(id)?.shift();
      if (refusal !== undefined) throw refusal;
      left.delete(id);
    },
  });
  const all = (kind: Found['kind']): object[] =>
    [...left]
      .filter((each) => each[1] === kind)
      .map(([Id]) => ({
        Id,
        Name: Id,
        Names: [`/${Id}`],
        State: 'running',
        Labels: { [LABEL.run]: 'r1' },
      }));
  const docker = {
    listContainers: () => Promise.resolve(all('container')),
    listNetworks: () => Promise.resolve(all('network')),
    listVolumes: () => Promise.resolve({ Volumes: all('volume') }),
    getContainer: item,
    getNetwork: item,
    getVolume: item,
  };
  return { docker: docker as unknown as EngineApi['docker'], asked, there: left, refusals };
}

const found = (id: string, kind: Found['kind'] = 'container'): Found => ({
  kind,
  id,
  name: id,
  run: 'r1',
  owner: '',
  role: 'node',
});

describe('removing what was made', () => {
  test('containers go before the network and the volumes that they use', async () => {
    const engine = fakeEngine({ v: 'volume', net: 'network', a: 'container', b: 'container' });
    const made = [found('v', 'volume'), found('net', 'network'), found('a'), found('b')];
    const clock = new VirtualClock();
    expect(await clock.run(removeMade(engine, made, clock))).toEqual([]);
    expect(engine.asked).toEqual(['a', 'b', 'v', 'net']);
  });

  test('what is gone already counts as removed', async () => {
    const engine = fakeEngine({});
    engine.refusals.set('a', [new Refusal(404, 'no such container')]);
    const clock = new VirtualClock();
    expect(await clock.run(removeMade(engine, [found('a')], clock))).toEqual([]);
    expect(engine.asked).toEqual(['a']);
  });

  test('what is busy is tried again', async () => {
    const engine = fakeEngine({ net: 'network' });
    engine.refusals.set('net', [
      new Refusal(403, 'has active endpoints'),
      new Refusal(409, 'removal is in progress'),
    ]);
    const clock = new VirtualClock();
    expect(await clock.run(removeMade(engine, [found('net', 'network')], clock))).toEqual([]);
    expect(engine.asked).toEqual(['net', 'net', 'net']);
  });

  test('what will not go is named with the reason, and does not stop the others', async () => {
    const engine = fakeEngine({ a: 'container', b: 'container' });
    engine.refusals.set(
      'a',
      Array.from({ length: 50 }, () => new Refusal(409, 'device is busy')),
    );
    const clock = new VirtualClock();
    const stuck = await clock.run(removeMade(engine, [found('a'), found('b')], clock));
    expect(stuck).toEqual([{ found: found('a'), why: 'device is busy' }]);
    expect([...engine.there.keys()]).toEqual(['a']);
  });

  test('a run is looked for again, since the engine may still be making what was asked for', async () => {
    const engine = fakeEngine({ a: 'container' });
    const clock = new VirtualClock();
    clock.timer(400, () => engine.there.set('late', 'container'));
    clock.timer(3_500, () => engine.there.set('later', 'network'));
    const { removed, stuck } = await clock.run(removeRun(engine, 'r1', clock));
    expect(removed.map(({ id }) => id)).toEqual(['a', 'late', 'later']);
    expect(stuck).toEqual([]);
    expect(engine.there.size).toBe(0);
  });

  test('what stays is not asked for without end', async () => {
    const engine = fakeEngine({ a: 'container' });
    engine.refusals.set(
      'a',
      Array.from({ length: 500 }, () => new Refusal(400, 'never')),
    );
    const clock = new VirtualClock();
    const { removed, stuck } = await clock.run(removeRun(engine, 'r1', clock));
    expect(removed).toEqual([]);
    expect(stuck.map(({ why }) => why)).toEqual(['never']);
    expect(engine.asked.length).toBeLessThan(20);
  });
});

test('counts are said in words', () => {
  expect(countText([found('a'), found('b'), found('n', 'network')])).toBe(
    '2 containers, 1 network',
  );
  expect(countText([])).toBe('nothing');
});

test('an orphan is one whose harness ran here and is gone', () => {
  const [host = ''] = ownerLabel().split(':');
  const of = (owner: string): Pick<Found, 'owner'> => ({ owner });
  expect(isOrphan(of(ownerLabel()))).toBe(false);
  expect(isOrphan(of(`${host}:${ownerText(process.ppid)}`))).toBe(false);
  expect(isOrphan(of(`${host}:${process.pid}:1`))).toBe(true);
  expect(isOrphan(of(`not-${host}:${process.pid}:1`))).toBe(false);
  expect(isOrphan(of(''))).toBe(false);
});
