/**
 * A second opinion on `not-linearizable` for any model: the history is read anew, every order is
 * tried one by one, and of the model only its specification is used: its steps, what may be left
 * out, and, where the beginning was cut off, in which states the rest may begin.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { Call, Model } from '../models/model.ts';
import { type Deed, deedAt, deedsOfKey } from './deeds.ts';

/** More is not tried: the claim is then neither confirmed nor refuted. */
const TRIES_MAX = 500_000;

export interface Act {
  readonly deed: Deed;
  readonly call: Call;
  readonly start: number;
  /** Infinity for those that an order may omit. */
  readonly end: number;
}

/** True, or what does not hold. */
export function recheckByModel(anomaly: Anomaly, history: History, model: Model): true | string {
  const { operations, from, upTo } = anomaly.certificate;
  if (typeof from !== 'number' || typeof upTo !== 'number') return 'it names no moments';
  if (!Array.isArray(operations) || operations.length === 0) return 'it names no operations';
  const kept = new Set(operations as readonly number[]);
  // What may be left out of the whole history may be so of any part, where less is known of it.
  const needed = withoutRemovable(actsOf(anomaly.key ?? '', history, model), kept, model);
  const within = needed.flatMap((act) => cut(act, model, from, upTo));
  const listed = within.filter(({ start }) => kept.has(start));
  if (listed.length !== kept.size) return 'it names operations that are not of this key and time';
  if (withoutRemovable(within, kept, model).length !== kept.size)
    return 'it leaves out operations that matter';
  const calls = listed.map(({ call }) => call);
  const starts = from < 0 ? [model.init] : model.starts?.(calls);
  if (starts === undefined) return 'nobody knows in which states the rest may begin';
  let tries = 0;
  const dead = new Set<string>();
  const works = (state: JsonValue, left: readonly Act[]): boolean => {
    if (left.every(({ end }) => end === Infinity)) return true;
    const here = `${JSON.stringify(state)} ${left.map(({ start }) => start).join()}`;
    if (dead.has(here) || ++tries > TRIES_MAX) return false;
    dead.add(here);
    const firstEnd = Math.min(...left.map(({ end }) => end));
    return left.some((act) => {
      const stepped = act.start < firstEnd ? model.step(state, act.call) : undefined;
      if (stepped === undefined || !('state' in stepped)) return false;
      return works(
        stepped.state,
        left.filter((other) => other !== act),
      );
    });
  };
  if (starts.some((state) => works(state, listed))) return 'some order of these operations works';
  return tries > TRIES_MAX ? 'there are too many orders to try again' : true;
}

/** Whatever took effect or may have. */
export function actsOf(key: string, history: History, model: Model): readonly Act[] {
  const deeds = model.per === 'store' ? allDeeds(history) : deedsOfKey(history, key);
  return deeds.flatMap((deed) => {
    const { invoke, completion, end } = deed;
    const isOver = end === 'ok' || isRefusal(deed);
    if (!model.functions.includes(invoke.f) || !(isOver || end === 'open')) return [];
    const endsAt = isOver ? (completion?.index ?? Infinity) : Infinity;
    return [{ deed, call: callOf(deed, isOver, model), start: invoke.index, end: endsAt }];
  });
}

/** What is known of it between two moments; nothing, if it can have no part in that time. */
function cut(act: Act, model: Model, from: number, upTo: number): readonly Act[] {
  const { deed, start, end } = act;
  if (start > upTo || end < from) return [];
  if (start >= from && end <= upTo) return [act];
  const call = callOf(deed, false, model);
  return model.readOnly(call) ? [] : [{ ...act, call, end: Infinity }];
}

/** An acquire that found the lock held is one as well as a cas. */
function isRefusal({ completion }: Deed): boolean {
  return completion?.type === 'fail' && completion.error?.code === 'cas-mismatch';
}

function callOf({ invoke, completion, end }: Deed, isWhole: boolean, model: Model): Call {
  const isKeyed = model.per === 'store' && invoke.key !== undefined;
  const asked = { f: invoke.f, input: invoke.value, ...(isKeyed && { key: invoke.key }) };
  if (!isWhole || completion === undefined)
    return { ...asked, output: null, outcome: 'indefinite' };
  const { seen, server, value } = completion;
  const { revision, modRevision, version } = server ?? {};
  const isStamped = model.stamps === true && server !== undefined;
  const stamp = {
    ...(revision !== undefined && { revision }),
    ...(modRevision !== undefined && { modRevision }),
    ...(version !== undefined && { version }),
  };
  return {
    ...asked,
    output: end === 'ok' ? value : null,
    outcome: end === 'ok' ? 'ok' : 'refused',
    ...(end !== 'ok' && seen !== undefined && { seen }),
    ...(isStamped && { stamp }),
  };
}

function allDeeds(history: History): Deed[] {
  const deeds: Deed[] = [];
  for (let index = 0; index < history.length; index++) {
    const deed = history.isClient(index) ? deedAt(history, index) : '';
    if (typeof deed !== 'string') deeds.push(deed);
  }
  return deeds;
}

/** Leaves out what may go and is not kept, as long as there is any. */
export function withoutRemovable(
  acts: readonly Act[],
  kept: ReadonlySet<number>,
  model: Model,
): readonly Act[] {
  for (let rest = acts; ; ) {
    const removable = model.removable(rest.map(({ call }) => call));
    const next = rest.filter(({ start }, at) => kept.has(start) || removable[at] !== true);
    if (next.length === rest.length) return rest;
    rest = next;
  }
}
