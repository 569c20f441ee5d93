/** Who belongs to the cluster, as far as it is applied: part of the state machine. */
import { ByteReader, ByteWriter } from '../bytes.ts';
import { FAILURES, type Failure } from '../failures.ts';
import type { MemberId } from '../raft/types.ts';
import type { Buckets, BucketWriter } from '../storage/types.ts';
import type { Member } from './api.ts';
import type { ConfigData } from './command.ts';

const BUCKET = 'members';
/** Members never come back under the same id. */
const REMOVED_BUCKET = 'removed';
/** As in etcd 3.4. */
const LEARNERS_MAX = 1;

/** All the rest: of a cluster that will have other members. */
export function withoutMembers(buckets: Buckets): Buckets {
  return new Map([...buckets].filter(([name]) => name !== BUCKET && name !== REMOVED_BUCKET));
}

export interface RemovedMember {
  readonly id: MemberId;
  readonly peerUrls: readonly string[];
}

/** Changed only by applied entries, alike on every member. */
export class Members {
  readonly #writer: BucketWriter;
  readonly #members = new Map<MemberId, Member>();
  readonly #removed = new Map<MemberId, RemovedMember>();

  constructor(buckets: Buckets, writer: BucketWriter) {
    this.#writer = writer;
    for (const value of buckets.get(BUCKET)?.values() ?? []) {
      const member = decode(value);
      this.#members.set(member.id, member);
    }
    for (const value of buckets.get(REMOVED_BUCKET)?.values() ?? []) {
      const { id, peerUrls } = decode(value);
      this.#removed.set(id, { id, peerUrls });
    }
  }

  /** Sorted by id. */
  list(): Member[] {
    return [...this.#members.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  get(id: MemberId): Member | undefined {
    return this.#members.get(id);
  }

  removed(id: MemberId): RemovedMember | undefined {
    return this.#removed.get(id);
  }

  /** Why etcd would refuse it; asked before it is proposed, and again when it is applied. */
  refusal(change: ConfigData): Failure | undefined {
    const member = this.#members.get(change.member);
    if (change.type !== 'add') {
      if (member === undefined) return FAILURES.memberNotFound;
      return change.type === 'promote' && !member.isLearner ? FAILURES.notLearner : undefined;
    }
    if (member !== undefined || this.#removed.has(change.member)) return FAILURES.memberExists;
    if (this.#isTaken(change.peerUrls, change.member)) return FAILURES.peerUrlExists;
    const learners = [...this.#members.values()].filter(({ isLearner }) => isLearner).length;
    return change.isLearner && learners >= LEARNERS_MAX ? FAILURES.tooManyLearners : undefined;
  }

  apply(change: ConfigData): Failure | undefined {
    const refusal = this.refusal(change);
    if (refusal !== undefined) return refusal;
    const { type, member: id } = change;
    if (type === 'add') {
      const { name, peerUrls, isLearner } = change;
      this.#set({ id, name, peerUrls, clientUrls: [], isLearner });
      return undefined;
    }
    const member = this.#members.get(id);
    if (member === undefined) return FAILURES.memberNotFound;
    if (type === 'promote') {
      this.#set({ ...member, isLearner: false });
      return undefined;
    }
    this.#members.delete(id);
    this.#writer.delete(BUCKET, id);
    this.#removed.set(id, { id, peerUrls: member.peerUrls });
    this.#writer.put(REMOVED_BUCKET, id, encode({ ...member, name: '', clientUrls: [] }));
    return undefined;
  }

  /** A member has started and says what it is called. */
  publish(id: MemberId, name: string, clientUrls: readonly string[]): void {
    const member = this.#members.get(id);
    if (member !== undefined) this.#set({ ...member, name, clientUrls });
  }

  update(id: MemberId, peerUrls: readonly string[]): Failure | undefined {
    const member = this.#members.get(id);
    if (member === undefined) return FAILURES.memberNotFound;
    if (this.#isTaken(peerUrls, id)) return FAILURES.peerUrlExists;
    this.#set({ ...member, peerUrls });
    return undefined;
  }

  #isTaken(peerUrls: readonly string[], by: MemberId): boolean {
    return [...this.#members.values()].some(
      (member) => member.id !== by && member.peerUrls.some((url) => peerUrls.includes(url)),
    );
  }

  #set(member: Member): void {
    this.#members.set(member.id, member);
    this.#writer.put(BUCKET, member.id, encode(member));
  }
}

function encode({ id, name, peerUrls, clientUrls, isLearner }: Member): Uint8Array {
  const writer = new ByteWriter();
  writer.text(id).text(name);
  writer.list(peerUrls, (url) => writer.text(url));
  writer.list(clientUrls, (url) => writer.text(url));
  return writer.byte(isLearner ? 1 : 0).done();
}

function decode(value: Uint8Array): Member {
  const reader = new ByteReader(value);
  return {
    id: reader.text(),
    name: reader.text(),
    peerUrls: reader.list(() => reader.text()),
    clientUrls: reader.list(() => reader.text()),
    isLearner: reader.byte() === 1,
  };
}
