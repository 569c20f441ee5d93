/** Claims about one order of all keys: a trial of all orders, with nothing but the model's steps. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { Model } from '../models/model.ts';
import { type Act, actsOf, withoutRemovable } from './by-model.ts';
import { deedAt, deedsOfKey } from './deeds.ts';

const TRIES_MAX = 500_000;

/** Undefined: the anomaly is of another kind. */
export function recheckOrder(
  anomaly: Anomaly,
  history: History,
  model: Model,
): true | string | undefined {
  if (anomaly.kind === 'wrong-at-revision') return wrongAtRevision(anomaly, history);
  const mustPrecede = PRECEDENCE[anomaly.kind];
  if (mustPrecede === undefined) return undefined;
  const { operations, model: name, init = null } = anomaly.certificate;
  if (name !== model.name || JSON.stringify(init) !== JSON.stringify(model.init))
    return 'it takes another model to check this again';
  if (!Array.isArray(operations) || operations.length === 0) return 'it names no operations';
  const kept = new Set(operations as readonly number[]);
  const acts: Act[] = [];
  for (const key of objectsNamed(kept, history, model)) {
    const rest = withoutRemovable(actsOf(key, history, model), kept, model);
    const isHonest = rest.every(({ start }) => kept.has(start));
    if (!isHonest) return `it leaves out operations of ${key} that matter`;
    acts.push(...rest);
  }
  if (acts.length !== kept.size) return 'it names what is no operation of the model';
  const works = someOrder(acts, model, mustPrecede);
  if (works === 'too-many') return 'there are too many orders to try again';
  return works ? 'some order of these operations works' : true;
}

/** The keys of these operations; of a model of the whole store a single one. */
function objectsNamed(
  kept: ReadonlySet<number>,
  history: History,
  model: Model,
): ReadonlySet<string> {
  if (model.per === 'store') return new Set(['']);
  const deeds = [...kept].map((index) => deedAt(history, index));
  return new Set(deeds.flatMap((deed) => (typeof deed === 'string' ? [] : [deed.key])));
}

type Precedence = (a: Act, b: Act) => boolean;

const PRECEDENCE: Readonly<Record<string, Precedence>> = {
  'not-sequential': (a, b) => a.end < b.start && a.deed.invoke.process === b.deed.invoke.process,
  'not-prefix-consistent': (a, b) => {
    if (a.end > b.start) return false;
    if (!isRead(b)) return true;
    const [one, other] = [a.deed.invoke, b.deed.invoke];
    const isOneMode = (one.mode ?? 'linearizable') === (other.mode ?? 'linearizable');
    return isRead(a) && one.process === other.process && one.node === other.node && isOneMode;
  },
};

function isRead({ call }: Act): boolean {
  return call.outcome === 'ok' && ['read', 'get', 'range', 'contains'].includes(call.f);
}

function someOrder(
  acts: readonly Act[],
  model: Model,
  mustPrecede: Precedence,
): boolean | 'too-many' {
  const dead = new Set<string>();
  let tries = 0;
  const works = (states: ReadonlyMap<string, JsonValue>, left: readonly Act[]): boolean => {
    if (left.every(({ end }) => end === Infinity)) return true;
    const held = [...states].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const here = JSON.stringify([held, left.map(({ start }) => start)]);
    if (dead.has(here) || ++tries > TRIES_MAX) return false;
    dead.add(here);
    return left.some((act) => {
      if (left.some((other) => mustPrecede(other, act))) return false;
      const key = model.per === 'store' ? '' : act.deed.key;
      const state = states.has(key) ? (states.get(key) as JsonValue) : model.init;
      const stepped = model.step(state, act.call);
      if (!('state' in stepped)) return false;
      const rest = left.filter((other) => other !== act);
      return works(new Map([...states, [key, stepped.state]]), rest);
    });
  };
  return works(new Map(), acts) || (tries > TRIES_MAX ? 'too-many' : false);
}

/** The read names a revision of the store that has a change which it does not show. */
function wrongAtRevision({ key, certificate }: Anomaly, history: History): true | string {
  const read = deedAt(history, certificate['read']);
  if (typeof read === 'string') return read;
  const { revision, modRevision } = read.completion?.server ?? {};
  if (read.invoke.f !== 'read' || read.end !== 'ok' || read.key !== key)
    return 'it is no read of the key';
  if (revision === undefined || modRevision === undefined) return 'the read names no revisions';
  if (certificate['change'] === null)
    return modRevision > revision ? true : 'the read does not show more than there is';
  const change = deedAt(history, certificate['change']);
  if (typeof change === 'string') return change;
  if (change.key !== key || change.end !== 'ok') return 'it is no change of the key';
  const { server } = change.completion ?? {};
  const isSeen = change.invoke.f === 'read';
  const at = isSeen ? server?.modRevision : server?.revision;
  if (isSeen ? at === 0 : change.puts === undefined || change.puts === 'null')
    return 'nothing was put there';
  if (at === undefined || at <= modRevision || at > revision)
    return 'the change is not between what the read shows and where it was answered';
  const deletes = deedsOfKey(history, key).some(
    ({ puts, end }) => puts === 'null' && end !== 'failed',
  );
  return modRevision === 0 && deletes ? 'the key may have been deleted' : true;
}
