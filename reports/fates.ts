/** What became of every write, for runs in which one was lost. */
import { type JsonValue } from '../harness/core/json.ts';
import type { History, Operation } from '../harness/history/history.ts';
import type { RunResult } from '../harness/protocols/run.ts';

/**
 * `lost`: acknowledged, and a check proved that it is gone. `recovered`: its client was not told, but
 * somebody found its value. `unknown`: nobody was told, nobody found it. `acknowledged`: all others.
 */
export type Fate = 'lost' | 'recovered' | 'unknown' | 'acknowledged';

export interface FatedWrite {
  /** Index of the invocation. */
  readonly index: number;
  readonly timeNanos: number;
  readonly client: number;
  readonly fate: Fate;
}

/** In order; empty where no check names a lost write. Writes that failed never happened. */
export function fatesOf({ checks }: Pick<RunResult, 'checks'>, history: History): FatedWrite[] {
  const lost = new Set(
    checks.flatMap(({ anomalies }) =>
      anomalies
        .filter(({ kind }) => kind === 'lost-write')
        .flatMap(({ certificate }) => certificate['newer'] ?? []),
    ),
  );
  if (lost.size === 0) return [];
  const { puts, found } = valuesIn(history);
  const fates: FatedWrite[] = [];
  for (const operation of history.operations()) {
    const { invoke, completion } = operation;
    const id = putBy(operation);
    if (id === undefined || completion?.type === 'fail' || typeof invoke.process !== 'number')
      continue;
    const isFound = puts.get(id) === 1 && found.has(id);
    const untold = isFound ? 'recovered' : 'unknown';
    const told = lost.has(invoke.index) ? 'lost' : 'acknowledged';
    fates.push({
      index: invoke.index,
      timeNanos: invoke.time,
      client: invoke.process,
      fate: completion?.type === 'ok' ? told : untold,
    });
  }
  return fates;
}

/** How often each value of a key was put, and which were found there. */
function valuesIn(history: History): {
  readonly puts: ReadonlyMap<string, number>;
  readonly found: ReadonlySet<string>;
} {
  const puts = new Map<string, number>();
  const found = new Set<string>();
  for (const operation of history.operations()) {
    const put = putBy(operation);
    if (put !== undefined) puts.set(put, (puts.get(put) ?? 0) + 1);
    const seen = foundBy(operation);
    if (seen !== undefined) found.add(seen);
  }
  return { puts, found };
}

function putBy({ invoke }: Operation): string | undefined {
  if (invoke.f === 'write') return valueOfKey(invoke.key, invoke.value);
  return invoke.f === 'cas' ? valueOfKey(invoke.key, partOf(invoke.value, 1)) : undefined;
}

function foundBy({ invoke, completion }: Operation): string | undefined {
  if (completion?.seen !== undefined) return valueOfKey(invoke.key, completion.seen);
  if (completion?.type !== 'ok') return undefined;
  if (invoke.f === 'read') return valueOfKey(invoke.key, completion.value);
  return invoke.f === 'cas' ? valueOfKey(invoke.key, partOf(invoke.value, 0)) : undefined;
}

function partOf(value: JsonValue, at: 0 | 1): JsonValue | undefined {
  return Array.isArray(value) ? (value as readonly JsonValue[])[at] : undefined;
}

function valueOfKey(key = '', value: JsonValue | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify([key, value]);
}
