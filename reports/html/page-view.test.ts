/** What the page computes before it draws. */
import { describe, expect, test } from 'vitest';
import { readRun } from '../reading.ts';
import { type FixtureRun, failRun, passRun, shortRun } from '../testing/fixture-result.ts';
import { decodePage, keyOf, outcomeOf, type RunData, textOf } from './page/decode.ts';
import { ednOf, markdownOf } from './page/forms.ts';
import { hashOf, parseHash } from './page/hash.ts';
import { lanesOf } from './page/lanes.ts';
import { layoutOf } from './page/layout.ts';
import { type Filter, filteredRows } from './page/rows-filter.ts';
import { Store } from './page/store.ts';
import { encodePage } from './page-data.ts';

function decoded({ result, history }: FixtureRun): Promise<RunData> {
  return decodePage(encodePage({ result, history, reading: readRun(result, history), logs: [] }));
}

const failed = await decoded(failRun());

describe('lines of clients', () => {
  test.each([
    ['fail', failRun()],
    ['pass', passRun({ clients: 3 })],
  ])('hold every operation once, and none over another: %s', async (_, run) => {
    const data = await decoded(run);
    const { lanes, of } = lanesOf(data);
    const seen = new Set<number>();
    for (const [at, { rows }] of lanes.entries()) {
      let last = 0;
      for (const row of rows) {
        expect(of[row]).toBe(at);
        expect(data.ops.start[row]).toBeGreaterThanOrEqual(last);
        last = data.ops.end[row] ?? 0;
        seen.add(row);
      }
    }
    expect(seen.size).toBe(data.ops.length);
  });

  test('go on as the process that takes the place of a spent one', () => {
    const { lanes } = lanesOf(failed);
    const spent = [...failed.ops.kind].filter((kind) => (kind & 3) >= 2).length;
    expect(spent).toBeGreaterThan(20);
    // Ten clients, and at most three more for the planted read.
    expect(lanes.length).toBeGreaterThanOrEqual(10);
    expect(lanes.length).toBeLessThanOrEqual(13);
    expect(lanes[0]?.label).toBe('c0');
  });
});

describe('the first look', () => {
  test('is at the violation, not at the whole run', () => {
    const { view } = new Store(failed, {});
    expect(view.violation).toBe(0);
    expect(view.from).toBeGreaterThan(30e6);
    expect(view.from).toBeLessThan(36e6);
    expect(view.to).toBe(38e6);
  });

  test('is at the first fault of a pass, and at the beginning of a run without faults', async () => {
    const { view } = new Store(await decoded(passRun()), {});
    expect([view.from, view.to]).toEqual([8e6, 18.2e6]);
    const short = new Store(await decoded(shortRun()), {});
    expect([short.view.from, short.view.to]).toEqual([0, 5e6]);
    expect(short.view.violation).toBe(-1);
  });

  test('zooming keeps what is under the pointer, moving stops at the ends', () => {
    const store = new Store(failed, { from: 10e6, to: 20e6 });
    store.zoom(0.5, 12e6);
    expect([store.view.from, store.view.to]).toEqual([11e6, 16e6]);
    store.pan(-1e9);
    expect([store.view.from, store.view.to]).toEqual([0, 5e6]);
    store.pan(1e9);
    expect([store.view.from, store.view.to]).toEqual([55e6, 60e6]);
  });

  test('violations follow each other in a circle', () => {
    const store = new Store(failed, {});
    const heard: number[] = [];
    store.listen(() => heard.push(store.view.violation));
    store.showViolation(1);
    store.showViolation(-1);
    expect(heard).toEqual([0, 0]);
  });
});

describe('the address', () => {
  test('leads back to the same view', () => {
    const view = {
      from: 72.4e6,
      to: 73.2e6,
      key: 'a b&c=#%',
      lane: 3,
      query: '</script>',
      row: 0,
      violation: 1,
    };
    const { view: back, entry } = parseHash(hashOf(view, 5321), { violations: 2 });
    const { row: _, ...rest } = view;
    expect(back).toEqual(rest);
    expect(entry).toBe(5321);
  });

  test('what is wrong in it is left out', () => {
    expect(parseHash('#t=5-x&violation=9&op=-1&client=1e9', { violations: 2 })).toEqual({
      entry: -1,
      view: { key: '', query: '' },
    });
  });
});

