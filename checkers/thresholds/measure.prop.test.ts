/** Every figure against one that is counted moment by moment, on random histories with faults. */
import { expect, test } from 'vitest';
import type { Random } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import { type History, HistoryBuilder } from '../../harness/history/history.ts';
import type { OpDraft, Phase } from '../../harness/history/op.ts';
import { figureAgain } from '../certificates/thresholds.ts';
import { checkContext, randomOf } from '../testkit/context.ts';
import { aggregated } from './aggregate.ts';
import { materialOf, measure } from './measure.ts';
import {
  aggregateText,
  METRICS,
  type MetricName,
  parseThreshold,
  type Threshold,
} from './parse.ts';
import { thresholds } from './thresholds.ts';

const HISTORIES = 150;
const FIGURES = 40;
const NODES = ['n1', 'n2', 'n3'];
const KINDS = ['kill', 'pause'];

/** Some clients, some faults that overlap, and phases that may be missing; times may repeat. */
function randomHistory(random: Random): History {
  const builder = new HistoryBuilder();
  const open = new Map<number, OpDraft>();
  const faults = new Map<string, string>();
  const isNumbered = random.chance(0.5);
  let [time, value, revision] = [0, 0, 1];
  const add = (draft: OpDraft): void => {
    builder.append(draft, nanos(time));
  };
  const phases: readonly Phase[] = ['quiet', 'main', 'heal', 'recover', 'final'];
  for (const phase of phases) {
    const steps = phase === 'main' ? random.int(1, 60) : random.int(0, 6);
    for (let step = 0; step < steps; step++) {
      if (random.chance(0.8)) time += random.int(0, 5) * 1e6;
      const client = random.int(0, 2);
      const invoke = open.get(client);
      if (phase === 'main' && random.chance(0.2)) {
        add(faultEvent(random, faults, phase));
      } else if (invoke === undefined) {
        const f = random.pick(['read', 'read', 'write', 'cas']);
        const node = random.pick(NODES);
        const mode = f === 'read' && random.chance(0.4) ? { mode: 'serializable' as const } : {};
        const draft = {
          process: client,
          type: 'invoke' as const,
          f,
          key: 'x',
          phase,
          node,
          ...mode,
        };
        const given =
          f === 'read' ? null : f === 'write' ? ++value : [random.int(0, value), ++value];
        open.set(client, { ...draft, value: given });
        add({ ...draft, value: given });
      } else {
        open.delete(client);
        const type = random.pick(['ok', 'ok', 'ok', 'fail', 'info'] as const);
        const isRefused = type === 'fail' && invoke.f === 'cas' && random.chance(0.5);
        const code = isRefused ? 'cas-mismatch' : 'no-leader';
        const got = invoke.f === 'read' ? random.pick([null, random.int(0, value)]) : invoke.value;
        const server = { revision: ++revision, modRevision: random.int(0, revision) };
        add({
          ...invoke,
          type,
          value: type === 'ok' ? got : invoke.value,
          ...(isNumbered && { server }),
          ...(type !== 'ok' && { error: { code, definite: type === 'fail' } }),
        });
      }
    }
  }
  return builder.build();
}

function faultEvent(random: Random, open: Map<string, string>, phase: Phase): OpDraft {
  const fault = random.pick(KINDS);
  const id = open.get(fault);
  const result = random.pick(['installed', 'installed', 'failed', 'skipped']);
  const evidence = result === 'installed' ? { result, probe: 'seen' } : { result, why: 'not' };
  const targets = random.pick([[], ['n1'], ['n1', 'n2']]);
  const name = id ?? `f${random.int(0, 1e6)}`;
  if (id === undefined) open.set(fault, name);
  else if (result !== 'failed') open.delete(fault);
  const stage = id === undefined ? 'begin' : 'end';
  const value = { stage, fault, text: fault, targets, evidence };
  return { process: 'nemesis', type: 'info', f: fault, value, phase, id: name, lane: fault };
}

function randomThreshold(random: Random): Threshold {
  const name = random.pick(Object.keys(METRICS) as MetricName[]);
  const { aggregates, tags } = METRICS[name];
  const words = {
    window: ['none', 'fault', 'recover', ...KINDS],
    kind: ['read', 'write', 'cas'],
    mode: ['linearizable', 'serializable'],
    fault: KINDS,
  };
  const chosen = tags
    .filter(() => random.chance(0.4))
    .map((tag) => `${tag}:${random.pick(words[tag])}`);
  const one = random.pick(aggregates);
  const aggregate = one === 'p(N)' ? `p(${random.pick([0, 1, 50, 66.6, 90, 99.9, 100])})` : one;
  return parseThreshold(
    chosen.length === 0 ? name : `${name}{${chosen.join()}}`,
    `${aggregate}>0.5`,
  );
}

test('every figure is the one that is counted moment by moment', () => {
  const measuredOf = new Map<string, number>();
  for (let seed = 1; seed <= HISTORIES; seed++) {
    const random = randomOf(seed);
    const history = randomHistory(random);
    const material = materialOf(history);
    for (let each = 0; each < FIGURES; each++) {
      const threshold = randomThreshold(random);
      const { name, tags, metric, expression } = threshold;
      const measured = measure(threshold, material);
      const again = figureAgain(
        { name, tags, aggregate: aggregateText(threshold.aggregate) },
        history,
      );
      const context = `seed ${seed}: ${metric} ${expression}`;
      if ('nothing' in measured || measured.high === Infinity) {
        expect({ context, again }).toEqual({ context, again: undefined });
      } else if (measured.low === measured.high) {
        measuredOf.set(name, (measuredOf.get(name) ?? 0) + 1);
        expect({ context, again }).toEqual({ context, again: expect.closeTo(measured.low, 9) });
      }
    }
  }
  for (const name of Object.keys(METRICS))
    expect([name, measuredOf.get(name) ?? 0]).toEqual([
      name,
      expect.toSatisfy((count: number) => count > 20),
    ]);
});

test('a percentile is the least sample that so many do not exceed', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomOf(seed);
    const samples = Array.from({ length: random.int(1, 12) }, () => random.int(0, 20));
    const p = random.int(1, 100);
    const reaching = samples.filter(
      (one) => samples.filter((other) => other <= one).length * 100 >= p * samples.length,
    );
    expect(aggregated({ p }, samples)).toMatchObject({
      low: Math.min(...reaching),
      of: samples.length,
    });
  }
});

test('the verdict is that of the figures', async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = randomOf(seed);
    const history = randomHistory(random);
    const all = Array.from({ length: 4 }, () => randomThreshold(random));
    const spec = Object.fromEntries(all.map(({ metric, expression }) => [metric, [expression]]));
    const { verdict, anomalies, details } = await thresholds(spec).check(history, checkContext());
    const passed = (details['rows'] as readonly { passed: boolean | null }[]).map(
      (row) => row.passed,
    );
    const expected = passed.includes(false)
      ? 'invalid'
      : passed.includes(null)
        ? 'unknown'
        : 'valid';
    expect([verdict, anomalies.length]).toEqual([
      expected,
      passed.filter((each) => each === false).length,
    ]);
  }
});
