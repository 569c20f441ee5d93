/** Range: reading keys, now or at an older revision. */
import { unreachable } from '../../../harness/core/invariant.ts';
import { FAILURES, type Failure } from '../failures.ts';
import { NO_VALUE, valueAt } from './key-history.ts';
import type { KeySpace } from './key-space.ts';
import { type Span, spanOf } from './keys.ts';
import type { KeyValue, RangeRequest, RangeResult, SortTarget } from './types.ts';

/** The keys that exist at `revision`, which must not be compacted, in order. */
export function keysAt(space: KeySpace, span: Span, revision: number): KeyValue[] {
  const found: KeyValue[] = [];
  for (const history of space.histories(span)) {
    const kv = valueAt(history, revision);
    if (kv !== undefined) found.push(kv);
  }
  return found;
}

/** Why the store cannot be read at `revision`; 0 or less means the newest, as in etcd. */
export function refusedRevision(space: KeySpace, revision: number): Failure | undefined {
  if (revision > space.revision) return FAILURES.futureRevision;
  if (revision > 0 && revision < space.compactRevision) return FAILURES.compacted;
  return undefined;
}

/**
 * Reads what is visible, in a transaction also what it wrote before. The revision must be one that
 * is not refused. Filters and limit say nothing to `count`.
 */
export function rangeOf(space: KeySpace, request: RangeRequest): RangeResult {
  const asked = request.revision ?? 0;
  const all = keysAt(space, spanOf(request), asked > 0 ? asked : space.visible);
  const answer = { revision: space.visible, count: all.length };
  if (request.countOnly === true) return { ...answer, kvs: [], more: false };

  const limit = request.limit ?? 0;
  let kvs = sorted(filtered(fetched(all, request), request), request);
  const more = limit > 0 && kvs.length > limit;
  if (more) kvs = kvs.slice(0, limit);
  if (request.keysOnly === true) kvs = kvs.map((kv) => ({ ...kv, value: NO_VALUE }));
  return { ...answer, kvs, more };
}

/**
 * etcd stops at one more than the limit unless it is told an order or a filter. A sort target
 * alone does not count as an order, so that it sorts only the first keys.
 */
function fetched(all: KeyValue[], request: RangeRequest): KeyValue[] {
  const limit = request.limit ?? 0;
  if (limit <= 0 || (request.sortOrder ?? 'NONE') !== 'NONE' || hasFilter(request)) return all;
  return all.slice(0, limit + 1);
}

function hasFilter(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some(isSet);
}

function isSet(bound: number | undefined): bound is number {
  return bound !== undefined && bound !== 0;
}

function filtered(kvs: KeyValue[], request: RangeRequest): KeyValue[] {
  if (!hasFilter(request)) return kvs;
  const within = (value: number, min: number | undefined, max: number | undefined): boolean =>
    (!isSet(min) || value >= min) && (!isSet(max) || value <= max);
  return kvs.filter(
    (kv) =>
      within(kv.modRevision, request.minModRevision, request.maxModRevision) &&
      within(kv.createRevision, request.minCreateRevision, request.maxCreateRevision),
  );
}

/** What is equal in the target stays in the order of keys, in either order. */
function sorted(kvs: KeyValue[], request: RangeRequest): KeyValue[] {
  const target = request.sortTarget ?? 'KEY';
  const order = request.sortOrder ?? 'NONE';
  if (target === 'KEY') return order === 'DESCEND' ? kvs.toReversed() : kvs;
  const sign = order === 'DESCEND' ? -1 : 1;
  return kvs.toSorted((a, b) => sign * compareBy(target, a, b));
}

function compareBy(target: Exclude<SortTarget, 'KEY'>, a: KeyValue, b: KeyValue): number {
  switch (target) {
    case 'VERSION':
      return a.version - b.version;
    case 'CREATE':
      return a.createRevision - b.createRevision;
    case 'MOD':
      return a.modRevision - b.modRevision;
    case 'VALUE':
      return Buffer.compare(a.value, b.value);
    default:
      return unreachable(target);
  }
}
