import { describe, expect, test } from 'vitest';
import type { Answer } from '../harness/generator/simulate.ts';
import { simulate } from '../harness/generator/simulate.ts';
import type { Op } from '../harness/history/op.ts';
import type { Apis } from '../harness/protocols/system.ts';
import { finalHashes, withHashes } from './final-hashes.ts';

const nodes = ['n1', 'n2', 'n3'];

/** What each node's revision is at a time in milliseconds; a node that has none does not answer. */
function asked(revisionAt: (node: string, ms: number) => number | undefined, clients = 6): Op[] {
  const model = ({ node = '', value, time }: Op): Answer => {
    const newest = revisionAt(node, time / 1e6);
    const revision = typeof value === 'number' ? value : newest;
    if (newest === undefined || revision === undefined || revision > newest)
      return { type: 'fail', latencyNanos: 10 };
    return { type: 'ok', latencyNanos: 10, value: { hash: 1, revision, compactRevision: -1 } };
  };
  return simulate(finalHashes(nodes), { clients, nodes, model, entriesMax: 2000 });
}

function answers(ops: readonly Op[]): string[] {
  return ops
    .filter(({ type }) => type === 'ok')
    .map(({ node, value }) => `${node} ${(value as { readonly revision: number }).revision}`)
    .toSorted();
}

describe('the last question to every node', () => {
  test('is asked once where all are at one revision', () => {
    const ops = asked(() => 7);
    expect(answers(ops)).toEqual(['n1 7', 'n2 7', 'n3 7']);
    expect(ops.filter(({ type }) => type === 'invoke')).toHaveLength(3);
    expect(ops.every(({ f, key }) => f === 'hash' && key === undefined)).toBe(true);
  });

  test('is asked again of a node that is behind, until it has caught up', () => {
    const ops = asked((node, ms) => (node === 'n2' && ms < 400 ? 5 : 7));
    expect(answers(ops)).toContain('n2 7');
    expect(answers(ops)).toEqual(expect.arrayContaining(['n1 7', 'n2 5', 'n3 7']));
    expect(ops.at(-1)?.time).toBeLessThan(600e6);
  });

  test('is asked where a node stays behind, so that it is compared all the same', () => {
    const ops = asked((node) => (node === 'n2' ? 5 : 7));
    expect(answers(ops)).toEqual(['n1 5', 'n1 7', 'n2 5', 'n3 5', 'n3 7']);
  });

  test('ends, though some node never answers', () => {
    const ops = asked((node) => (node === 'n3' ? undefined : 7));
    expect(answers(ops)).toEqual(['n1 7', 'n2 7']);
    expect(ops.at(-1)?.time).toBeLessThan(5_000e6);
    expect(ops.length).toBeLessThan(200);
  });

  test('is asked only where there is a client, and of a node one at a time', () => {
    expect(answers(asked(() => 7, 2))).toEqual(['n1 7', 'n2 7']);
    const open = new Set<string>();
    for (const { type, node = '' } of asked((name) => (name === 'n2' ? 5 : 7), 12)) {
      expect(open.has(node)).toBe(type !== 'invoke');
      if (type === 'invoke') open.add(node);
      else open.delete(node);
    }
  });
});

describe('the client', () => {
  const op = { f: 'hash', value: 7 } as Op;
  const rest = { invoke: () => Promise.resolve({ type: 'ok', value: 'rest' } as const) };

  test('asks for the newest, or for what is named, and passes on all else', async () => {
    const calls: number[] = [];
    const apis: Apis = {
      hash: {
        hash: (revision) => {
          calls.push(revision);
          return Promise.resolve({
            type: 'ok',
            value: { hash: 5, revision: 9, compactRevision: 2 },
          });
        },
      },
    };
    const client = withHashes(rest, apis, 100);
    expect(await client.invoke({ ...op, value: null })).toEqual({
      type: 'ok',
      value: { hash: 5, revision: 9, compactRevision: 2 },
    });
    await client.invoke(op);
    expect(calls).toEqual([0, 7]);
    expect(await client.invoke({ ...op, f: 'read' })).toEqual({ type: 'ok', value: 'rest' });
  });

  test('says of a refusal what the store said', async () => {
    const error = { code: 'future-revision', definite: false };
    const apis: Apis = { hash: { hash: () => Promise.resolve({ type: 'fail', error }) } };
    expect(await withHashes(rest, apis, 100).invoke(op)).toEqual({ type: 'fail', error });
  });
});
