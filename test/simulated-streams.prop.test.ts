/** Streams of chance in a whole simulated run: what one gives has no part in what the others give. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Random, seedFrom } from '../harness/core/prng.ts';
import type { History } from '../harness/history/history.ts';
import { recordedRun } from './recorded-run.ts';
import { historyText } from './virtual-run.ts';

const WORDS =
  '--workload register,reads --nodes 3 --rate 200 --duration 6s --fault partition,kill,latency ' +
  '--fault-interval 500ms --fault-duration 700ms --seed 5';

interface Draw {
  /** What was asked for: the range of a whole number. */
  readonly asked: string;
  readonly value: number;
}

interface Recorded {
  readonly history: History;
  /** By name, and then by the stream: more than one when a name was used again. */
  readonly streams: ReadonlyMap<string, readonly (readonly Draw[])[]>;
}

afterEach(() => {
  vi.restoreAllMocks();
});

/** A whole run; the streams whose names begin with `disturbed` get another seed. */
async function record(disturbed?: string): Promise<Recorded> {
  const streams = new Map<string, Draw[][]>();
  const make = Random.stream.bind(Random);
  vi.spyOn(Random, 'stream').mockImplementation((seed, name) => {
    const made = make(isOf(name, disturbed) ? seedFrom(seed + 1) : seed, name);
    const draws: Draw[] = [];
    streams.set(name, [...(streams.get(name) ?? []), draws]);
    const [float, int] = [made.float.bind(made), made.int.bind(made)];
    made.float = () => {
      const value = float();
      draws.push({ asked: '', value });
      return value;
    };
    made.int = (min, max) => {
      const value = int(min, max);
      draws.push({ asked: `${min} ${max}`, value });
      return value;
    };
    return made;
  });
  const { history } = await recordedRun(WORDS.split(' '));
  vi.restoreAllMocks();
  return { history, streams };
}

function isOf(name: string, family: string | undefined): boolean {
  return family !== undefined && name.startsWith(family);
}

/** How far both were asked for the same, and where they gave something else: -1 for nowhere. */
function compare(
  one: readonly Draw[],
  other: readonly Draw[],
): { readonly length: number; readonly shiftedAt: number } {
  const end = one.findIndex(({ asked }, at) => asked !== other[at]?.asked);
  const length = end < 0 ? one.length : end;
  const shiftedAt = one.findIndex(({ value }, at) => at < length && value !== other[at]?.value);
  return { length, shiftedAt };
}

/** Names count lives and faults: of these there may be more or fewer. */
function isCounted(name: string): boolean {
  return /(\/life-\d+(\/[a-z]+)?|\/latency\.\d+:.+|^runner\/nemesis\/.+)$/.test(name);
}

interface Fault {
  readonly lane: string;
  readonly words: string;
  /** Since the one before it in its lane ended. */
  readonly pauseMs: number;
  /** Undefined: it found nobody to hit, or the faults were over before. */
  readonly heldMs: number | undefined;
}

/** But for the first of each lane, which begins when the clients have let it. */
function faultsOf(history: History): Fault[] {
  const lanes = Map.groupBy(history.faults(), ({ lane }) => lane ?? '');
  return [...lanes].flatMap(([lane, entries]) => {
    const faults: Fault[] = [];
    for (let at = 4; at + 2 < entries.length; at += 4) {
      const [free, begun, ready, ending] = entries.slice(at - 1, at + 3);
      expect.assert(free && begun && ready && ending);
      const isCut = ending.time === ready.time || ending.phase !== 'main';
      faults.push({
        lane: `${lane} ${at / 4}`,
        words: JSON.stringify(begun.value),
        pauseMs: (begun.time - free.time) / 1e6,
        heldMs: isCut ? undefined : (ending.time - ready.time) / 1e6,
      });
    }
    return faults;
  });
}

const STREAMS: readonly (readonly [what: string, name: string])[] = [
  ['what clients ask', 'workload/'],
  ['whom faults hit', 'runner/nemesis/'],
  ['when partitions come', 'schedule/partition'],
  ['the latency of one link', 'system/raftkv/world/network/n1>n2/latency'],
  ['the clients of one node', 'system/raftkv/world/client/n2'],
  ['the syncs of one disk', 'system/raftkv/world/disk/n3/latency'],
  ['the time one node takes to boot', 'system/raftkv/world/boot/n1'],
  ['the elections of one node', 'system/raftkv/world/node/n2/life-1/elections'],
];

describe('in a simulated run', () => {
  test('every consumer has a stream of its own', async () => {
    const { streams } = await record();
    const shared = [...streams].filter(
      ([, all]) => all.filter(({ length }) => length > 0).length > 1,
    );
    expect(shared.map(([name]) => name)).toEqual([]);
    const drawn = [...streams].flatMap(([name, [draws]]) => (draws?.length ? name : []));
    const nodes = ['n1', 'n2', 'n3'];
    const own = nodes.flatMap((node) => [
      `disk/${node}/latency`,
      `boot/${node}`,
      `client/${node}`,
      `node/${node}/life-1/elections`,
      ...nodes.filter((other) => other !== node).map((other) => `network/${node}>${other}/latency`),
    ]);
    expect(drawn).toEqual(expect.arrayContaining(own.map((name) => `system/raftkv/world/${name}`)));
  });

  test.each(STREAMS)('another stream for %s shifts no other', async (_, name) => {
    const [before, after] = [await record(), await record(name)];
    expect([...before.streams.keys()].filter((each) => isOf(each, name))).not.toEqual([]);
    const gone = [...before.streams.keys()].filter((each) => !after.streams.has(each));
    expect(gone.filter((each) => !isCounted(each))).toEqual([]);
    let compared = 0;
    for (const [each, [draws = []]] of before.streams) {
      if (isOf(each, name)) continue;
      const { length, shiftedAt } = compare(draws, after.streams.get(each)?.[0] ?? []);
      expect([each, shiftedAt]).toEqual([each, -1]);
      compared += length;
    }
    expect(compared).toBeGreaterThan(10_000);
    // And it did change the run.
    const isSame = historyText(after) === historyText(before);
    expect(isSame).toBe(false);
  });

  test('faults are the same, as far apart and as long, whatever clients ask', async () => {
    const [before, after] = [await record(), await record('workload/')];
    const others = new Map(faultsOf(after.history).map((fault) => [fault.lane, fault]));
    let compared = 0;
    for (const { lane, words, pauseMs, heldMs } of faultsOf(before.history)) {
      const other = others.get(lane);
      if (other === undefined) continue;
      expect([lane, other.words]).toEqual([lane, words]);
      const isAsFarApart = Math.abs(other.pauseMs - pauseMs) < 0.01;
      const isAsLong =
        Math.abs((other.heldMs ?? heldMs ?? 0) - (heldMs ?? other.heldMs ?? 0)) < 0.01;
      expect([lane, isAsFarApart, isAsLong]).toEqual([lane, true, true]);
      compared++;
    }
    expect(compared).toBeGreaterThan(5);
  });
});
