import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../core/clock.ts';
import { nanos, nanosFromMs } from '../core/units.ts';
import type { Op } from '../history/op.ts';
import type { FaultValue, Leader } from '../protocols/nemesis.ts';
import type { FaultTrigger } from '../protocols/run.ts';
import type { RoleSample } from '../protocols/system.ts';
import { noteLeader } from './leaders.ts';
import { Triggers, triggerOf, type Waited, withoutTrigger } from './triggers.ts';

const leads = (node: string, term?: number): RoleSample => ({
  node,
  role: 'leader',
  state: 'answered',
  ...(term !== undefined && { term }),
});

const opOf = (f: string, mode?: 'linearizable'): Op => ({
  index: 0,
  time: nanos(0),
  process: 1,
  type: 'invoke',
  f,
  value: null,
  phase: 'main',
  ...(mode !== undefined && { mode }),
});

const fault = (kind: string, stage: 'begin' | 'end', result = 'installed'): FaultValue => ({
  stage,
  fault: kind,
  text: `${kind} n1`,
  targets: ['n1'],
  evidence: { result, probe: null, why: '' } as unknown as FaultValue['evidence'],
});

/** Waits on virtual time while `happen` is called at given milliseconds. */
async function waiting(
  trigger: FaultTrigger,
  happen: Readonly<Record<number, (triggers: Triggers, world: World) => void>> = {},
  { untilMs = 1e6, led = [{ node: 'n1', term: 1 }] }: { untilMs?: number; led?: Leader[] } = {},
): Promise<Waited & { readonly atMs: number; readonly asked: number }> {
  const clock = new VirtualClock();
  const world: World = {
    roles: [leads('n1', 1)],
    asked: 0,
    mute: false,
    stop: new AbortController(),
  };
  const triggers = new Triggers({
    cluster: {
      timing: { heartbeatMs: 100, electionMs: 1000 },
      roles: () => {
        world.asked++;
        return world.mute ? Promise.reject(new Error('no engine')) : Promise.resolve(world.roles);
      },
    },
    clock,
    led,
    isSimulated: true,
  });
  for (const [ms, act] of Object.entries(happen))
    clock.timer(Number(ms), () => act(triggers, world));
  const { signal } = world.stop;
  const until = nanosFromMs(untilMs);
  const waited = await clock.run(triggers.wait(trigger, { lane: 'kill', until, signal }));
  return { ...waited, atMs: clock.now() / 1e6, asked: world.asked };
}

interface World {
  roles: RoleSample[];
  asked: number;
  /** Nobody can be asked. */
  mute: boolean;
  readonly stop: AbortController;
}

const change: FaultTrigger = { after: 'leader-change', delayMs: 30, withinMs: 5000 };
const begun: FaultTrigger = { after: 'fault-begun', of: 'pause', delayMs: 0, withinMs: 500 };
const write: FaultTrigger = { while: 'write-in-flight', on: 'leader', withinMs: 500 };

describe('a change of the leader', () => {
  test('is somebody in a higher term, seen within a twentieth of an election', async () => {
    const found = await waiting(change, {
      // A deposed one that still says it leads is no change.
      100: (_, world) => (world.roles = [leads('n2', 1), leads('n1', 1)]),
      200: (_, world) => (world.roles = [leads('n1', 1), leads('n3', 4)]),
    });
    expect(found).toMatchObject({ event: 'n3 leads in term 4' });
    expect(found.atMs).toBeGreaterThanOrEqual(230);
    expect(found.atMs).toBeLessThanOrEqual(281);
    expect(found).toMatchObject({ waitedMs: found.atMs });
  });

  test('may be seen by others first', async () => {
    const found = await waiting(change, { 10: (all) => all.rolesSeen([leads('n2', 2)]) });
    expect(found).toMatchObject({ event: 'n2 leads in term 2', atMs: 40 });
  });

  test('is not whoever leads at first, though nobody had looked yet', async () => {
    const found = await waiting(change, {}, { led: [] });
    expect(found).toMatchObject({ reason: 'no node came to lead within 5000 ms', atMs: 5000 });
  });

  test('is waited for while nobody can be asked', async () => {
    const found = await waiting(change, {
      100: (_, world) => (world.mute = true),
      400: (_, world) => {
        world.mute = false;
        world.roles = [leads('n2', 2)];
      },
    });
    expect(found).toMatchObject({ event: 'n2 leads in term 2' });
    expect(found.atMs).toBeGreaterThanOrEqual(430);
  });

  test('costs no more questions than twenty for each election', async () => {
    expect((await waiting(change)).asked).toBeLessThanOrEqual(101);
  });
});

