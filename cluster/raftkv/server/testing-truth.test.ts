import { describe, expect, test } from 'vitest';
import type { Event } from '../mvcc/types.ts';
import { type Seen, Truth } from './testing-truth.ts';

function put(revision: number, value: string): Event {
  const kv = {
    key: Buffer.from('k'),
    value: Buffer.from(value),
    createRevision: 2,
    modRevision: revision,
    version: revision - 1,
    lease: '0',
  };
  return { type: 'PUT', kv };
}

function seen(revision: number, value: string): Seen {
  return { key: 'k', value, modRevision: revision, createRevision: 2, version: revision - 1 };
}

describe('what must never be seen is noticed', () => {
  test('a watch that leaves out a revision, or says one twice', () => {
    expect(() => new Truth().watched(2, [put(2, 'a'), put(4, 'c')])).toThrow('at 3 says 4');
    expect(() => new Truth().watched(2, [put(2, 'a'), put(3, 'b'), put(2, 'a')])).toThrow(
      'at 4 says 2',
    );
  });

  test('two members with another past', () => {
    const truth = new Truth();
    expect(truth.watched(2, [put(2, 'a')])).toBe(3);
    expect(() => truth.watched(2, [put(2, 'b')])).toThrow('revision 2 is');
  });

  test('a read that is older than what was answered before it began', () => {
    const truth = new Truth();
    truth.wrote('a', 2, truth.floor);
    expect(() => truth.read(1, [], truth.floor)).toThrow('a read at 1');
    truth.read(1, [], 0);
  });

  test('a write that is acknowledged and lost, twice there, or refused and there', () => {
    const lost = new Truth();
    lost.wrote('a', 2, 1);
    expect(() => lost.check()).toThrow('a: answered 2, but happened at undefined');
    const twice = new Truth();
    twice.watched(2, [put(2, 'a'), put(3, 'a')]);
    expect(() => twice.check()).toThrow('a happened at 2 and 3');
    const refused = new Truth();
    refused.failed('a', true);
    refused.watched(2, [put(2, 'a')]);
    expect(() => refused.check()).toThrow('a: answered undefined, but happened at 2');
  });

  test('a read of what never was', () => {
    const truth = new Truth();
    truth.watched(2, [put(2, 'a')]);
    truth.read(2, [seen(2, 'a')], 0);
    truth.check();
    truth.read(2, [seen(2, 'b')], 0);
    expect(() => truth.check()).toThrow('at 2: read');
  });
});
