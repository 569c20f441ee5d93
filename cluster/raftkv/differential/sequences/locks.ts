/** `etcdctl lock` and `elect`: they stand in line by themselves, with transactions and watches. */
import { plain, type RunStep, type Sequence } from '../sequence.ts';

/** Until so many stand in line. */
function inLine(name: string, count: number): RunStep {
  const keys = Array.from({ length: count }, () => `${name}/[0-9a-f]+\\s+`).join('');
  return {
    run: ['get', `${name}/`, '--prefix', '--keys-only'],
    until: new RegExp(`^${keys}$`),
    unordered: true,
  };
}

/** The key, and its value, which is empty. */
const LOCKED: RegExp = /[lm]\/[0-9a-f]+\n\n/;

const lock: Sequence = {
  kind: 'commands',
  name: 'lock',
  steps: [
    ...plain('lock l echo held', 'lock l false', 'lock', 'lock l no-such-command'),
    ...plain(['lock', 'l', 'sh', '-c', 'echo $ETCD_LOCK_REV']),
    inLine('l', 0),
    { start: 'lock l --ttl=60', as: 'holder' },
    inLine('l', 1),
    { start: 'lock l --ttl=60 echo waited', as: 'waiter' },
    inLine('l', 2),
    { start: 'lock m', as: 'other' },
    { finish: 'other', until: LOCKED, signal: 'SIGINT' },
    { finish: 'holder', until: LOCKED, signal: 'SIGINT' },
    { finish: 'waiter' },
    inLine('l', 0),
  ],
};

const expiry: Sequence = {
  kind: 'commands',
  name: 'lock: of one that was killed',
  isMostlyWaiting: true,
  steps: [
    { start: 'lock l --ttl=2', as: 'killed' },
    { finish: 'killed', until: LOCKED },
    { run: 'lock l echo later' },
    inLine('l', 0),
  ],
};

const elect: Sequence = {
  kind: 'commands',
  name: 'elect',
  steps: [
    ...plain('elect', 'elect e', 'elect -l e x'),
    { start: 'elect -l e', as: 'listener' },
    { start: 'elect e one', as: 'first' },
    inLine('e', 1),
    { start: 'elect e two', as: 'second' },
    inLine('e', 2),
    { finish: 'first', until: /one\n/, signal: 'SIGINT' },
    inLine('e', 1),
    { start: 'elect -l e', as: 'late' },
    { finish: 'late', until: /two\n/ },
    { finish: 'listener', until: /two\n/ },
    { finish: 'second', until: /two\n/, signal: 'SIGINT' },
    inLine('e', 0),
  ],
};

export const LOCK_SEQUENCES: readonly Sequence[] = [lock, expiry, elect];
