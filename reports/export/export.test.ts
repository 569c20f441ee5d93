import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import { nanosFromMs } from '../../harness/core/units.ts';
import { importHistory } from '../../harness/history/formats/import.ts';
import { type History, HistoryBuilder } from '../../harness/history/history.ts';
import type { OpDraft } from '../../harness/history/op.ts';
import { failRun, passRun } from '../testing/fixture-result.ts';
import { exportCsv } from './csv.ts';
import { exportEdn } from './edn.ts';
import type { Exported } from './exported.ts';
import { exportPerfetto } from './perfetto.ts';
import { exportPorcupine, SHOWN_MAX } from './porcupine.ts';
import { judgeable } from './select.ts';

function textOf({ text }: Exported): string {
  return [...text].join('');
}

/** One entry a millisecond. */
function historyOf(drafts: readonly Partial<OpDraft>[]): History {
  const builder = new HistoryBuilder();
  for (const [at, draft] of drafts.entries())
    builder.append(
      { process: 0, type: 'invoke', f: 'read', value: null, phase: 'main', ...draft },
      nanosFromMs(at),
    );
  return builder.build();
}

const HOSTILE = '=cmd|"a",\n\\ <script>\u0001 :x';

/** An operation that nothing in its texts may take out of its place. */
const hostile = historyOf([
  { f: 'write', key: HOSTILE, value: { [HOSTILE]: [HOSTILE, -1.5, null, true] }, node: HOSTILE },
  {
    type: 'fail',
    f: 'write',
    key: HOSTILE,
    value: { [HOSTILE]: [HOSTILE, -1.5, null, true] },
    error: { code: 'odd code', definite: true, message: HOSTILE },
  },
]);

interface Said {
  readonly type: string;
  readonly f: string;
  readonly key: string | undefined;
  readonly value: JsonValue;
  readonly time: number;
  readonly error: string | undefined;
}

/** As far as the reader keeps it: of what did not happen only that, and why. */
function clientsOf(history: History): readonly Said[] {
  return [...history.ops()]
    .filter(({ process }) => typeof process === 'number')
    .map(({ type, f, key, value, time, error }) => ({
      type,
      f,
      key,
      value: type === 'invoke' || type === 'ok' ? value : null,
      time,
      error: error?.code,
    }));
}

describe('edn', () => {
  test.each([
    ['a run with faults', failRun().history],
    ['hostile texts', hostile],
  ])('our own reader finds the same operations in it: %s', (_, history) => {
    const { history: read } = importHistory(textOf(exportEdn(history)), 'edn');
    expect(clientsOf(read)).toEqual(clientsOf(history));
  });

  test('both events of a fault are of the nemesis, and the observer is not there', () => {
    const { history } = passRun();
    const lines = textOf(exportEdn(history)).trimEnd().split('\n');
    const faults = lines.filter((line) => line.includes(':process :nemesis, :type :info, '));
    expect(faults).toHaveLength([...history.faults()].length);
    expect(faults[0]).toContain(':f :start-');
    expect(faults.some((line) => line.includes(':f :stop-'))).toBe(true);
    expect(lines.filter((line) => line.includes('observer'))).toEqual([]);
  });

  test('what its readers would misjudge is left out and said, and indices have no gaps', () => {
    const history = historyOf([
      { f: 'hash' },
      { process: 1, key: 'k', mode: 'serializable' },
      { process: 2, key: 'k', mode: 'linearizable' },
      { type: 'ok', f: 'hash', value: 7 },
      { process: 1, type: 'ok', key: 'k', value: 4, mode: 'serializable' },
      { process: 2, type: 'ok', key: 'k', value: 5, mode: 'linearizable' },
    ]);
    const chosen = judgeable(history);
    expect(chosen.notes).toEqual([
      'left out: 1 operation (hash) of no key; --all keeps them',
      'left out: 1 operation (read) that may be stale: serializable; --all keeps them',
    ]);
    expect(textOf(exportEdn(chosen.history))).toMatchInlineSnapshot(`
      "{:index 0, :time 2000000, :process 2, :type :invoke, :f :read, :value ["k" nil], :mode :linearizable}
      {:index 1, :time 5000000, :process 2, :type :ok, :f :read, :value ["k" 5], :mode :linearizable}
      "
    `);
    expect(textOf(exportEdn(history)).trimEnd().split('\n')).toHaveLength(6);
  });

  test('a history that its readers understand stays as it is', () => {
    const history = historyOf([
      { f: 'write', value: 1 },
      { type: 'ok', f: 'write', value: 1 },
    ]);
    expect(judgeable(history)).toEqual({ history, notes: [] });
  });
});

describe('csv', () => {
  test('one line an operation', () => {
    const { history } = passRun();
    const rows = textOf(exportCsv(history)).trimEnd().split('\n');
    expect(rows).toHaveLength([...history.operations()].length + 1);
    const width = rows[0]?.split(',').length ?? 0;
    expect(width).toBeGreaterThan(15);
  });

  test('no text begins a formula, another column or another row', () => {
    const [, row = ''] = textOf(exportCsv(hostile)).split(/(?<=,id\n)/);
    expect(row.startsWith('0,1,0,"\'=cmd|""a"",\n')).toBe(true);
    // Outside of quotes there are just the commas between columns.
    expect(row.replaceAll(/"(?:[^"]|"")*"/g, '').match(/,/g)).toHaveLength(18);
  });
});

