/**
 * Violations that need no search: a few operations of one key that no order explains. Each rule
 * looks for one pattern in near-linear time and is a proof by itself; finding none proves nothing.
 *
 * Most rest on values that appear only once. Such a value is in the register for one unbroken
 * span, so if it was there before some other value was and again afterwards, no order exists.
 */
import { unreachable } from '../../harness/core/invariant.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import type { KeyHistory, KeyOp } from '../key-history.ts';
import { casParts, producedBy, requiredBy, valueKey } from '../models/register.ts';
import { earliestEnds } from './earliest-ends.ts';
import { type ReusedValueRead, reusedValueReads } from './reused-values.ts';
import { type ValueUse, valueUses, type Zone, zonesOf } from './value-index.ts';

/** Undefined stands for the value that the register begins with. */
type OpOrStart = KeyOp | undefined;

export type Finding =
  /** Nobody ever tried to write what `read` observed. */
  | { readonly kind: 'phantom-read'; readonly read: KeyOp }
  /** All who tried to write it were told that they failed. */
  | { readonly kind: 'read-of-failed-write'; readonly read: KeyOp; readonly failed: KeyOp }
  /** It was observed before anyone sent it. */
  | { readonly kind: 'future-read'; readonly read: KeyOp; readonly write: KeyOp }
  /** A cas was refused although it saw just what it expected. */
  | { readonly kind: 'refused-matching-cas'; readonly cas: KeyOp }
  /** Two cas won from one appearance of a value. */
  | {
      readonly kind: 'split-brain-cas';
      readonly write: OpOrStart;
      readonly first: KeyOp;
      readonly second: KeyOp;
    }
  /**
   * `newer` was acknowledged after the unique value of `older` was there, yet `read` finds that
   * value again, and `newer` is gone: a cas from the older value won, or no final read has it.
   */
  | {
      readonly kind: 'lost-write';
      readonly older: OpOrStart;
      readonly newer: KeyOp;
      readonly read: KeyOp;
    }
  /** The same pattern where `newer` may still be there for others. */
  | {
      readonly kind: 'stale-read';
      readonly older: OpOrStart;
      readonly newer: KeyOp;
      readonly read: KeyOp;
    }
  /** The same pattern, where `newer` is an observation; `newerWrite` is its only source. */
  | {
      readonly kind: 'non-monotonic-read';
      readonly older: OpOrStart;
      readonly newerWrite: KeyOp | undefined;
      readonly newer: KeyOp;
      readonly read: KeyOp;
    }
  /** The same pattern with a value that was written more than once. */
  | ReusedValueRead
  /** Two unique values were both in the register at one moment. */
  | { readonly kind: 'split-brain-read'; readonly one: Span; readonly other: Span };

/** From the end of `proof` to the start of `last` a unique value was in the register. */
export interface Span {
  readonly proof: OpOrStart;
  readonly last: KeyOp;
}

/** The first finding of each kind, the most telling kind first. `init`: what it begins with. */
export function findingsOf(key: KeyHistory, init?: JsonValue): Finding[] {
  const uses = valueUses(key, init);
  const zones = zonesOf(uses.values());
  const told = new Set<Zone>();
  const findings = [
    ...strangeReads(uses),
    ...matchingRefusals(key),
    ...doubleWinners(uses),
    ...overwrittenReads(key, zones, told),
    ...backwardReads(key, uses, zones, told),
    ...overlaps(zones, told),
    ...reusedValueReads(key, uses),
  ];
  const first = new Map<Finding['kind'], Finding>();
  for (const finding of findings) {
    const known = first.get(finding.kind);
    if (known === undefined || shownAt(finding) < shownAt(known)) first.set(finding.kind, finding);
  }
  return [...first.values()];
}

/** When the pattern was complete. */
function shownAt(finding: Finding): number {
  switch (finding.kind) {
    case 'refused-matching-cas':
      return finding.cas.end;
    case 'split-brain-cas':
      return finding.second.end;
    case 'split-brain-read':
      return Math.max(finding.one.last.end, finding.other.last.end);
    case 'phantom-read':
    case 'read-of-failed-write':
    case 'future-read':
    case 'lost-write':
    case 'stale-read':
    case 'non-monotonic-read':
    case 'reused-value-read':
      return finding.read.end;
    default:
      return unreachable(finding);
  }
}

/** Observations of a value that cannot have been there for anyone. */
export function* strangeReads(uses: ReadonlyMap<string, ValueUse>): Generator<Finding> {
  for (const { initial, producers, observers, failed } of uses.values()) {
    if (initial) continue;
    const write = producers[0];
    for (const read of observers) {
      if (write !== undefined) {
        // A cas is no source of what it needs itself.
        if (write.start > read.end) yield { kind: 'future-read', read, write };
      } else if (failed[0] !== undefined)
        yield { kind: 'read-of-failed-write', read, failed: failed[0] };
      else yield { kind: 'phantom-read', read };
    }
  }
}

