import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { LIMITS } from '../../harness/core/limits.ts';
import { suggest } from '../../harness/core/suggest.ts';
import type { Nemesis } from '../../harness/protocols/nemesis.ts';
import type { ScheduledFault } from '../../harness/protocols/run.ts';
import type { Timing } from '../../harness/protocols/system.ts';
import { durationOf, type FaultOptions, list, refuse } from './options.ts';

/** Protocol units (`3el`, `2hb`) in `at` and `for` are read with these unless told otherwise. */
const USUAL_TIMING: Timing = { heartbeatMs: 100, electionMs: 1000 };

/**
 * Reads a scripted schedule: a JSON list of entries such as
 * `{ "at": "5s", "for": "6s", "fault": "partition", "shape": "isolate-leader", "direction": "out" }`.
 * What is not `at`, `for` or `fault` belongs to the fault, whose nemesis checks it. Entries come
 * back in order of time. Throws `bad-input`, naming file and entry, for anything it does not know,
 * and for two faults of one kind that overlap: a kind has one lane.
 */
export function parseSchedule(
  text: string,
  fileName: string,
  nemeses: readonly Nemesis[],
  timing: Timing = USUAL_TIMING,
): ScheduledFault[] {
  const entries = entriesOf(text, fileName);
  const faults = entries.map((entry, index) =>
    readEntry(entry, `${fileName}: entry ${index + 1}`, nemeses, timing),
  );
  const inOrder = faults.toSorted((a, b) => a.atMs - b.atMs);
  for (const lane of Map.groupBy(inOrder, ({ fault }) => fault).values())
    refuseOverlap(lane, fileName);
  return inOrder;
}

function entriesOf(text: string, fileName: string): readonly JsonValue[] {
  let parsed: JsonValue;
  try {
    parsed = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new HarnessError('bad-input', `${fileName}: not JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (!Array.isArray(parsed) || parsed.length === 0)
    refuse(
      fileName,
      'a schedule is a list of faults, such as ' +
        '[{"at": "5s", "for": "6s", "fault": "partition", "shape": "isolate-leader"}]',
    );
  const most = LIMITS.scheduleEntriesMax;
  if (parsed.length > most) refuse(fileName, `${parsed.length} entries are more than ${most}`);
  return parsed as readonly JsonValue[];
}

function readEntry(
  entry: JsonValue,
  where: string,
  nemeses: readonly Nemesis[],
  timing: Timing,
): ScheduledFault {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    refuse(where, `${JSON.stringify(entry)} is not an object`);
  const { at, for: duration, fault, ...options } = entry as FaultOptions;
  const nemesis = nemesisFor(fault, where, nemeses);
  const place = { options: { ...(at !== undefined && { at }), ...forOf(duration) }, where };
  const atMs = durationOf(place, 'at', timing, Number.NaN);
  const forMs = durationOf(place, 'for', timing, Number.NaN);
  if (Number.isNaN(atMs)) refuse(where, `"at" is missing${misspelt('at', options)}`);
  if (Number.isNaN(forMs)) refuse(where, `"for" is missing${misspelt('for', options)}`);
  nemesis.check?.(options, `${where} (${nemesis.name})`);
  return { atMs, forMs, fault: nemesis.name, options };
}

function forOf(duration: JsonValue | undefined): FaultOptions {
  return duration === undefined ? {} : { for: duration };
}

function nemesisFor(
  fault: JsonValue | undefined,
  where: string,
  nemeses: readonly Nemesis[],
): Nemesis {
  const names = nemeses.map(({ name }) => name);
  if (fault === undefined) return refuse(where, `"fault" is missing; it is one of ${list(names)}`);
  const nemesis = nemeses.find(({ name }) => name === fault);
  if (nemesis !== undefined) return nemesis;
  const hint = typeof fault === 'string' ? suggest(fault, names) : '';
  return refuse(
    where,
    `no fault is called ${JSON.stringify(fault)}${hint}; there are ${list(names)}`,
  );
}

/** ` (did you mean 'at'?)` the other way round: which of the unknown keys was meant to be `key`. */
function misspelt(key: string, options: FaultOptions): string {
  const found = Object.keys(options).find((other) => suggest(other, [key]) !== '');
  return found === undefined ? '' : `: '${found}' is not known (did you mean '${key}'?)`;
}

function refuseOverlap(lane: readonly ScheduledFault[], fileName: string): void {
  for (const [index, later] of lane.entries()) {
    const earlier = lane[index - 1];
    if (earlier === undefined || earlier.atMs + earlier.forMs <= later.atMs) continue;
    refuse(
      fileName,
      `two faults of the kind ${later.fault} overlap: one from ${earlier.atMs} ms to ` +
        `${earlier.atMs + earlier.forMs} ms, one at ${later.atMs} ms; a kind has one lane`,
    );
  }
}
