/** Reads the faults of a run from the nemesis's entries: when each began, ended, and what showed it. */
import type { JsonValue } from '../harness/core/json.ts';
import type { History } from '../harness/history/history.ts';
import type { Op } from '../harness/history/op.ts';
import type { FaultBand } from '../harness/protocols/details.ts';
import type { Evidence, FaultValue } from '../harness/protocols/nemesis.ts';

export interface Band {
  /** From the completion of the begin event to that of the end event. */
  readonly band: FaultBand;
  /** What showed that it was undone; absent while it lasts. Skipped: nothing was left to undo. */
  readonly healed?: Evidence;
}

/**
 * One band for each begin event that completed, in that order. An end event ends the band with its
 * lane and id; one with an id of its own ends all that is open in its lane.
 */
export function faultBands(history: History): Band[] {
  const bands: { begin: Op; value: FaultValue; end?: Op; healed?: Evidence }[] = [];
  for (const op of history.faults()) {
    if (op.type === 'invoke' || !isFaultValue(op.value)) continue;
    const value = op.value;
    if (value.stage === 'begin') {
      bands.push({ begin: op, value });
      continue;
    }
    // A fault whose end failed is not over: a later attempt, the heal at last, may undo it.
    const open = bands.filter(
      ({ begin, healed }) => begin.lane === op.lane && (healed?.result ?? 'failed') === 'failed',
    );
    const same = open.filter(({ begin }) => begin.id === op.id);
    for (const band of same.length > 0 ? same : open) {
      band.end = op;
      band.healed = value.evidence;
    }
  }
  return bands.map(({ begin, value, end, healed }) => ({
    band: bandOf(begin, value, end),
    ...(healed !== undefined && { healed }),
  }));
}

function bandOf(begin: Op, value: FaultValue, end: Op | undefined): FaultBand {
  const { evidence, matrix } = value;
  const cut = Object.entries(matrix ?? {}).flatMap(([link, state]) =>
    state === 'cut' ? [link] : [],
  );
  return {
    id: begin.id ?? `entry-${begin.index}`,
    lane: begin.lane ?? value.fault,
    fault: value.fault,
    text: value.text,
    targets: value.targets,
    beginNanos: begin.time,
    ...(end !== undefined && { endNanos: end.time }),
    result: evidence.result,
    evidence: evidence.result === 'installed' ? probeText(evidence.probe) : evidence.why,
    ...(cut.length > 0 && { cut }),
  };
}

function probeText(probe: JsonValue): string {
  return typeof probe === 'string' ? probe : JSON.stringify(probe);
}

/** Histories come from files, so the shape is looked at before it is believed. */
function isFaultValue(value: unknown): value is FaultValue {
  if (!isRecord(value) || !isRecord(value['evidence'])) return false;
  const { stage, fault, text, targets, evidence } = value;
  return (
    (stage === 'begin' || stage === 'end') &&
    typeof fault === 'string' &&
    typeof text === 'string' &&
    Array.isArray(targets) &&
    typeof evidence['result'] === 'string' &&
    ['installed', 'skipped', 'failed'].includes(evidence['result'])
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
