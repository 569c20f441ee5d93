/** Leases: granting, attaching, renewing, ending. */
import { json, plain, type Sequence, shown } from '../sequence.ts';

const HEX = /lease ([0-9a-f]{16})/;
const DECIMAL = /"ID":(\d+)/;

const leases: Sequence = {
  kind: 'commands',
  name: 'lease',
  steps: [
    ...shown('lease list', 'lease timetolive 77', 'lease timetolive 77 --keys'),
    ...plain(
      'lease revoke 77',
      'lease keep-alive 77 --once',
      'lease timetolive x',
      'lease grant x',
    ),
    { run: 'lease grant 100', capture: { one: HEX } },
    { run: 'lease grant 200 -w json', capture: { two: DECIMAL } },
    ...plain('lease grant 9000000001'),
    ...plain('put a 1 --lease={one}', 'put b 1 --lease={one}', 'put c 1 --lease={one}', 'put d 1'),
    ...shown('get a', ['get', '', '--prefix']),
    ...shown('lease timetolive {one}', 'lease timetolive {one} --keys'),
    ...json('put b 2', 'put c 2 --ignore-lease', 'put a --ignore-value'),
    ...shown(['get', '', '--prefix'], 'lease timetolive {one} --keys'),
    ...plain('put c 3 --lease={one}', 'put c 4 --lease={one} --prev-kv', 'del c'),
    ...shown('lease timetolive {one} --keys'),
    ...plain('put a 3 --lease={one}', 'put b 3 --lease={one}'),
    ...shown('lease keep-alive {one} --once'),
    { run: 'txn', stdin: 'version("a") = "0"\n\nget a\n\nput e 1 --lease={one}\n\n' },
    ...plain('lease revoke {one}', 'lease revoke {one}', 'put a 1 --lease={one}'),
    ...shown(['get', '', '--prefix'], 'get a --rev=4', 'lease timetolive {one}'),
    ...plain('lease keep-alive {one} --once'),
    { run: 'lease list', unordered: true },
  ],
};

const several: Sequence = {
  kind: 'commands',
  name: 'lease: several',
  steps: [
    { run: 'lease grant 300', capture: { one: HEX } },
    { run: 'lease grant 100', capture: { two: HEX } },
    { run: 'lease grant 200', capture: { three: HEX } },
    { run: 'lease list', unordered: true },
    ...json('lease list'),
    // A key hangs on the lease it was put with last.
    ...plain('put a 1 --lease={one}', 'put a 2 --lease={two}'),
    ...shown('lease timetolive {one} --keys', 'lease timetolive {two} --keys'),
    ...json('lease revoke {one}', 'get a', 'lease revoke {two}', 'get a', 'lease revoke {three}'),
    ...shown('lease list'),
  ],
};

const expiry: Sequence = {
  kind: 'commands',
  name: 'lease: expiry',
  isMostlyWaiting: true,
  steps: [
    // Both are given the shortest time there is; a third one long enough for what comes before its end.
    ...plain('lease grant 0', 'lease grant -1'),
    { run: 'lease grant 6', capture: { short: HEX } },
    { run: 'lease grant 100', capture: { long: HEX } },
    ...plain('put a 1 --lease={short}', 'put b 1 --lease={short}', 'put c 1 --lease={long}'),
    { start: ['watch', '', '--prefix', '--rev=2'], as: 'watch' },
    // Both keys go in one revision.
    { run: 'get a', until: /^$/ },
    { run: 'lease list', until: /found 1 leases/ },
    ...shown('get b', 'get c', 'lease timetolive {short} --keys'),
    ...json(['get', '', '--prefix']),
    ...plain('put a 1 --lease={short}', 'lease revoke {short}', 'put z end'),
    { finish: 'watch', until: /end/ },
  ],
};

export const LEASE_SEQUENCES: readonly Sequence[] = [leases, several, expiry];
