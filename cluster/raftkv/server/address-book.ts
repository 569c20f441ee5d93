/** Where the members are: also those that are not applied yet, and those that do not know it is over. */
import type { Entry, MemberId } from '../raft/types.ts';
import { decodeConfigData } from './command.ts';
import type { FoundCluster } from './config.ts';
import { addressOf } from './member-changes.ts';
import type { Members } from './members.ts';

export class AddressBook {
  readonly #self: MemberId;
  /**
   * A new member must be reached before its entry is committed, since it may be needed for that.
   * If the entry is never committed, an address too many does no harm.
   */
  readonly #announced = new Map<MemberId, readonly string[]>();
  /** Removed, but still talking. */
  readonly #outcasts = new Set<MemberId>();

  constructor(self: MemberId) {
    this.#self = self;
  }

  /** What a joining member was told by those that are there. */
  found({ members }: FoundCluster): void {
    for (const { id, peerUrls } of members) this.#announced.set(id, peerUrls);
  }

  appending(entries: readonly Entry[]): boolean {
    let changed = false;
    for (const { payload } of entries) {
      if (payload.kind !== 'config') continue;
      const data = decodeConfigData(payload.data);
      if (data.type !== 'add') continue;
      this.#announced.set(data.member, data.peerUrls);
      changed = true;
    }
    return changed;
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

  /** All others, with their peer URLs. */
  all(members: Members): Map<MemberId, readonly string[]> {
    const urls = new Map<MemberId, readonly string[]>();
    for (const [id, announced] of this.#announced)
      if (members.removed(id) === undefined) urls.set(id, announced);
    for (const { id, peerUrls } of members.list()) urls.set(id, peerUrls);
    for (const id of this.#outcasts) {
      const removed = members.removed(id);
      if (removed !== undefined) urls.set(id, removed.peerUrls);
    }
    urls.delete(this.#self);
    return urls;
  }

  /** For the transport: `host:port`. */
  peers(members: Members): Map<MemberId, string> {
    const addresses = new Map<MemberId, string>();
    for (const [id, urls] of this.all(members)) {
      const [first] = urls;
      if (first !== undefined) addresses.set(id, addressOf(first));
    }
    return addresses;
  }
}
