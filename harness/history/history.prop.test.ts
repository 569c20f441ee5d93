import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonValue } from '../core/json.ts';
import { nanos } from '../core/units.ts';
import { decodeLine, encodeOp } from './codec.ts';
import { historyOf } from './history.ts';
import { parseHistory, parseValue, printHistory, printValue } from './notation.ts';
import type { Op, OpDraft } from './op.ts';

const place = { file: 'history.jsonl', line: 2 };
const json = fc
  .jsonValue({ maxDepth: 2 })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
const scalar: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom<JsonValue>(
    null,
    true,
    false,
    0,
    '',
    'a\u2028b',
    '_',
    'null',
    '1',
    -(2 ** 29),
    2 ** 29,
    1.5,
  ),
);
const value: fc.Arbitrary<JsonValue> = fc.oneof(scalar, fc.tuple(scalar, scalar), json);
const text = fc.oneof(
  fc.constantFrom('x', 'k17', 'a b', 'a\u2028b', '-', '7', 'é"\\\n'),
  fc.string({ maxLength: 6 }),
);
const process = fc.integer({ min: 0, max: 5 });
const count = fc.oneof(
  fc.nat(),
  fc.constantFrom(0, 2 ** 31 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER - 1),
);

function optional<T extends object>(
  shape: { [K in keyof T]: fc.Arbitrary<T[K]> },
): fc.Arbitrary<Partial<T>> {
  return fc.record(shape, { requiredKeys: [] }) as unknown as fc.Arbitrary<Partial<T>>;
}

const draft: fc.Arbitrary<OpDraft> = fc
  .tuple(
    fc.record({
      process: fc.oneof(process, fc.constantFrom('nemesis' as const, 'observer' as const)),
      type: fc.constantFrom('invoke' as const, 'ok' as const, 'fail' as const, 'info' as const),
      f: fc.constantFrom('read', 'write', 'cas', 'start-partition'),
      value,
      phase: fc.constantFrom('quiet' as const, 'main' as const, 'final' as const),
    }),
    optional({
      key: text,
      node: fc.constantFrom('n1', 'n2', 'n3'),
      mode: fc.constantFrom('linearizable' as const, 'serializable' as const),
      id: fc.oneof(
        text,
        fc.tuple(process, fc.nat()).map(([p, n]) => `c${p}/${n}`),
        fc.constantFrom('c01/1', 'c1/01', 'c1/', 'c1/9999999999'),
      ),
      lane: fc.constantFrom('partition', 'kill pause'),
      seen: value,
      error: fc
        .tuple(fc.constantFrom('request-timed-out', 'compacted'), fc.boolean(), text)
        .map(([code, definite, message]) => ({
          code,
          definite,
          ...(message !== 'x' && { message }),
        })),
      server: optional({
        revision: count,
        modRevision: count,
        version: count,
        term: count,
        member: text,
        cluster: text,
      }),
    }),
  )
  .map(([all, some]) => ({ ...all, ...some }));

/** Entries with indices and times; not well-formed as operations, which storage must not mind. */
const entries: fc.Arbitrary<Op[]> = fc
  .array(fc.tuple(draft, fc.nat(2_000_000)), { maxLength: 30 })
  .map((list) => {
    let time = 0;
    return list.map(([fields, gap], index) => ({ ...fields, index, time: nanos((time += gap)) }));
  });

test('a history gives back what it was given', () => {
  fc.assert(
    fc.property(entries, (ops) => {
      expect([...historyOf(ops).ops()]).toEqual(ops);
    }),
    { numRuns: 500 },
  );
});

test('a line gives back its entry, and is what JSON.stringify would write of it', () => {
  fc.assert(
    fc.property(draft, fc.nat(), fc.nat(), (fields, index, time) => {
      const op = { ...fields, index, time: nanos(time) };
      const line = encodeOp(op);
      expect(line).not.toContain('\n');
      expect(JSON.stringify(JSON.parse(line))).toBe(line);
      expect(decodeLine(line, place)).toEqual(op);
    }),
    { numRuns: 1000 },
  );
});

test('whatever a line holds, reading it returns an entry or says what is wrong', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        json.map((any) => JSON.stringify(any)),
      ),
      (line) => {
        try {
          expect(decodeLine(line, place).f).not.toBe('');
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-input' });
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('the notation gives back a value', () => {
  fc.assert(
    fc.property(value, (given) => {
      expect(parseValue(printValue(given))).toEqual(given);
    }),
    { numRuns: 1000 },
  );
});

/** As a run records them: one operation at a time, whose completion repeats what does not change. */
const operations: fc.Arbitrary<Op[]> = fc
  .array(fc.tuple(draft, fc.boolean(), fc.nat(3_000_000)), { maxLength: 20 })
  .map((list) => {
    const open = new Map<unknown, OpDraft>();
    let time = 0;
    return list.map(([fields, isMain, gap], index) => {
      const { node: _node, mode: _mode, id: _id, ...rest } = fields;
      const owner =
        typeof fields.process === 'number' ? fields.process : `${fields.process} ${fields.lane}`;
      const invoke = fields.type === 'invoke' ? undefined : open.get(owner);
      if (fields.type === 'invoke') open.set(owner, fields);
      else open.delete(owner);
      const same = invoke && {
        ...(invoke.node !== undefined && { node: invoke.node }),
        ...(invoke.mode !== undefined && { mode: invoke.mode }),
        ...(invoke.id !== undefined && { id: invoke.id }),
        ...(isMain && { phase: invoke.phase }),
      };
      const { server, ...bare }: OpDraft = invoke === undefined ? fields : { ...rest, ...same };
      // The notation cannot say that a stamp is there but empty.
      const hasServer = server !== undefined && Object.keys(server).length > 0;
      return { ...bare, ...(hasServer && { server }), index, time: nanos((time += gap)) };
    });
  });

test('the notation gives back a history', () => {
  fc.assert(
    fc.property(operations, (ops) => {
      expect([...parseHistory(printHistory(historyOf(ops))).ops()]).toEqual(ops);
    }),
    { numRuns: 500 },
  );
});