interface Event {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid?: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly id?: string;
  readonly args?: Readonly<Record<string, JsonValue>>;
}

describe('perfetto', () => {
  const { history } = failRun();
  const trace = JSON.parse(textOf(exportPerfetto(history))) as { traceEvents: readonly Event[] };
  const of = (ph: string, pid?: number): readonly Event[] =>
    trace.traceEvents.filter((event) => event.ph === ph && (pid ?? event.pid) === event.pid);

  test('every operation is a slice, and those of one track never overlap', () => {
    const slices = of('X', 1);
    expect(slices).toHaveLength([...history.operations()].length);
    for (const track of Map.groupBy(slices, ({ tid }) => tid).values()) {
      let end = -1;
      for (const { ts = -1, dur = -1 } of track) {
        // Microseconds as fractions: the last bit of a sum is rounded.
        expect(ts).toBeGreaterThanOrEqual(end - 1e-3);
        expect(dur).toBeGreaterThanOrEqual(0);
        end = ts + dur;
      }
    }
  });

  test('every fault begins and ends once, under a name of its own', () => {
    const begun = of('b').map(({ id }) => id);
    expect(begun.length).toBeGreaterThan(3);
    expect(new Set(begun).size).toBe(begun.length);
    expect(of('e').map(({ id }) => id)).toEqual(begun);
  });

  test('nodes have tracks with their roles, and counters add up to what ended', () => {
    expect(of('X', 3).some(({ name }) => name.startsWith('leader'))).toBe(true);
    expect(of('i').some(({ name }) => name.startsWith('leader: n'))).toBe(true);
    const named = of('C').filter(({ name }) => name === 'operations per second');
    expect(named.length).toBeGreaterThan(10);
    for (const { args } of named)
      expect(Object.keys(args ?? {})).toEqual(['ok', 'failed', 'unknown']);
  });

  test('an empty history is a trace without slices', () => {
    const empty = JSON.parse(textOf(exportPerfetto(historyOf([])))) as typeof trace;
    expect(empty.traceEvents.filter(({ ph }) => ph === 'X')).toEqual([]);
  });
});

interface Element {
  readonly ClientId: number;
  readonly Start: number;
  readonly End: number;
  readonly Description: string;
  readonly Metadata: string;
}
interface Visualised {
  readonly Partitions: readonly {
    readonly History: readonly Element[];
    readonly PartialLinearizations: readonly unknown[];
    readonly Largest: Readonly<Record<string, number>>;
  }[];
  readonly Annotations: readonly { readonly Tag: string; readonly Details: string }[];
}

describe('porcupine', () => {
  test('shows the operations of the violation and says how much it shows', () => {
    const { history, result } = failRun({ rate: 500 });
    const anomalies = result.checks.flatMap((check) => check.anomalies);
    const exported = exportPorcupine(history, anomalies);
    const data = JSON.parse(textOf(exported)) as Visualised;
    const shown = data.Partitions.flatMap((partition) => partition.History);
    const own = new Set(
      (anomalies[0]?.ops ?? []).map((at) =>
        Math.min(at, history.pairOf(at) < 0 ? at : history.pairOf(at)),
      ),
    );
    const numbers = new Set(shown.map(({ Metadata }) => Number(/#(\d+)/.exec(Metadata)?.[1])));
    expect([...own].filter((at) => !numbers.has(at))).toEqual([]);
    expect(exported.notes[0]).toMatch(/ of .* operations: those of key k99 nearest to the first/);
    expect(data.Annotations[0]?.Details).toBe(exported.notes[0]);
    expect(data.Annotations.some(({ Tag }) => Tag === 'leader')).toBe(true);
  });

  test('never more than the page can draw, in the order of the history', () => {
    const { history } = passRun({ rate: 500 });
    const data = JSON.parse(textOf(exportPorcupine(history, []))) as Visualised;
    const shown = data.Partitions.flatMap((partition) => partition.History);
    expect(shown).toHaveLength(SHOWN_MAX);
    const starts = shown.map(({ Start }) => Start);
    expect(new Set(starts).size).toBe(SHOWN_MAX);
    for (const { Start, End } of shown) expect(End - Start).toBeGreaterThanOrEqual(100);
    for (const rows of Map.groupBy(shown, ({ ClientId }) => ClientId).values()) {
      const sorted = rows.toSorted((a, b) => a.Start - b.Start);
      for (const [at, { Start }] of sorted.entries())
        expect(Start).toBeGreaterThan(at === 0 ? -1 : (sorted[at - 1]?.End ?? 0));
    }
  });

  test('what the page takes for HTML has none, and no text ends its script', () => {
    const text = textOf(exportPorcupine(hostile, []));
    expect(text).not.toContain('<');
    const [partition] = (JSON.parse(text) as Visualised).Partitions;
    expect(partition?.History[0]?.Metadata).toContain('&lt;script&gt;');
  });
});
