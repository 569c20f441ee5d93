/** Who a member that joins takes itself for. */
import { describe, expect, test } from 'vitest';
import type { Entry } from '../raft/types.ts';
import { AddressBook } from './address-book.ts';
import { memberAt, mostAgreed } from './agreement.ts';
import { encodeConfigData, NOBODY } from './command.ts';
import type { FoundCluster } from './config.ts';
import { Members } from './members.ts';

const URLS = ['http://n4:2380'];

function foundWith(...ids: readonly string[]): FoundCluster {
  return { cluster: 'c', members: ids.map((id) => ({ id, peerUrls: URLS })) };
}

function addition(index: number, member: string): Entry {
  const data = encodeConfigData({
    ...NOBODY,
    type: 'add',
    member,
    peerUrls: URLS,
    name: '',
    isLearner: false,
  });
  return {
    index,
    term: 1,
    payload: { kind: 'config', config: { voters: [member], learners: [] }, data },
  };
}

describe('agreement', () => {
  test('one that has missed the removal of the former member is outvoted', () => {
    const answers = [foundWith('1'), foundWith('2'), foundWith('2')];
    const agreed = mostAgreed(answers, URLS, 3);
    expect(agreed).toMatchObject({ isCertain: true });
    expect(agreed && memberAt(agreed.found, URLS)?.id).toBe('2');
  });

  test('half of those asked is not enough to be certain, nobody is none', () => {
    expect(mostAgreed([foundWith('1')], URLS, 2)).toMatchObject({ isCertain: false });
    expect(mostAgreed([foundWith('1')], URLS, 1)).toMatchObject({ isCertain: true });
    expect(mostAgreed([foundWith()], URLS, 1)).toBeUndefined();
  });
});

describe('the address book', () => {
  const nobody = new Members(new Map(), { put: () => undefined, delete: () => undefined });

  test('forgets an addition that was taken back by another leader', () => {
    const book = new AddressBook('0');
    book.appending([addition(5, '1')]);
    expect([...book.all(nobody).keys()]).toEqual(['1']);
    expect(book.appending([{ index: 5, term: 2, payload: { kind: 'none' } }])).toBe(true);
    expect([...book.all(nobody).keys()]).toEqual([]);
  });

  test('tells the later of two additions last', () => {
    const book = new AddressBook('0');
    book.appending([addition(5, '1'), addition(7, '2')]);
    const members = [...book.all(nobody)].map(([id, peerUrls]) => ({ id, peerUrls }));
    expect(memberAt({ cluster: 'c', members }, URLS)?.id).toBe('2');
  });

  test('tells nobody of those who are only told that it is over', () => {
    const book = new AddressBook('0');
    const members = new Members(new Map(), { put: () => undefined, delete: () => undefined });
    const change = { ...NOBODY, member: '1' };
    members.apply({ ...change, type: 'add', peerUrls: URLS, name: '', isLearner: false });
    members.apply({ ...change, type: 'remove' });
    book.outcast('1');
    expect([...book.all(members).keys()]).toEqual([]);
    expect(book.peers(members)).toEqual(new Map([['1', 'n4:2380']]));
  });
});