function* matchingRefusals(key: KeyHistory): Generator<Finding> {
  for (const op of key.ops) {
    const { outcome, seen, input } = op.call;
    if (outcome !== 'refused' || seen === undefined) continue;
    if (valueKey(casParts(input).from) === valueKey(seen))
      yield { kind: 'refused-matching-cas', cas: op };
  }
}

function* doubleWinners(uses: ReadonlyMap<string, ValueUse>): Generator<Finding> {
  for (const use of uses.values()) {
    if (!use.unique) continue;
    const winners = use.observers
      .filter(({ call }) => call.f === 'cas' && call.outcome === 'ok')
      .toSorted((a, b) => a.end - b.end);
    const [first, second] = winners;
    if (first !== undefined && second !== undefined)
      yield { kind: 'split-brain-cas', write: use.producers[0], first, second };
  }
}

/**
 * A unique value that is observed after something else had been acknowledged in its place. A value
 * that is `told` here is not told again by the rules that follow.
 */
function* overwrittenReads(
  key: KeyHistory,
  zones: readonly Zone[],
  told: Set<Zone>,
): Generator<Finding> {
  if (zones.length === 0) return;
  const writes = key.ops.filter(
    ({ call, end }) => producedBy(call) !== undefined && end !== Infinity,
  );
  const firstAfter = earliestEnds(
    writes.map((op) => ({ op, from: op.start, value: valueKey(producedBy(op.call) ?? null) })),
  );
  const finals = key.ops.filter((op) => isObservation(op) && op.invoke.phase === 'final');
  for (const zone of zones) {
    const value = valueKey(zone.use.value);
    const newer = firstAfter(zone.from, value);
    if (newer === undefined || newer.end >= zone.to) continue;
    told.add(zone);
    const late = zone.use.observers.filter(({ start }) => start > newer.end);
    const older = sourceBefore(zone, newer.start);
    const winner = late.find(({ call }) => call.f === 'cas' && call.outcome === 'ok');
    const final = finals.find(({ start }) => start > newer.end);
    const gone =
      hasAllSince(key, newer.end) &&
      finals.every(
        ({ start, call }) => start < newer.end || valueKey(requiredBy(call) ?? null) === value,
      );
    const lostTo = winner ?? (gone ? final : undefined);
    if (lostTo !== undefined) yield { kind: 'lost-write', older, newer, read: lostTo };
    else if (late[0] !== undefined) yield { kind: 'stale-read', older, newer, read: late[0] };
  }
}

/** A unique value that is observed again after another value was. */
function* backwardReads(
  key: KeyHistory,
  uses: ReadonlyMap<string, ValueUse>,
  zones: readonly Zone[],
  told: Set<Zone>,
): Generator<Finding> {
  if (zones.length === told.size) return;
  const toldOf = new Set([...told].map(({ use }) => valueKey(use.value)));
  const sightings = key.ops.filter(isObservation).flatMap((op) => {
    const value = valueKey(requiredBy(op.call) ?? null);
    if (toldOf.has(value)) return [];
    const use = uses.get(value);
    const write = use?.unique === true ? use.producers[0] : undefined;
    // What only one operation wrote was not there before that operation began.
    return [{ op, write, from: Math.max(op.start, write?.start ?? -1), value }];
  });
  const firstAfter = earliestEnds(sightings);
  const writeOf = new Map(sightings.map(({ op, write }) => [op, write]));
  for (const zone of zones) {
    const newer = firstAfter(zone.from, valueKey(zone.use.value));
    if (newer === undefined || newer.end >= zone.to || told.has(zone)) continue;
    told.add(zone);
    const read = zone.use.observers.find(({ start }) => start > newer.end);
    if (read === undefined) continue;
    const write = writeOf.get(newer);
    const newerWrite = newer.start > zone.from ? undefined : write;
    const older = sourceBefore(zone, (newerWrite ?? newer).start);
    yield { kind: 'non-monotonic-read', older, newerWrite, newer, read };
  }
}

function* overlaps(zones: readonly Zone[], told: ReadonlySet<Zone>): Generator<Finding> {
  let longest: Zone | undefined;
  for (const zone of zones) {
    if (told.has(zone)) continue;
    if (longest !== undefined && zone.from < longest.to)
      yield { kind: 'split-brain-read', one: longest, other: zone };
    if (longest === undefined || zone.to > longest.to) longest = zone;
  }
}

/** What shows best that the zone's value was there before `moment`: its own write if it ended. */
function sourceBefore(zone: Zone, moment: number): OpOrStart {
  const write = zone.use.producers[0];
  return write !== undefined && write.end < moment ? write : zone.proof;
}

function hasAllSince({ excerpt }: KeyHistory, moment: number): boolean {
  return excerpt === undefined || (excerpt.from <= moment && excerpt.until === Infinity);
}

function isObservation({ call, end }: KeyOp): boolean {
  return end !== Infinity && requiredBy(call) !== undefined;
}
