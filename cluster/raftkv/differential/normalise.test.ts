import { beforeEach, describe, expect, test } from 'vitest';
import { Names } from './names.ts';
import { bytesText, normaliseErrors, normaliseOutput, normaliseValue } from './normalise.ts';

const N1 = 0xddd5b1db3b6e4d7bn;
const CLUSTER = 0xa7efa0aba3ddc7b9n;
const LEASE = 0x00005d1c2f3a4b5cn;
const OTHER_LEASE = 0x694d7a2f0c5e6bcbn;

let names = new Names();
beforeEach(() => {
  names = new Names();
  names.nameId(N1, 'n1');
  names.nameId(CLUSTER, 'cluster');
  names.nameText('127.0.0.1:12379', 'client of n1');
});

const plain = (text: string): string => normaliseOutput(text, names, false);

describe('a name', () => {
  test('is the same for one id, whether in hex, padded or decimal, and another for another', () => {
    expect(plain('lease 00005d1c2f3a4b5c granted')).toBe('lease <id 1> granted');
    expect(plain(`{"ID":${LEASE},"other":${OTHER_LEASE}}`)).toBe(
      '{"ID":"<id 1>","other":"<id 2>"}',
    );
    expect(plain('lease 5d1c2f3a4b5c revoked, 694d7a2f0c5e6bcb not')).toBe(
      'lease <id 1> revoked, <id 2> not',
    );
  });

  test('that was given comes before one by order', () => {
    expect(plain('Member ddd5b1db3b6e4d7b removed from cluster a7efa0aba3ddc7b9')).toBe(
      'Member <n1> removed from cluster <cluster>',
    );
    expect(plain(`"MemberID" : ${N1}`)).toBe('"MemberID" : <n1>');
  });

  test('replaces addresses, but no revisions, counts, keys or values', () => {
    const text = 'http://127.0.0.1:12379 key12345678901 face 1234567890 deadbeef';
    expect(plain(text)).toBe(text.replace('127.0.0.1:12379', '<client of n1>'));
  });
});

describe('of an output', () => {
  test('revisions, versions and errors stay', () => {
    const text = '{"header":{"revision":11,"raft_term":2},"kvs":[{"version":10,"value":"MTA="}]}';
    expect(plain(text)).toBe(text.replace('"raft_term":2', '"raft_term":"<term>"'));
    expect(plain('a\n1\n')).toBe('a\n1\n');
  });

  test('sizes, terms and indices of a status go, who leads stays', () => {
    const line = '127.0.0.1:12379, ddd5b1db3b6e4d7b, 3.4.23, 20 kB, true, false, 2, 15, 15, ';
    const other = '127.0.0.1:12379, ddd5b1db3b6e4d7b, 3.4.0-x, 4.1 MB, true, false, 9, 4, 3, ';
    expect(plain(line)).toBe(plain(other));
    expect(plain(line)).not.toBe(plain(line.replace('true', 'false')));
  });

  test('hashes that are equal stay equal', () => {
    expect(plain('127.0.0.1:12379, 111\n127.0.0.1:12379, 222\n127.0.0.1:12379, 111')).toBe(
      '<client of n1>, <hash 1>\n<client of n1>, <hash 2>\n<client of n1>, <hash 1>',
    );
    expect(plain('{"hash":222}')).toBe('{"hash":"<hash 2>"}');
  });

  test('some seconds may have passed of a TTL, but not many, and none may be added', () => {
    const ttl = (remaining: number): string =>
      plain(`lease 694d7a2f0c5e6bcb granted with TTL(100s), remaining(${remaining}s)`);
    expect(ttl(99)).toBe(ttl(97));
    expect(ttl(69)).not.toBe(ttl(99));
    expect(ttl(101)).not.toBe(ttl(99));
    const json = (remaining: number): string => plain(`{"ttl":${remaining},"granted-ttl":100}`);
    expect(json(100)).toBe(json(96));
    expect(json(50)).not.toBe(json(100));
    const fields = (remaining: number): string => plain(`"TTL" : ${remaining}\n"GrantedTTL" : 9`);
    expect(fields(8)).toBe(fields(9));
    expect(fields(10)).not.toBe(fields(9));
  });

  test('order counts, but for the keys of a lease and where the question says so', () => {
    expect(plain('b\na')).toBe('b\na');
    expect(normaliseOutput('b\na', names, true)).toBe('a\nb');
    expect(plain('{"kvs":[2,1],"keys":["b","a"]}')).toBe('{"kvs":[2,1],"keys":["a","b"]}');
  });
});

describe('of errors', () => {
  const wrong = 'rpc error: code = NotFound desc = etcdserver: member not found';
  const logged = (attempt: number, error = wrong): string =>
    JSON.stringify({
      level: 'warn',
      ts: `2026-11-21T07:22:0${attempt}.379Z`,
      msg: 'retrying',
      target: `endpoint://client-29c0ce1${attempt}/127.0.0.1:12379`,
      attempt,
      error,
    });

  test('what was logged is kept once, without times and targets', () => {
    const text = `${logged(0)}\n${logged(1)}\nError: etcdserver: member not found\n`;
    expect(normaliseErrors(text, names, false)).toBe(
      `logged: retrying: ${wrong}\nError: etcdserver: member not found\n`,
    );
  });

  test('another code or text stays another', () => {
    const other = logged(0, wrong.replace('NotFound', 'Unknown'));
    expect(normaliseErrors(other, names, false)).not.toBe(normaliseErrors(logged(0), names, false));
  });
});

test('messages of the API: bytes as text, ids by name, no term', () => {
  const message = {
    header: { memberId: String(N1), revision: '3', raftTerm: '2' },
    kvs: [{ key: Buffer.from('k'), value: Buffer.from([0, 255]), lease: '5' }],
  };
  expect(normaliseValue(message, names)).toEqual({
    header: { memberId: '<n1>', revision: '3', raftTerm: '<term>' },
    kvs: [{ key: 'k', value: '0x00ff', lease: '5' }],
  });
  expect(bytesText(Buffer.alloc(200, 'x'))).toMatch(/^x{100}\.\.\. \(200 bytes\)$/);
});
