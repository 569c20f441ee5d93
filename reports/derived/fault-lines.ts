import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import type { FaultValue } from '../../harness/protocols/nemesis.ts';
import { faultValue } from '../faults.ts';

/** One line of `faults.jsonl`: a fault that began or was undone, and what showed it. */
export interface FaultLine {
  /** Nanoseconds since the start of the run, when it was done; `sent`: when it was asked for. */
  readonly t: number;
  readonly sent: number;
  readonly event: 'begin' | 'end';
  readonly lane: string;
  readonly id: string;
  /** At an end: the faults that it ended, by their ids. */
  readonly ends?: readonly string[];
  readonly fault: string;
  readonly text: string;
  readonly targets: readonly string[];
  /** `installed`: seen from outside to have taken effect; of an end: to be undone. */
  readonly result: 'installed' | 'skipped' | 'failed';
  /** What was seen; of the other results, why not. */
  readonly probe?: JsonValue;
  readonly why?: string;
  /** What the schedule asked for, in the fault's own words. */
  readonly asked: JsonValue;
  /** Connectivity as it was measured afterwards. */
  readonly links?: Readonly<Record<string, string>>;
}

export function faultLines(history: History): FaultLine[] {
  const lines: FaultLine[] = [];
  const open = new Map<string, string[]>();
  for (const op of history.faults()) {
    const value = faultValue(op);
    if (value === undefined) continue;
    const lane = op.lane ?? value.fault;
    const ids = open.get(lane) ?? [];
    const id = op.id ?? '';
    // An end with an id of its own undoes all that its lane still holds.
    const ends = ids.includes(id) ? [id] : ids;
    if (value.stage === 'begin') open.set(lane, [...ids, id]);
    else if (value.evidence.result !== 'failed')
      open.set(
        lane,
        ids.filter((each) => !ends.includes(each)),
      );
    lines.push(lineOf(op, value, history, { lane, id, ends }));
  }
  return lines;
}

function lineOf(
  op: Op,
  value: FaultValue,
  history: History,
  {
    lane,
    id,
    ends,
  }: { readonly lane: string; readonly id: string; readonly ends: readonly string[] },
): FaultLine {
  const { stage, fault, text, targets, evidence, matrix } = value;
  const pair = history.pairOf(op.index);
  const sent = pair < 0 ? undefined : history.op(pair);
  return {
    t: op.time,
    sent: sent?.time ?? op.time,
    event: stage,
    lane,
    id,
    ...(stage === 'end' && { ends }),
    fault,
    text,
    targets,
    result: evidence.result,
    ...(evidence.result === 'installed' ? { probe: evidence.probe } : { why: evidence.why }),
    asked: sent?.value ?? null,
    ...(matrix !== undefined && { links: matrix }),
  };
}
