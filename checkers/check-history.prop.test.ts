/** Histories printed in each foreign form and read back: the same operations, the same verdict. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { printEdn } from '../harness/history/formats/edn.ts';
import type { Format } from '../harness/history/formats/format.ts';
import { guessFormat, importHistory } from '../harness/history/formats/import.ts';
import { printJsonl } from '../harness/history/formats/jsonl.ts';
import { printOps } from '../harness/history/formats/ops.ts';
import { printPorcupine } from '../harness/history/formats/porcupine.ts';
import { printPorcupineKv } from '../harness/history/formats/porcupine-kv.ts';
import { type History, historyOf } from '../harness/history/history.ts';
import type { Op } from '../harness/history/op.ts';
import { checkHistory } from './check-history.ts';
import { arbitraryHistory } from './testkit/arbitrary-history.ts';
import { simulate } from './testkit/simulate.ts';

interface Form {
  readonly format: Format;
  readonly print: (history: History) => Iterable<string>;
  /** What the form can say of an entry. */
  readonly keeps: (op: Op) => object;
  /** Entries that it cannot say at all. */
  readonly drops?: (op: Op, completion: Op | undefined) => boolean;
}

const isRefusal = ({ type, error }: Op): boolean =>
  type === 'fail' && error?.code === 'cas-mismatch';

const FORMS: readonly Form[] = [
  { format: 'jsonl', print: printJsonl, keeps: (op) => op },
  {
    format: 'edn',
    print: printEdn,
    keeps: ({ process, type, f, key, value, time, error }) => ({
      error: error?.code,
      values: [process, type, f, key, value, time],
    }),
  },
  {
    format: 'porcupine',
    print: printPorcupine,
    keeps: ({ process, type, f, value, error }) => ({
      process,
      type,
      f,
      value,
      error: error?.code,
    }),
  },
  {
    format: 'ops',
    print: printOps,
    keeps: (op) => ({
      refused: isRefusal(op),
      values: [op.type, op.f, op.key, op.value, op.seen],
    }),
    drops: (op, completion) =>
      op.type === 'info' || (completion?.type === 'fail' && !isRefusal(completion)),
  },
];

function pairOf(history: History, { index, type }: Op): Op | undefined {
  if (type !== 'invoke') return history.op(index);
  const pair = history.pairOf(index);
  return pair < 0 ? undefined : history.op(pair);
}

function kept(history: History, { keeps, drops = () => false }: Form): object[] {
  const ops = [...history.ops()].filter((op) => !drops(op, pairOf(history, op)));
  return ops.map((op) => keeps(op));
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

test.each(FORMS)('$format: any history comes back as it was, with its verdict', (form) => {
  const verdicts = new Map<string, number>();
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 3 }), (seed, values) => {
      const random = Random.stream(seedFrom(seed), 'forms');
      const options = { operations: random.int(1, 12), processes: random.int(1, 4), values };
      // Such a log has no place for what a refused cas saw.
      const ops = arbitraryHistory(random, options).map(({ seen, ...op }) =>
        seen === undefined || form.format === 'jsonl' || form.format === 'ops'
          ? { ...op, ...(seen !== undefined && { seen }) }
          : { ...op, error: { code: 'refused', definite: true } },
      );
      const history = historyOf(ops);
      const text = `${[...form.print(history)].join('\n')}\n`;
      fc.pre(text !== '\n');
      expect(guessFormat(text)).toBe(form.format);
      const back = importHistory(text, form.format).history;
      expect(kept(back, form)).toEqual(kept(history, form));
      const { verdict } = checkHistory(text);
      expect(verdict).toBe(checkHistory(history).verdict);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    }),
    { numRuns: 400 },
  );
  expect(verdicts.get('valid')).toBeGreaterThan(30);
  expect(verdicts.get('invalid')).toBeGreaterThan(30);
});

test.each(FORMS.filter(({ format }) => format !== 'porcupine'))(
  '$format: many keys, refusals and lost answers come back as they were',
  (form) => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = Random.stream(seedFrom(seed), 'forms');
        const options = { operations: 60, keys: 3, info: 0.1, fail: 0.1, revisions: false };
        const history = historyOf(simulate(random, options));
        const text = [...form.print(history)].join('\n');
        const back = importHistory(text, form.format).history;
        expect(kept(back, form)).toEqual(kept(history, form));
        expect(checkHistory(text).verdict).toBe('valid');
      }),
      { numRuns: 100 },
    );
  },
);

test('porcupine-kv: appends are judged by their texts, from the empty one', () => {
  fc.assert(
    fc.property(seeds, fc.boolean(), (seed, isWrong) => {
      const random = Random.stream(seedFrom(seed), 'forms');
      const ops: Op[] = [];
      const held = new Map<string, string>();
      for (let at = 0; at < 20; at++) {
        const key = `${random.int(0, 1)}`;
        const before = held.get(key) ?? '';
        const f = random.pick(['read', 'write', 'append']);
        const value = f === 'read' ? null : `x ${at} y`;
        const time = (moment: number): Op['time'] => moment as Op['time'];
        const op = { process: 0, f, key, phase: 'main' } as const;
        ops.push({ ...op, index: 2 * at, time: time(2 * at), type: 'invoke', value });
        const answer = f === 'read' ? before : value;
        ops.push({ ...op, index: 2 * at + 1, time: time(2 * at + 1), type: 'ok', value: answer });
        if (f !== 'read') held.set(key, f === 'append' ? `${before}${value}` : `${value}`);
      }
      const wrong = ops.findLastIndex(({ f, type }) => f === 'read' && type === 'ok');
      fc.pre(wrong >= 0);
      const told = ops.map((op, at) => (isWrong && at === wrong ? { ...op, value: 'z' } : op));
      const result = checkHistory([...printPorcupineKv(historyOf(told))].join('\n'));
      expect(result).toMatchObject({ format: 'porcupine-kv', model: 'append-register' });
      expect(result.verdict).toBe(isWrong ? 'invalid' : 'valid');
    }),
    { numRuns: 100 },
  );
});
