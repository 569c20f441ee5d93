/** Transactions, as etcdctl can write them: compares, then two lists of requests. */
import { json, plain, type RunStep, type Sequence, shown } from '../sequence.ts';

/** etcdctl reads three parts, each ended by an empty line. */
function txn(compares: string, success: string, failure: string): string {
  const part = (text: string): string => (text === '' ? '\n' : `${text}\n\n`);
  return part(compares) + part(success) + part(failure);
}

function both(stdin: string): RunStep[] {
  return [
    { run: 'txn', stdin },
    { run: 'txn -w json', stdin },
  ];
}

/** Leases are missing: this etcdctl panics over them. */
const COMPARES = [
  'value("a") = "1"',
  'value("a") = "2"',
  'value("a") != "1"',
  'value("a") < "2"',
  'value("a") > "2"',
  'value("missing") = ""',
  'value("missing") = "x"',
  'value("missing") != "x"',
  'version("a") = "2"',
  'version("a") > "2"',
  'version("a") < "9"',
  'version("missing") = "0"',
  'create("a") = "2"',
  'create("a") != "2"',
  'create("missing") = "0"',
  'mod("a") = "3"',
  'mod("a") > "3"',
  'mod("a") < "4"',
  'mod("missing") > "0"',
];

const compares: Sequence = {
  kind: 'commands',
  name: 'txn: compares',
  steps: [
    ...plain('put a 0', 'put a 1'),
    ...COMPARES.map((compare) => ({
      run: 'txn -w json',
      stdin: txn(compare, 'get a', 'get missing'),
    })),
    ...both(txn('value("a") = "1"\nversion("a") = "2"', 'get a', 'get b')),
    ...both(txn('value("a") = "1"\nversion("a") = "3"', 'get a', 'get b')),
    // No compare holds always.
    ...both(txn('', 'get a', 'get b')),
  ],
};

const requests: Sequence = {
  kind: 'commands',
  name: 'txn: requests',
  steps: [
    ...both(txn('', '', '')),
    ...json('get a'),
    ...both(txn('version("a") = "0"', 'put a 1\nput b 2\nget a', 'put a 9')),
    ...shown('get a b --prefix', ['get', '', '--prefix']),
    ...both(txn('version("a") = "0"', 'put a 1', 'put a 9\nput c 3 --prev-kv\ndel b\ndel b0')),
    ...shown(['get', '', '--prefix']),
    ...both(txn('', 'put d 1\nget d\nget a --prefix\ndel c --prev-kv\nget c', '')),
    ...both(txn('', 'del a --prefix --prev-kv\nput e 1', '')),
    ...both(txn('', 'put f 1\nput f 2', '')),
    ...both(txn('', 'put f 1\ndel f', '')),
    ...both(txn('', 'put f 1\ndel e g', '')),
    ...both(txn('', 'del e g\nput g 1', '')),
    ...both(txn('', 'del e g\ndel f', '')),
    ...both(txn('', 'get f\nget f', '')),
    ...both(txn('value("none") = "x"', 'put f 1', 'put f 1\nput f 2')),
    ...both(txn('', 'put f 1 --lease=77\nput h 2', '')),
    ...both(txn('', 'put f --ignore-value\nput h 2', '')),
    ...both(txn('', 'put h 1\nput f --ignore-value', '')),
    ...both(txn('', 'put "" 1', '')),
    ...both(txn('', 'get h --rev=2\nput h 3', '')),
    ...both(txn('', 'put h 1\nget h --rev=1000', '')),
    ...both(txn('', 'get h --rev=1000', '')),
    ...shown(['get', '', '--prefix']),
    ...json('compaction 4', 'get x'),
    ...both(txn('', 'put h 5\nget h --rev=2', '')),
    ...both(txn('', 'get h --rev=2\nput h 5', '')),
    ...both(txn('', 'get h --rev=2', '')),
    ...shown(['get', '', '--prefix']),
  ],
};

export const TRANSACTION_SEQUENCES: readonly Sequence[] = [compares, requests];
