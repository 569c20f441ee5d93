/** The alarms that are on: part of the state machine. */
import type { MemberId } from '../raft/types.ts';
import type { Buckets, BucketWriter } from '../storage/types.ts';

const BUCKET = 'alarms';
const SET = Uint8Array.of(1);

/** On disk and on the wire, with etcd's numbers: 0 is none. */
export const ALARM_TYPES = ['NOSPACE', 'CORRUPT'] as const;
export type AlarmType = (typeof ALARM_TYPES)[number];

/** Raised by, or for, one member; what it forbids, it forbids on all of them. */
export interface Alarm {
  readonly member: MemberId;
  readonly type: AlarmType;
}

/** Changed only by applied entries, alike on every member. */
export class Alarms {
  readonly #writer: BucketWriter;
  readonly #on = new Map<string, Alarm>();

  constructor(buckets: Buckets, writer: BucketWriter) {
    this.#writer = writer;
    for (const name of buckets.get(BUCKET)?.keys() ?? []) {
      const [type, member] = name.split('/');
      const known = ALARM_TYPES.find((each) => each === type);
      if (known !== undefined && member !== undefined) this.#on.set(name, { member, type: known });
    }
  }

  /** By type, then by member. */
  list(): Alarm[] {
    return [...this.#on].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, alarm]) => alarm);
  }

  /** Of any member. */
  has(type: AlarmType): boolean {
    return this.#on.size > 0 && [...this.#on.values()].some((alarm) => alarm.type === type);
  }

  isOn(alarm: Alarm): boolean {
    return this.#on.has(nameOf(alarm));
  }

  /** What is on by then: this one, also when it was before. */
  activate(alarm: Alarm): Alarm[] {
    const name = nameOf(alarm);
    if (!this.#on.has(name)) this.#writer.put(BUCKET, name, SET);
    this.#on.set(name, alarm);
    return [alarm];
  }

  /** What is off by then; nothing when it was not on. */
  deactivate(alarm: Alarm): Alarm[] {
    const name = nameOf(alarm);
    if (!this.#on.delete(name)) return [];
    this.#writer.delete(BUCKET, name);
    return [alarm];
  }
}

function nameOf({ type, member }: Alarm): string {
  return `${type}/${member}`;
}
