/**
 * Waits for what a fault is to follow: a change of the leader, another fault, a write under way.
 * Deciding it here keeps generators pure, and no nemesis has to know of it.
 */
import { type Clock, sleep } from '../core/clock.ts';
import { unreachable } from '../core/invariant.ts';
import type { JsonValue } from '../core/json.ts';
import { msFromNanos, type Nanos, type NodeName, nanosFromMs } from '../core/units.ts';
import { OF_STORE } from '../history/of-store.ts';
import type { Op } from '../history/op.ts';
import type { FaultValue, Leader } from '../protocols/nemesis.ts';
import type { FaultTrigger } from '../protocols/run.ts';
import type { Cluster, RoleSample } from '../protocols/system.ts';
import { noteLeader } from './leaders.ts';

/** Real nodes are asked who leads no more often than twenty times a second. */
const REAL_POLL_MS_MIN = 50;
const POLLS_AN_ELECTION = 20;

export interface TriggersOptions {
  readonly cluster: Pick<Cluster, 'roles' | 'timing'>;
  readonly clock: Clock;
  /** Shared with the nemeses, who ask it for the leader before this one. */
  readonly led: Leader[];
  /** To ask a simulated node takes nothing from it. */
  readonly isSimulated: boolean;
}

/** What came, for people, and after how long; or why nothing will. */
export type Waited =
  | { readonly event: string; readonly waitedMs: number }
  | { readonly reason: string };

export interface Patience {
  /** The lane that waits: what it does itself is no event to it. */
  readonly lane: string;
  /** The end of the phase: no fault begins after it. */
  readonly until: Nanos;
  readonly signal: AbortSignal;
}

type Seen =
  | { readonly is: 'leader'; readonly leader: Leader }
  | { readonly is: 'fault'; readonly lane: string; readonly value: FaultValue }
  /** Nobody knows yet whether it is one that somebody waits for. */
  | { readonly is: 'writes' };

/** What is asked with the begin of a fault, beside the fault's own words. */
export function triggerOf({ value }: Pick<Op, 'value'>): FaultTrigger | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { trigger } = value as Readonly<Record<string, JsonValue>>;
  return trigger === undefined ? undefined : (trigger as unknown as FaultTrigger);
}

/** The same begin, for a nemesis that need not wait. */
export function withoutTrigger(op: Op): Op {
  const { trigger: _, ...value } = op.value as Readonly<Record<string, JsonValue>>;
  return { ...op, value };
}

export class Triggers {
  readonly #options: TriggersOptions;
  readonly #listeners: Set<(seen: Seen) => void> = new Set();
  /** Writes under way, by the node that was asked. */
  readonly #writes: Map<NodeName, number> = new Map();
  #asked: { readonly at: Nanos; readonly answered: Promise<void> } | undefined;

  constructor(options: TriggersOptions) {
    this.#options = options;
  }

  rolesSeen(roles: readonly RoleSample[]): void {
    const leader = noteLeader(this.#options.led, roles);
    // It may have a write under way already, which it was not yet known to lead.
    if (leader !== undefined) this.#tell({ is: 'leader', leader });
  }

  /** A fault's event is over. Only what had an effect is one that others follow. */
  faultSeen(lane: string, value: FaultValue): void {
    if (value.evidence.result === 'installed') this.#tell({ is: 'fault', lane, value });
  }

  /** A client's operation was sent, and ends with this promise. */
  sent(op: Op, node: NodeName, ended: Promise<unknown>): void {
    if (!isWrite(op)) return;
    this.#count(node, 1);
    const over = (): void => this.#count(node, -1);
    ended.then(over, over);
    this.#tell({ is: 'writes' });
  }

  #count(node: NodeName, change: 1 | -1): void {
    this.#writes.set(node, (this.#writes.get(node) ?? 0) + change);
  }

  /** Never rejects: what does not come in time is a reason. */
  async wait(trigger: FaultTrigger, { lane, until, signal }: Patience): Promise<Waited> {
    const { clock } = this.#options;
    const start = clock.now();
    const leftMs = (): number => Math.max(0, msFromNanos(until - clock.now()));
    const event = await this.#first(trigger, lane, Math.min(trigger.withinMs, leftMs()), signal);
    const isOver = (): boolean => signal.aborted || leftMs() === 0;
    const delayMs = 'delayMs' in trigger ? trigger.delayMs : 0;
    if (event !== undefined && delayMs > 0) await sleep(clock, Math.min(delayMs, leftMs()), signal);
    if (event !== undefined && !isOver())
      return { event, waitedMs: Math.round((clock.now() - start) / 1000) / 1000 };
    const when = isOver() ? 'before the faults were over' : `within ${trigger.withinMs} ms`;
    return { reason: `${inVainText(trigger)} ${when}` };
  }

