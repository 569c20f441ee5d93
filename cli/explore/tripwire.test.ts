import { describe, expect, test } from 'vitest';
import type { OpDraft } from '../../harness/history/op.ts';
import { opsOf } from './testing.ts';
import { Tripwire } from './tripwire.ts';

function tripped(drafts: readonly Partial<OpDraft>[]): Tripwire {
  const tripwire = new Tripwire();
  for (const op of opsOf(drafts)) tripwire.take(op);
  return tripwire;
}

const at = (revision: number) => ({ type: 'ok', key: 'k1', server: { revision } }) as const;
const written = [
  { process: 1, f: 'write', key: 'k1' },
  { process: 1, f: 'write', ...at(7) },
] as const;

describe('the tripwire', () => {
  test('sees a read that began after an acknowledged write, and was answered of before it', () => {
    const read = { process: 2, mode: 'linearizable', key: 'k1' } as const;
    expect(tripped([...written, read, { ...read, ...at(6) }]).tripped).toBe(3);
    expect(tripped([...written, read, { ...read, ...at(7) }]).tripped).toBeUndefined();
  });

  test('leaves a read alone that began before the write was acknowledged', () => {
    const read = { process: 2, mode: 'linearizable', key: 'k1' } as const;
    expect(tripped([read, ...written, { ...read, ...at(6) }]).tripped).toBeUndefined();
  });

  test('leaves serializable reads alone, and says how far they were behind', () => {
    const read = { process: 2, mode: 'serializable', key: 'k1' } as const;
    const seen = tripped([...written, read, { ...read, ...at(3) }]);
    expect([seen.tripped, seen.behindMost]).toEqual([undefined, 4]);
  });

  test('rests on revisions alone: what was not acknowledged counts for nothing', () => {
    const lost = [
      { process: 1, f: 'write', key: 'k1' },
      { ...at(9), process: 1, f: 'write', type: 'info' },
    ];
    const read = { process: 2, mode: 'linearizable', key: 'k1' } as const;
    expect(
      tripped([...(lost as Partial<OpDraft>[]), read, { ...read, ...at(6) }]).tripped,
    ).toBeUndefined();
  });
});
