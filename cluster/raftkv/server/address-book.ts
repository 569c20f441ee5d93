/** Where the members are: also those that are not applied yet, and those that do not know it is over. */
import { type Bugs, NO_BUGS } from '../bugs.ts';
import type { Entry, MemberId } from '../raft/types.ts';
import { decodeConfigData } from './command.ts';
import type { FoundCluster } from './config.ts';
import { addressOf } from './member-changes.ts';
import type { Members } from './members.ts';

interface Announced {
  readonly index: number;
  readonly peerUrls: readonly string[];
}

export class AddressBook {
  readonly #self: MemberId;
  readonly #bugs: Bugs;
  /**
   * A new member must be reached before its entry is committed, since it may be needed for that.
   * In the order of the log.
   */
  readonly #announced = new Map<MemberId, Announced>();
  /** What others told: all that a joining member knows before it has their log. */
  readonly #found = new Map<MemberId, readonly string[]>();
  /** Removed, but still talking. */
  readonly #outcasts = new Set<MemberId>();

  constructor(self: MemberId, bugs: Bugs = NO_BUGS) {
    this.#self = self;
    this.#bugs = bugs;
  }

  /** What was told by those that are there. */
  found({ members }: FoundCluster): void {
    for (const { id, peerUrls } of members) this.#found.set(id, peerUrls);
  }

  /** False: a member that is newer than this one's log, or no member. */
  knows(member: MemberId, members: Members): boolean {
    return (
      member === this.#self ||
      members.get(member) !== undefined ||
      this.#announced.has(member) ||
      this.#found.has(member)
    );
  }

  /** True when there is another address to know. They replace what the log had at their indices. */
  appending(entries: readonly Entry[]): boolean {
    let changed = this.#truncate(entries[0]?.index ?? Number.POSITIVE_INFINITY);
    for (const { index, payload } of entries) {
      if (payload.kind !== 'config') continue;
      const data = decodeConfigData(payload.data);
      if (data.type !== 'add') continue;
      this.#announced.set(data.member, { index, peerUrls: data.peerUrls });
      changed = true;
    }
    return changed;
  }

  /** Who was never added in the end must not be taken for one who was, by the same addresses. */
  #truncate(from: number): boolean {
    if (this.#announced.size === 0) return false;
    const gone = [...this.#announced].filter(([, { index }]) => index >= from);
    for (const [member] of gone) this.#announced.delete(member);
    return gone.length > 0;
  }

  /** Keeps a way to a removed member, to tell it. False: it was known already. */
  outcast(member: MemberId): boolean {
    if (this.#outcasts.has(member)) return false;
    this.#outcasts.add(member);
    return true;
  }

  forget(member: MemberId): void {
    this.#outcasts.delete(member);
  }

  /** All others, with their peer URLs; who was added later comes later. */
  all(members: Members): Map<MemberId, readonly string[]> {
    const urls = new Map<MemberId, readonly string[]>();
    for (const { id, peerUrls } of members.list()) urls.set(id, peerUrls);
    // Breaks: whoever is removed is not talked to any more.
    const keepsRemoved = this.#bugs.has('removed-member-votes');
    const isNews = (id: MemberId): boolean =>
      !urls.has(id) && (keepsRemoved || members.removed(id) === undefined);
    for (const [id, peerUrls] of this.#found) if (isNews(id)) urls.set(id, peerUrls);
    for (const [id, { peerUrls }] of this.#announced) if (isNews(id)) urls.set(id, peerUrls);
    urls.delete(this.#self);
    return urls;
  }

  /** For the transport: `host:port`. Also of those who must be told that it is over. */
  peers(members: Members): Map<MemberId, string> {
    const addresses = new Map<MemberId, string>();
    const all = this.all(members);
    for (const id of this.#outcasts) {
      const removed = members.removed(id);
      if (removed !== undefined && id !== this.#self) all.set(id, removed.peerUrls);
    }
    for (const [id, urls] of all) {
      const [first] = urls;
      if (first !== undefined) addresses.set(id, addressOf(first));
    }
    return addresses;
  }
}