  /** What of it came first, in words; undefined: nothing in this time. */
  async #first(
    trigger: FaultTrigger,
    lane: string,
    ms: number,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    // Whoever leads at first came to it before.
    if (needsLeader(trigger) && this.#options.led.length === 0) await this.#ask();
    const over = new AbortController();
    let event: string | undefined;
    const listener = (seen: Seen): void => {
      event ??= this.#matching(trigger, lane, seen);
      if (event !== undefined) over.abort();
    };
    const stop = (): void => over.abort();
    signal.addEventListener('abort', stop);
    this.#listeners.add(listener);
    try {
      listener({ is: 'writes' });
      if (signal.aborted || event !== undefined) return event;
      // It ends by itself: a node that is slow to answer must not hold up what is known.
      if (needsLeader(trigger)) void this.#askWhoLeads(over.signal);
      await sleep(this.#options.clock, ms, over.signal);
      return event;
    } finally {
      over.abort();
      this.#listeners.delete(listener);
      signal.removeEventListener('abort', stop);
    }
  }

  #matching(trigger: FaultTrigger, lane: string, seen: Seen): string | undefined {
    if ('while' in trigger) return this.#writeAt(trigger.on);
    const { after, of } = trigger;
    switch (after) {
      case 'leader-change':
        if (seen.is !== 'leader') return undefined;
        return `${seen.leader.node} leads in term ${seen.leader.term}`;
      case 'fault-begun':
      case 'fault-ended': {
        if (seen.is !== 'fault' || seen.lane === lane) return undefined;
        const { stage, fault, targets } = seen.value;
        if (stage !== (after === 'fault-begun' ? 'begin' : 'end')) return undefined;
        if (of !== undefined && of !== fault && of !== seen.lane) return undefined;
        const whose = targets.length === 0 ? fault : `${fault} of ${targets.join(', ')}`;
        return `${whose} has ${stage === 'begin' ? 'begun' : 'ended'}`;
      }
      default:
        return unreachable(after);
    }
  }

  #writeAt(on: string): string | undefined {
    const wanted = on === 'leader' ? this.#options.led.at(-1)?.node : on;
    const busy = [...this.#writes].filter(([, count]) => count > 0).map(([node]) => node);
    const node = wanted === 'any' ? busy[0] : busy.find((each) => each === wanted);
    return node === undefined ? undefined : `a write is under way at ${node}`;
  }

  async #askWhoLeads(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#ask();
      await sleep(this.#options.clock, this.#everyMs(), signal);
    }
  }

  #everyMs(): number {
    const { cluster, isSimulated } = this.#options;
    const wantedMs = cluster.timing.electionMs / POLLS_AN_ELECTION;
    return Math.max(isSimulated ? 1 : REAL_POLL_MS_MIN, wantedMs);
  }

  /** One question serves all who wait. */
  #ask(): Promise<void> {
    const { cluster, clock } = this.#options;
    const now = clock.now();
    if (this.#asked === undefined || now - this.#asked.at >= nanosFromMs(this.#everyMs()))
      this.#asked = {
        at: now,
        // Who cannot be asked now is asked again; the observer says that it was in vain.
        answered: cluster.roles().then(
          (roles) => this.rolesSeen(roles),
          () => undefined,
        ),
      };
    return this.#asked.answered;
  }

  #tell(seen: Seen): void {
    for (const listener of this.#listeners) listener(seen);
  }
}

function isWrite({ f, mode }: Op): boolean {
  return mode === undefined && f !== 'read' && !OF_STORE.has(f);
}

function needsLeader(trigger: FaultTrigger): boolean {
  return 'while' in trigger ? trigger.on === 'leader' : trigger.after === 'leader-change';
}

function inVainText(trigger: FaultTrigger): string {
  if ('while' in trigger) return `no write was under way at ${whereText(trigger.on)}`;
  const { after, of = 'another fault' } = trigger;
  switch (after) {
    case 'leader-change':
      return 'no node came to lead';
    case 'fault-begun':
      return `${of} did not begin`;
    case 'fault-ended':
      return `${of} did not end`;
    default:
      return unreachable(after);
  }
}

function whereText(on: string): string {
  if (on === 'leader') return 'the leader';
  return on === 'any' ? 'any node' : on;
}
