import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { historyOf } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import { readRun } from '../reading.ts';
import { type FixtureRun, failRun, fixtureManifest, passRun } from '../testing/fixture-result.ts';
import { operationText, outcomeText } from '../words.ts';
import {
  decodePage,
  errorOf,
  keyOf,
  modeOf,
  nodeOf,
  outcomeOf,
  type RunData,
  rowOfEntry,
  textOf,
} from './page/decode.ts';
import { encodePage } from './page-data.ts';
import { integerCode, textCode, valueOf } from './page-format.ts';

function decoded(run: FixtureRun, operationsMax?: number): Promise<RunData> {
  const { result, history } = run;
  const reading = readRun(result, history);
  const most = operationsMax === undefined ? {} : { operationsMax };
  return decodePage(encodePage({ result, history, reading, logs: [], ...most }));
}

function runOf(ops: readonly Omit<Op, 'index' | 'phase'>[]): FixtureRun {
  const history = historyOf(ops.map((op, index) => ({ ...op, index, phase: 'main' })));
  return { history, result: { ...passRun().result, checks: [], phases: [] } };
}

describe('what the page reads', () => {
  test('is what the history holds: each operation, to the microsecond', async () => {
    const run = failRun();
    const data = await decoded(run);
    const { ops } = data;
    const expected = [...run.history.operations()].map(({ invoke, completion }) => ({
      entry: invoke.index,
      client: invoke.process,
      text: operationText(invoke, completion),
      key: invoke.key,
      node: invoke.node,
      mode: invoke.mode ?? '',
      outcome: completion === undefined ? 'open' : outcomeText(completion.type),
      error: completion?.error?.code ?? '',
      start: Math.round(invoke.time / 1000),
      end: Math.round((completion?.time ?? data.header.end * 1000) / 1000),
    }));
    const read = Array.from({ length: ops.length }, (_, row) => ({
      entry: ops.entry[row],
      client: ops.client[row],
      text: textOf(data, row),
      key: keyOf(data, row),
      node: nodeOf(data, row),
      mode: modeOf(data, row),
      outcome: outcomeOf(ops, row),
      error: errorOf(data, row),
      start: ops.start[row],
      end: ops.end[row],
    }));
    expect(read.length).toBeGreaterThan(2000);
    expect(read).toEqual(expected);
  });

  test('knows what is absent, negative, huge, a pair, or anything else', async () => {
    const entry = (process: number, f: string, value: Op['value'], got: Op['value']) => {
      const own = { process, f, key: 'k', time: 1000 };
      return [
        { ...own, type: 'invoke', value },
        { ...own, type: 'ok', value: got },
      ] as unknown as Omit<Op, 'index' | 'phase'>[];
    };
    const run = runOf([
      ...entry(0, 'read', null, null),
      ...entry(1, 'write', -7, -7),
      ...entry(2, 'write', 2 ** 53 - 1, 2 ** 53 - 1),
      ...entry(3, 'cas', [1, null], [1, null]),
      ...entry(4, 'append', { list: ['<b>', 1.5] }, { list: ['<b>', 1.5] }),
      ...entry(5, 'read', null, 'x'.repeat(1_000_000)),
      ...entry(6, 'write', 'a\u001b[31mb\u0000\ud800', null),
    ]);
    const data = await decoded(run);
    expect(Array.from({ length: data.ops.length }, (_, row) => textOf(data, row))).toEqual([
      'read → absent',
      'write -7',
      'write 9007199254740991',
      'cas 1 → absent',
      'append {"list":["<b>",1.5]}',
      `read → "${'x'.repeat(78)}…`,
      'write "a\\u001b[31mb\\u0000\\ud800"',
    ]);
  });

  test('finds the operations of a violation, and the one to blame', async () => {
    const { header, ops } = await decoded(failRun());
    const [violation] = header.violations;
    expect(header.violations.length).toBe(1);
    expect(violation?.key).toBe('k99');
    expect(violation?.entries.map((entry) => ops.client[rowOfEntry(ops, entry)])).toEqual([
      901, 902, 903,
    ]);
    expect(ops.client[rowOfEntry(ops, violation?.culprit ?? -1)]).toBe(903);
    expect(rowOfEntry(ops, 1e9)).toBe(-1);
  });

  test('says when a fault was begun and when it was seen', async () => {
    const { header } = await decoded(passRun());
    const [band] = header.bands;
    expect(band).toMatchObject({ lane: 'partition', from: 9e6, begun: 8.98e6, ended: true });
    expect(band?.cut.length).toBe(8);
  });

  test('tells a damaged page from a whole one', async () => {
    const { result, history } = passRun();
    const text = encodePage({ result, history, reading: readRun(result, history), logs: [] });
    await expect(decodePage(text.slice(0, text.length / 2))).rejects.toThrow(Error);
    await expect(decodePage('!!')).rejects.toThrow(Error);
  });
});

describe('a run with more operations than a page can draw', () => {
  test('keeps those of violations and around them, and says how many there are', async () => {
    const run = failRun({ seconds: 60, rate: 200 });
    const { header, ops } = await decoded(run, 1500);
    expect(ops.length).toBeLessThanOrEqual(1500);
    expect(ops.length).toBeGreaterThan(1400);
    expect(header.operations).toBe([...run.history.operations()].length);
    for (const entry of header.violations[0]?.entries ?? [])
      expect(rowOfEntry(ops, entry)).toBeGreaterThanOrEqual(0);
    const times = [...ops.start];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(Math.min(...times.slice(10))).toBeGreaterThan(20e6);
  });

  test('keeps all of a key that was not decided', async () => {
    const run = passRun({ seconds: 60, rate: 200 });
    const gaveUp = {
      checker: 'linearizable',
      verdict: 'unknown' as const,
      anomalies: [],
      covered: '',
      details: { unknown: [{ key: 'k3' }] },
    };
    const data = await decoded({ ...run, result: { ...run.result, checks: [gaveUp] } }, 1500);
    const ofKey = [...run.history.operations()].filter(({ invoke }) => invoke.key === 'k3');
    const kept = Array.from({ length: data.ops.length }, (_, row) => keyOf(data, row));
    expect(kept.filter((key) => key === 'k3').length).toBe(ofKey.length);
  });
});

test('a page never tells what the manifest holds beyond what is shown', () => {
  const { result, history } = passRun();
  const manifest = fixtureManifest({ cluster: { token: 'hidden-word' } });
  const run = { ...result, manifest };
  const text = encodePage({ result: run, history, reading: readRun(run, history), logs: [] });
  expect(gunzipSync(Buffer.from(text, 'base64')).includes('hidden-word')).toBe(false);
});

test('values are numbers, and come back from them', () => {
  for (const value of [0, 1, -1, 41, -41, 2 ** 40, -(2 ** 40)])
    expect(valueOf(integerCode(value), [])).toBe(String(value));
  expect(valueOf(textCode(1), ['a', 'b'])).toBe('b');
  expect(valueOf(0, ['a'])).toBe('');
});
