import type { Op } from '../harness/history/op.ts';
import {
  type Leader,
  type LeaderChange,
  LeaderWatch,
  type RoleClaim,
  samplesOf,
} from './cluster.ts';
import { evidenceText, faultValue } from './faults.ts';
import { LinkWatch } from './link-watch.ts';
import { faultText } from './words.ts';

/** What just happened that is worth a line of its own. */
export type Notice =
  | {
      readonly kind: 'fault';
      readonly stage: 'begin' | 'end';
      readonly text: string;
      readonly result: 'installed' | 'skipped' | 'failed';
      readonly evidence: string;
    }
  | { readonly kind: 'leader'; readonly change: LeaderChange };

export interface ActiveFault {
  readonly text: string;
  readonly sinceNanos: number;
}

/** A fault that began, and what was seen of it. */
export interface FaultRecord {
  readonly text: string;
  readonly beginNanos: number;
  readonly result: 'installed' | 'skipped' | 'failed';
  readonly evidence: string;
  /** Absent while it goes on. */
  readonly endNanos?: number;
  /** Why it could not be shown to be gone. */
  readonly stuck?: string;
}

/** Counts of a stretch of time and latencies of what ended ok in it, in nanoseconds. */
export interface Load {
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  readonly perSecond: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

const SLOTS = 16;
const RECORDS = 50;
/** Eight steps an octave: latencies are told apart when they differ by 9 %. */
const STEPS = 8;
/** From 1 µs to more than an hour. */
const HISTOGRAM = 32 * STEPS;

interface Slot {
  second: number;
  ok: number;
  fail: number;
  info: number;
  readonly latencies: Uint32Array;
}

/**
 * Counts what is recorded, in memory that does not grow with the run: sixteen slots of one second,
 * one start time a client, and the last fifty faults.
 */
export class Meter {
  readonly total: { ok: number; fail: number; info: number } = { ok: 0, fail: 0, info: 0 };
  readonly faults: Map<string, ActiveFault> = new Map();
  readonly links: LinkWatch = new LinkWatch();
  /** Of all faults that began or were to begin. */
  readonly begun: { all: number; installed: number } = { all: 0, installed: 0 };
  roles: readonly RoleClaim[] = [];
  readonly #watch = new LeaderWatch();
  readonly #starts = new Map<number, number>();
  readonly #records: { lane: string; record: FaultRecord }[] = [];
  readonly #slots: readonly Slot[] = Array.from({ length: SLOTS }, () => ({
    second: -1,
    ok: 0,
    fail: 0,
    info: 0,
    latencies: new Uint32Array(HISTOGRAM),
  }));

  get leader(): Leader | undefined {
    return this.#watch.leader;
  }

  /** Operations that wait for an answer. */
  get open(): number {
    return this.#starts.size;
  }

  /** The last fifty, in the order in which they began. */
  get records(): readonly FaultRecord[] {
    return this.#records.map(({ record }) => record);
  }

  observe(op: Op): Notice | undefined {
    if (typeof op.process === 'number') {
      this.#client(op.process, op);
      return undefined;
    }
    return op.process === 'nemesis' ? this.#fault(op) : this.#observation(op);
  }

  /** The last `seconds` before `nowNanos`, at most 15; the current second counts as far as it is. */
  load(nowNanos: number, seconds: number): Load {
    const now = Math.floor(nowNanos / 1e9);
    const first = now - Math.min(seconds, SLOTS - 1);
    const latencies = new Uint32Array(HISTOGRAM);
    const sum = { ok: 0, fail: 0, info: 0 };
    for (const slot of this.#slots) {
      if (slot.second <= first || slot.second > now) continue;
      sum.ok += slot.ok;
      sum.fail += slot.fail;
      sum.info += slot.info;
      for (let at = 0; at < HISTOGRAM; at++)
        latencies[at] = (latencies[at] ?? 0) + (slot.latencies[at] ?? 0);
    }
    const spanNanos = nowNanos - Math.max(0, (first + 1) * 1e9);
    const all = sum.ok + sum.fail + sum.info;
    return {
      ...sum,
      perSecond: spanNanos <= 0 ? 0 : (all * 1e9) / Math.max(spanNanos, 1e8),
      p50: quantile(latencies, sum.ok, 0.5),
      p99: quantile(latencies, sum.ok, 0.99),
    };
  }

  #client(process: number, { type, time }: Op): void {
    if (type === 'invoke') {
      this.#starts.set(process, time);
      return;
    }
    this.total[type]++;
    const second = Math.floor(time / 1e9);
    const slot = this.#slots[second % SLOTS];
    if (slot === undefined) return;
    if (slot.second !== second) {
      slot.second = second;
      slot.ok = 0;
      slot.fail = 0;
      slot.info = 0;
      slot.latencies.fill(0);
    }
    slot[type]++;
    const start = this.#starts.get(process);
    this.#starts.delete(process);
    if (type !== 'ok' || start === undefined) return;
    const at = stepOf(time - start);
    slot.latencies[at] = (slot.latencies[at] ?? 0) + 1;
  }

  #fault(op: Op): Notice | undefined {
    const value = faultValue(op);
    if (value === undefined) return undefined;
    const { stage, evidence } = value;
    const text = faultText(value);
    const name = op.lane ?? value.fault;
    if (stage === 'end') this.faults.delete(name);
    else if (evidence.result === 'installed') this.faults.set(name, { text, sinceNanos: op.time });
    this.links.add(name, value);
    const notice = { text, result: evidence.result, evidence: evidenceText(evidence, 80) };
    if (stage === 'end') this.#end(name, op.time, notice);
    else this.#begin(name, { ...notice, beginNanos: op.time });
    return { kind: 'fault', stage, ...notice };
  }

  #begin(lane: string, record: FaultRecord): void {
    this.begun.all++;
    if (record.result === 'installed') this.begun.installed++;
    this.#records.push({ lane, record });
    if (this.#records.length > RECORDS) this.#records.shift();
  }

  /** Of the newest of its lane: those of one lane come one after the other. */
  #end(lane: string, endNanos: number, seen: Pick<FaultRecord, 'result' | 'evidence'>): void {
    const entry = this.#records.findLast((each) => each.lane === lane);
    if (entry === undefined || entry.record.endNanos !== undefined) return;
    // What was skipped never began.
    if (entry.record.result === 'skipped') return;
    const stuck = seen.result === 'failed' ? { stuck: seen.evidence } : {};
    entry.record = { ...entry.record, endNanos, ...stuck };
  }

  #observation(op: Op): Notice | undefined {
    if (op.f !== 'roles') return undefined;
    this.roles = samplesOf(op.value);
    const change = this.#watch.add(this.roles, op.time);
    return change === undefined ? undefined : { kind: 'leader', change };
  }
}

function stepOf(nanoseconds: number): number {
  const octaves = Math.log2(Math.max(1, nanoseconds / 1000));
  return Math.min(HISTOGRAM - 1, Math.floor(octaves * STEPS));
}

/** The upper end of the step that holds the quantile. */
function quantile(histogram: Uint32Array, count: number, share: number): number | null {
  if (count === 0) return null;
  let left = Math.max(1, Math.ceil(count * share));
  for (let at = 0; at < HISTOGRAM; at++) {
    left -= histogram[at] ?? 0;
    if (left <= 0) return 2 ** ((at + 1) / STEPS) * 1000;
  }
  return null;
}