describe('what is taken along', () => {
  test('as Markdown holds what a store said in code alone', () => {
    const [violation] = failed.header.violations;
    expect.assert(violation !== undefined);
    const evil = '``` @all [x](y) | <b>';
    const [entry = -1] = violation.entries;
    const changed = { ...violation, title: evil, text: evil, steps: [[entry, evil]] as const };
    const data = { ...failed, header: { ...failed.header, violations: [changed] } };
    const lines = markdownOf(data, 0, 'npx schism').split('\n');
    expect(lines[0]).toBe(`### \`\`\`\` ${evil} · key k99 \`\`\`\``);
    expect(lines.slice(2, 5)).toEqual(['````text', evil, '````']);
    expect(lines[8]).toContain(`\`\`\`\` ${evil.replace('|', String.raw`\|`)} \`\`\`\``);
    expect(lines.slice(-3)).toEqual(['```text', 'npx schism', '```']);
    expect(markdownOf(data, 7, '')).toBe('');
  });

  test('as EDN is an invocation, and a completion where there was one', () => {
    const outcomes = new Map(
      Array.from({ length: failed.ops.length }, (_, row) => [outcomeOf(failed.ops, row), row]),
    );
    for (const [outcome, row] of outcomes) {
      const lines = ednOf(failed, row).split('\n');
      expect(lines).toHaveLength(outcome === 'open' ? 1 : 2);
      expect(lines[0]).toMatch(
        /^\{:type :invoke, :process \d+, :f :\w+, :value \["k\d+" .+\], :time \d+/,
      );
    }
    expect(outcomes.size).toBeGreaterThan(2);
  });
});

describe('the table', () => {
  const all: Filter = {
    key: '',
    lane: -1,
    query: '',
    outcome: '',
    window: undefined,
    sort: 'start',
    descending: false,
  };
  const lanes = lanesOf(failed);
  const rows = (filter: Partial<Filter>): readonly number[] => [
    ...filteredRows(failed, lanes, { ...all, ...filter }),
  ];

  test('shows all, or what is asked for', () => {
    expect(rows({}).length).toBe(failed.ops.length);
    expect(rows({ key: 'k99' }).map((row) => textOf(failed, row))).toEqual([
      'write 41',
      'write 42',
      'read → 41',
    ]);
    expect(rows({ key: 'nobody' })).toEqual([]);
    expect(rows({ lane: 0 }).every((row) => lanes.of[row] === 0)).toBe(true);
    const failures = rows({ outcome: 'failed' });
    expect(failures.length).toBeGreaterThan(10);
    expect(failures.every((row) => outcomeOf(failed.ops, row) === 'failed')).toBe(true);
  });

  test('searches keys, values, errors, modes and clients', () => {
    expect(rows({ query: 'K99' }).length).toBe(3);
    expect(rows({ query: 'no-leader' }).length).toBe(rows({ outcome: 'failed' }).length);
    expect(rows({ query: '9000005' }).length).toBeGreaterThan(0);
    expect(rows({ query: 'serializable' }).length).toBeGreaterThan(100);
    expect(rows({ query: 'c903' }).length).toBe(1);
    expect(rows({ query: 'nothing has this' })).toEqual([]);
  });

  test('holds what overlaps the window', () => {
    const found = rows({ window: [36e6, 36.001e6] });
    expect(found.map((row) => keyOf(failed, row))).toContain('k99');
    expect(found.length).toBeLessThan(30);
  });

  test.each(['start', 'duration', 'client', 'key', 'outcome'] as const)(
    'is sorted by %s, both ways, and loses nothing',
    (sort) => {
      const up = rows({ sort });
      const down = rows({ sort, descending: true });
      expect(up.toSorted((a, b) => a - b)).toEqual(rows({}));
      expect(down.length).toBe(up.length);
      const { ops } = failed;
      const value = (row: number): number | string => {
        if (sort === 'duration') return (ops.end[row] ?? 0) - (ops.start[row] ?? 0);
        if (sort === 'key') return Number(keyOf(failed, row).slice(1));
        if (sort === 'outcome') return (ops.kind[row] ?? 0) & 3;
        return (sort === 'client' ? ops.client[row] : ops.start[row]) ?? 0;
      };
      for (let at = 1; at < up.length; at++) {
        expect(value(up[at - 1] ?? 0) <= value(up[at] ?? 0)).toBe(true);
        expect(value(down[at - 1] ?? 0) >= value(down[at] ?? 0)).toBe(true);
      }
    },
  );
});

test('the timeline has a row for each lane of faults, client, node and cut link', () => {
  const store = new Store(failed, {});
  const { rows, height } = layoutOf(store);
  const count = (kind: string): number => rows.filter((row) => row.kind === kind).length;
  expect([count('faults'), count('lane'), count('node'), count('link')]).toEqual([
    3,
    store.lanes.lanes.length,
    5,
    // n3 with each other node, and n1 and n2 with n4 and n5.
    8,
  ]);
  const ends = rows.map(({ y, height: own }) => y + own);
  expect(Math.max(...ends)).toBeLessThan(height);
  const overtaken = rows.flatMap((row) => (row.kind === 'node' ? row.overtaken : []));
  expect(overtaken.length).toBeGreaterThan(0);
});
