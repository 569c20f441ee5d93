/**
 * What a run has shown, as a set of words: in which situation of the cluster which fault came to whom,
 * for how long and after what; and how near something came to going wrong. Two runs with the same words
 * are more of the same.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import { NANOS_PER_MS, type Nanos } from '../../harness/core/units.ts';
import type { Op } from '../../harness/history/op.ts';
import type { FaultValue } from '../../harness/protocols/nemesis.ts';
import type { RoleSample, Timing } from '../../harness/protocols/system.ts';
import { Tripwire } from './tripwire.ts';

export interface Covered {
  /** Situations of faults, and near misses. */
  readonly features: readonly string[];
  /** Faults that took effect, by kind and by whom they hit, as `partition leader`. */
  readonly hits: Readonly<Record<string, number>>;
}

/** What was asked, and who was what then: while it is seen to take effect, that changes. */
interface Asked {
  readonly options: Readonly<Record<string, JsonValue>>;
  readonly roles: readonly RoleSample[];
}

interface Begun {
  readonly situation: string;
  readonly time: Nanos;
}

/** A node that came back so many elections ago is new. */
const JUST = 2;
/** Upper bounds of durations, in elections. */
const DURATIONS = [0.3, 0.7, 1, 1.6, 2.6, 4] as const;

/** Reads a history as it is made; nothing in it is asked twice. */
export class Coverage {
  readonly tripwire: Tripwire = new Tripwire();
  readonly #election: number;
  readonly #features: Set<string> = new Set();
  readonly #hits: Map<string, number> = new Map();
  readonly #begun: Map<string, Begun> = new Map();
  readonly #asked: Map<string, Asked> = new Map();
  readonly #returned: Map<string, Nanos> = new Map();
  #roles: readonly RoleSample[] = [];
  #sampled = 0;
  #before = 'nothing';
  #twoLeaders = 0;
  #unknown = 0;
  #termMax = 0;
  #leaderChanges = 0;

  constructor({ electionMs }: Timing) {
    this.#election = electionMs * NANOS_PER_MS;
  }

  take(op: Op): void {
    this.tripwire.take(op);
    const { process, type, f, value } = op;
    if (process === 'observer') {
      if (f === 'roles') this.#sample(value as unknown as readonly RoleSample[], op.time);
    } else if (process === 'nemesis') this.#fault(op);
    else if (type === 'info') this.#unknown++;
  }

  covered(): Covered {
    const near = {
      'two leaders': bucket(this.#twoLeaders / this.#election, DURATIONS),
      'unknown operations': log2(this.#unknown),
      'terms with a leader': log2(this.#leaderChanges),
      'revisions behind': log2(this.tripwire.behindMost),
    };
    const words = Object.entries(near).map(([what, size]) => `${what}: ${size}`);
    return {
      features: [...this.#features, ...words],
      hits: Object.fromEntries(this.#hits),
    };
  }

  #sample(roles: readonly RoleSample[], time: Nanos): void {
    const leaders = this.#roles.filter(({ role }) => role === 'leader');
    if (leaders.length > 1) this.#twoLeaders += time - this.#sampled;
    this.#roles = roles;
    this.#sampled = time;
    const led = roles.filter(({ role }) => role === 'leader').map(({ term = 0 }) => term);
    const newest = Math.max(0, ...led);
    if (newest <= this.#termMax) return;
    this.#termMax = newest;
    this.#leaderChanges++;
  }

  #fault({ type, id = '', value, time }: Op): void {
    if (type === 'invoke') {
      const options = value as Readonly<Record<string, JsonValue>>;
      this.#asked.set(id, { options, roles: this.#roles });
      return;
    }
    const fault = value as unknown as Partial<FaultValue> | null;
    // An invocation that broke completes with what it was asked.
    if (fault === null || !isDone(fault)) return;
    if (fault.stage === 'begin') this.#begins(id, fault, time);
    else this.#ends(id, fault, time);
  }

  #begins(id: string, { fault, targets, trigger }: FaultValue, time: Nanos): void {
    const { options = {}, roles: then = [] } = this.#asked.get(id) ?? {};
    // One that waited found another world.
    const roles = trigger === undefined ? then : this.#roles;
    const whom = whomOf(targets, roles);
    const how = ['shape', 'direction', 'do', 'as'].map((key) => wordOf(options[key])).join(' ');
    const beside = [...this.#begun.keys()].map(kindOf).toSorted().join('+');
    const hit = `${fault} ${whom}`;
    this.#hits.set(hit, (this.#hits.get(hit) ?? 0) + 1);
    this.#begun.set(id, {
      situation: [this.#state(roles, time), fault, how.trim(), whom, this.#before, beside].join(
        '|',
      ),
      time,
    });
    this.#before = fault;
  }

  #ends(id: string, { fault, targets }: FaultValue, time: Nanos): void {
    const begun = this.#begun.get(id);
    if (begun === undefined) return;
    this.#begun.delete(id);
    this.#features.add(
      `${begun.situation}|${bucket((time - begun.time) / this.#election, DURATIONS)}`,
    );
    if (fault === 'partition') return;
    for (const node of targets) this.#returned.set(node, time);
  }

  /** The cluster as nobody's name appears in it: how many nodes are in which condition. */
  #state(roles: readonly RoleSample[], time: Nanos): string {
    const term = Math.max(0, ...roles.map((sample) => sample.term ?? 0));
    const applied = Math.max(0, ...roles.map((sample) => sample.applied ?? 0));
    const leader = roles.find((sample) => sample.role === 'leader' && sample.term === term)?.node;
    const conditions = roles.map((sample) => {
      if (sample.state !== 'answered') return 'x';
      const since = time - (this.#returned.get(sample.node) ?? Number.NEGATIVE_INFINITY);
      const lag = applied - (sample.applied ?? applied);
      return [
        sample.role.charAt(0),
        Math.min(2, term - (sample.term ?? term)) || '',
        lag > 100 ? '<<' : lag > 10 ? '<' : '',
        since < JUST * this.#election ? 'n' : '',
        leader !== undefined && sample.leader !== leader ? '?' : '',
      ].join('');
    });
    const counts = Map.groupBy(conditions, (condition) => condition);
    return [...counts]
      .map(([condition, all]) => `${Math.min(3, all.length)}${condition}`)
      .toSorted()
      .join(' ');
  }
}

/** Whether it took effect, as far as anybody could see. */
function isDone(fault: Partial<FaultValue>): fault is FaultValue {
  return fault.evidence !== undefined && fault.evidence.result !== 'skipped';
}

/** The roles of those who are hit, and whether they are few, a majority, or all. */
function whomOf(targets: readonly string[], sampled: readonly RoleSample[]): string {
  const count = Math.max(1, sampled.length);
  const roles = sampled
    .filter(({ node }) => targets.includes(node))
    .map(({ role, state }) => (state === 'answered' ? role : 'unreachable'));
  const who = [...new Set(roles)].toSorted().join('+') || 'links';
  if (targets.length >= count && count > 1) return 'all';
  return targets.length > count / 2 ? `${who} (majority)` : who;
}

function wordOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** `partition-2` is of the kind `partition`. */
function kindOf(id: string): string {
  return id.replace(/(-\d+)+$/, '');
}

function bucket(value: number, bounds: readonly number[]): string {
  const bound = bounds.find((each) => value < each);
  return bound === undefined ? 'more' : `<${bound}`;
}

function log2(count: number): number {
  return count <= 0 ? 0 : Math.floor(Math.log2(count)) + 1;
}
