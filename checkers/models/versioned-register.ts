import type { JsonValue } from '../../harness/core/json.ts';
import { shown } from '../text.ts';
import { type Call, type Model, onlyReadsRemovable, type Stepped, sameValue } from './model.ts';
import { casParts } from './register.ts';

/**
 * What a key of etcd holds. `version` counts its changes since it was created, 0: it is absent.
 * Where no answer told the revision of the last change, `revision` is the lowest it can have been.
 */
interface Held {
  readonly value: JsonValue;
  readonly version: number;
  readonly revision: number;
  readonly isExact: boolean;
}

/**
 * One key of a store that numbers its changes: `read`, `write`, `cas` [from, to], `delete`, where
 * answers may carry `revision`, `modRevision` and `version`. Each change makes the version one
 * more and has a revision above the last; a read shows the version and the revision of the last
 * change. What an answer does not say is not judged.
 *
 * After a change of unknown outcome its revision is only bounded from below: a read that shows it
 * later is compared with the bound, and teaches nothing, so that it stays a read.
 */
export const versionedRegister: Model = {
  name: 'versioned-register',
  functions: ['read', 'write', 'cas', 'delete'],
  init: stateOf({ value: null, version: 0, revision: 0, isExact: true }),
  stamps: true,
  step,
  readOnly,
  removable: onlyReadsRemovable(readOnly),
};

function readOnly({ f, outcome }: Call): boolean {
  return f === 'read' || outcome === 'refused';
}

function step(state: JsonValue, call: Call): Stepped {
  const held = heldIn(state);
  const required = requiredBy(call);
  if (required !== undefined && !sameValue(required, held.value))
    return { inconsistent: `the register held ${shown(held.value)}, not ${shown(required)}` };
  if (call.outcome === 'refused' && sameValue(casParts(call.input).from, held.value))
    return { inconsistent: `a cas from ${shown(held.value)} was refused although it matched` };
  const isRead = readOnly(call) || (call.f === 'delete' && held.version === 0);
  const wrong = isRead ? wrongSight(held, call) : wrongChange(held, call);
  if (wrong !== undefined) return { inconsistent: wrong };
  return { state: isRead ? state : stateOf(changed(held, call)) };
}

/** The value that must be there; undefined: any. */
function requiredBy({ f, input, output, outcome, seen }: Call): JsonValue | undefined {
  if (outcome === 'refused') return seen;
  if (f === 'cas') return casParts(input).from;
  return f === 'read' && outcome === 'ok' ? output : undefined;
}

function wrongSight(held: Held, { f, outcome, stamp }: Call): string | undefined {
  if (outcome === 'indefinite' || stamp === undefined) return undefined;
  const { revision, modRevision, version } = stamp;
  if (revision !== undefined && revision < held.revision)
    return `the store was at revision ${revision} when the key had one of ${held.revision}`;
  if (f === 'delete') return undefined;
  if (version !== undefined && version !== held.version)
    return `the version was ${held.version}, not ${version}`;
  if (modRevision === undefined) return undefined;
  const isPossible =
    held.version === 0
      ? modRevision === 0
      : modRevision === held.revision || (!held.isExact && modRevision > held.revision);
  if (isPossible) return undefined;
  const least = held.isExact ? '' : 'at least ';
  return `the last change had revision ${least}${held.revision}, not ${modRevision}`;
}

function wrongChange(held: Held, call: Call): string | undefined {
  const revision = revisionOf(call);
  if (revision === undefined || revision > held.revision) return undefined;
  return `a change got revision ${revision}, but one before it had ${held.revision}`;
}

function changed(held: Held, call: Call): Held {
  const revision = revisionOf(call);
  const value = call.f === 'cas' ? casParts(call.input).to : call.input;
  return {
    value: call.f === 'delete' ? null : value,
    version: call.f === 'delete' ? 0 : held.version + 1,
    revision: revision ?? held.revision + 1,
    isExact: revision !== undefined,
  };
}

function revisionOf({ outcome, stamp }: Call): number | undefined {
  return outcome === 'ok' ? stamp?.revision : undefined;
}

function stateOf({ value, version, revision, isExact }: Held): JsonValue {
  return [value, version, revision, isExact];
}

function heldIn(state: JsonValue): Held {
  const [value, version, revision, isExact] = state as [JsonValue, number, number, boolean];
  return { value, version, revision, isExact };
}