describe("another fault's event", () => {
  test.each<[string, FaultValue, string]>([
    ['pause', fault('pause', 'begin'), 'another lane of that kind'],
    ['pause-2', fault('pause', 'begin'), 'by kind'],
  ])('is seen in lane %s', async (lane, value) => {
    const found = await waiting(begun, { 70: (all) => all.faultSeen(lane, value) });
    expect(found).toMatchObject({ event: 'pause of n1 has begun', waitedMs: 70 });
  });

  test.each<[string, string, FaultValue]>([
    ['its own', 'kill', fault('kill', 'begin')],
    ['another kind', 'hold', fault('hold', 'begin')],
    ['an end', 'pause', fault('pause', 'end')],
    ['without effect', 'pause', fault('pause', 'begin', 'skipped')],
  ])('is not taken for it: %s', async (_what, lane, value) => {
    const found = await waiting(begun, { 70: (all) => all.faultSeen(lane, value) });
    expect(found).toMatchObject({ reason: 'pause did not begin within 500 ms' });
  });
});

describe('a write', () => {
  const sent = (op: Op, node: string) => (all: Triggers) =>
    all.sent(op, node, new Promise(() => {}));

  test('counts at the leader, from when it is sent', async () => {
    const found = await waiting(write, {
      50: sent(opOf('write'), 'n2'),
      60: sent(opOf('read', 'linearizable'), 'n1'),
      70: sent(opOf('backup'), 'n1'),
      90: sent(opOf('cas'), 'n1'),
    });
    expect(found).toMatchObject({ event: 'a write is under way at n1', waitedMs: 90 });
  });

  test('is of interest while it lasts', async () => {
    const over = (all: Triggers): void => all.sent(opOf('write'), 'n1', Promise.resolve());
    // Its answer is there within the same moment, and the listener had its look before.
    expect(await waiting(write, { 20: over })).toMatchObject({ waitedMs: 20 });
    const any: FaultTrigger = { ...write, on: 'n2' };
    const becomes = { 20: over, 40: (all: Triggers) => all.rolesSeen([leads('n2', 2)]) };
    expect(await waiting(any, becomes)).toMatchObject({
      reason: 'no write was under way at n2 within 500 ms',
    });
  });

  test('that was under way already will do', async () => {
    const later = {
      30: sent(opOf('write'), 'n2'),
      80: (all: Triggers) => all.rolesSeen([leads('n2', 2)]),
    };
    expect(await waiting(write, later)).toMatchObject({
      event: 'a write is under way at n2',
      waitedMs: 80,
    });
  });
});

test('nobody waits beyond the end of the phase, or an interrupt', async () => {
  const reason = 'no node came to lead before the faults were over';
  expect(await waiting(change, {}, { untilMs: 300 })).toMatchObject({ reason, atMs: 300 });
  const stopped = await waiting(change, { 100: (_, { stop }) => stop.abort() });
  expect(stopped).toMatchObject({ reason, atMs: 100 });
  // The event came, and the time after it did not.
  const late = { 290: (all: Triggers) => all.rolesSeen([leads('n2', 2)]) };
  expect(await waiting(change, late, { untilMs: 300 })).toMatchObject({ reason, atMs: 300 });
});

test('who led is a list of ever higher terms, counted where a store says none', () => {
  const led: Leader[] = [];
  for (const roles of [
    [leads('n1', 3)],
    [leads('n1', 3)],
    [leads('n1', 3), leads('n2', 5), leads('n3', 4)],
    [leads('n3', 4)],
    [],
  ])
    noteLeader(led, roles);
  expect(led).toEqual([
    { node: 'n1', term: 3 },
    { node: 'n2', term: 5 },
  ]);
  const counted: Leader[] = [];
  for (const node of ['n1', 'n1', 'n2', 'n1']) noteLeader(counted, [leads(node)]);
  expect(counted.map(({ node, term }) => `${node}/${term}`)).toEqual(['n1/1', 'n2/2', 'n1/3']);
});

test('a trigger is asked with the begin, and is no word of the fault', () => {
  const op = { ...opOf('kill'), value: { stage: 'begin', target: 'one', trigger: { ...begun } } };
  expect(triggerOf(op)).toEqual(begun);
  expect(withoutTrigger(op).value).toEqual({ stage: 'begin', target: 'one' });
  for (const value of [null, [1], { stage: 'end' }]) expect(triggerOf({ value })).toBeUndefined();
});
