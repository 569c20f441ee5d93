import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { LIMITS } from '../../harness/core/limits.ts';
import { suggest } from '../../harness/core/suggest.ts';
import type { Nemesis } from '../../harness/protocols/nemesis.ts';
import type { ScheduledFault } from '../../harness/protocols/run.ts';
import type { Timing } from '../../harness/protocols/system.ts';
import { laneOf, overlapIn, withLanes } from './lanes.ts';
import { durationOf, type FaultOptions, list, refuse } from './options.ts';
import { readTrigger } from './trigger-spec.ts';

/** Protocol units (`3el`, `2hb`) in `at` and `for` are read with these unless told otherwise. */
const USUAL_TIMING: Timing = { heartbeatMs: 100, electionMs: 1000 };

/**
 * Reads a scripted schedule: a JSON list of entries such as
 * `{ "at": "5s", "for": "6s", "fault": "partition", "shape": "isolate-leader", "direction": "out" }`.
 * Beside these three an entry may name its lane and what it waits for; all else belongs to the fault,
 * whose nemesis checks it. Entries come back in order of time, and those of one kind that may overlap
 * in lanes of their own. Throws `bad-input`, naming file and entry, for anything it does not know.
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
  const single = nemeses.flatMap(({ name, single: why }) => (why === undefined ? [] : [name]));
  const inOrder = withLanes(
    faults.toSorted((a, b) => a.atMs - b.atMs),
    new Set(single),
  );
  refuseOverlap(inOrder, fileName, nemeses);
  for (const fault of inOrder) requireKnownOf(fault, inOrder, fileName);
  return [...inOrder];
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
  const { at, for: duration, fault, lane, options: own, ...flat } = entry as FaultOptions;
  const nemesis = nemesisFor(fault, where, nemeses);
  const place = { options: { ...(at !== undefined && { at }), ...forOf(duration) }, where };
  const atMs = durationOf(place, 'at', timing, Number.NaN);
  const forMs = durationOf(place, 'for', timing, Number.NaN);
  if (Number.isNaN(atMs)) refuse(where, `"at" is missing${misspelt('at', flat)}`);
  if (Number.isNaN(forMs)) refuse(where, `"for" is missing${misspelt('for', flat)}`);
  const { trigger, rest } = readTrigger({ options: flat, where }, timing);
  const options = own === undefined ? rest : ownOptions(own, rest, where);
  const word = ['stage', 'trigger'].find((key) => Object.hasOwn(options, key));
  if (word !== undefined) refuse(where, `no fault has an option '${word}': histories use the word`);
  nemesis.check?.(options, `${where} (${nemesis.name})`);
  return {
    atMs,
    forMs,
    fault: nemesis.name,
    options,
    ...(lane !== undefined && laneNamed(lane, nemesis, where, nemeses)),
    ...(trigger !== undefined && { trigger }),
  };
}

/** A lane of its own is called after its kind, so that nobody takes it for another. */
function laneNamed(
  lane: JsonValue,
  { name, single }: Nemesis,
  where: string,
  nemeses: readonly Nemesis[],
): Pick<ScheduledFault, 'lane'> {
  if (lane === name) return { lane };
  if (single !== undefined) refuse(where, `lane: ${name} has one lane only: ${single}`);
  const isOurs =
    typeof lane === 'string' && /^[a-z0-9-]+$/.test(lane) && lane.startsWith(`${name}-`);
  if (isOurs && nemeses.every((other) => other.name !== lane)) return { lane };
  return refuse(where, `lane: ${JSON.stringify(lane)} is none of ${name}; write ${name}-2`);
}

function ownOptions(own: JsonValue, rest: FaultOptions, where: string): FaultOptions {
  if (typeof own !== 'object' || own === null || Array.isArray(own))
    refuse(where, `options: ${JSON.stringify(own)} is not an object`);
  const [stray] = Object.keys(rest);
  if (stray !== undefined)
    refuse(where, `'${stray}' stands beside "options": write all of the fault's words in there`);
  return own as FaultOptions;
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

function refuseOverlap(
  schedule: readonly ScheduledFault[],
  fileName: string,
  nemeses: readonly Nemesis[],
): void {
  const [earlier, later] = overlapIn(schedule) ?? [];
  if (earlier === undefined || later === undefined) return;
  const single = nemeses.find(({ name }) => name === later.fault)?.single;
  const why =
    single === undefined ? 'leave "lane" out, or name another' : `it has one lane only: ${single}`;
  refuse(
    fileName,
    `two faults of the lane ${laneOf(later)} overlap: one from ${earlier.atMs} ms to ` +
      `${earlier.atMs + earlier.forMs} ms, one at ${later.atMs} ms; ${why}`,
  );
}

/** What nobody does cannot be waited for. */
function requireKnownOf(
  fault: ScheduledFault,
  schedule: readonly ScheduledFault[],
  fileName: string,
): void {
  const { trigger } = fault;
  if (trigger === undefined || !('of' in trigger) || trigger.of === undefined) return;
  const { of, after } = trigger;
  const others = schedule.filter((other) => laneOf(other) !== laneOf(fault));
  const known = [...new Set(others.flatMap((other) => [other.fault, laneOf(other)]))];
  if (known.includes(of)) return;
  const there = known.length === 0 ? 'it has no other lane' : `its other lanes: ${list(known)}`;
  refuse(
    fileName,
    `${fault.fault} ${after} of '${of}'${suggest(of, known)}: the schedule has none; ${there}`,
  );
}
