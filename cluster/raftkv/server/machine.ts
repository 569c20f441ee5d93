/** The replicated state machine: applies the log's entries, in order, alike on every member. */
import { invariant, unreachable } from '../../../harness/core/invariant.ts';
import { type Bugs, NO_BUGS } from '../bugs.ts';
import { failed, ok, type Result } from '../failures.ts';
import { restoreStore } from '../mvcc/store.ts';
import type { Store } from '../mvcc/types.ts';
import type { Entry, MemberId } from '../raft/types.ts';
import type { Buckets, BucketWriter } from '../storage/types.ts';
import type { Member } from './api.ts';
import {
  type CommandRequest,
  decodeCommand,
  decodeConfigData,
  NOBODY,
  type Origin,
} from './command.ts';
import { EarlyMachine } from './early-machine.ts';
import { Members } from './members.ts';

/** What an entry did, for whoever proposed it: the result of the store, or the members after it. */
export interface Applied {
  readonly origin: Origin;
  readonly result: Result<unknown>;
  /** What it changed; undefined when it changed nothing. */
  readonly effect: CommandRequest | ConfigEffect | undefined;
}

export interface ConfigEffect {
  readonly type: 'config';
  readonly removed: MemberId | undefined;
}

export interface Machine {
  readonly store: Store;
  readonly members: Members;
  readonly applied: number;
  /** Only with a planted bug that knows more than is committed. */
  readonly early: EarlyMachine | undefined;
  apply(entry: Entry): Applied;
}

/** `buckets` are the backend's at `applied`; what changes is written to it. */
export function createMachine(
  buckets: Buckets,
  backend: BucketWriter,
  applied: number,
  bugs: Bugs = NO_BUGS,
): Machine {
  const isEarly = bugs.has('dirty-read') || bugs.has('ack-before-commit');
  const early = isEarly ? new EarlyMachine(buckets, applied, createMachine) : undefined;
  const writer = early?.tee(backend) ?? backend;
  const store = restoreStore(buckets, writer, bugs);
  const members = new Members(buckets, writer);
  let index = applied;
  return {
    store,
    members,
    early,
    get applied() {
      return index;
    },
    apply: (entry) => {
      if (entry.index !== index + 1) invariant(false, `applying ${entry.index} after ${index}`);
      index = entry.index;
      return applyEntry(entry, store, members);
    },
  };
}

function applyEntry({ payload }: Entry, store: Store, members: Members): Applied {
  switch (payload.kind) {
    case 'none':
      return { origin: NOBODY, result: ok(null), effect: undefined };
    case 'config': {
      const data = decodeConfigData(payload.data);
      const refusal = members.apply(data);
      const result = refusal === undefined ? ok(members.list()) : failed(refusal);
      const removed = data.type === 'remove' ? data.member : undefined;
      return { origin: data, result, effect: result.ok ? { type: 'config', removed } : undefined };
    }
    case 'command': {
      const command = decodeCommand(payload.data);
      const result = applyCommand(command.request, store, members);
      return { origin: command, result, effect: result.ok ? command.request : undefined };
    }
    default:
      return unreachable(payload);
  }
}

function applyCommand(command: CommandRequest, store: Store, members: Members): Result<unknown> {
  switch (command.type) {
    case 'put':
      return store.put(command.request);
    case 'delete-range':
      return store.deleteRange(command.request);
    case 'txn':
      return store.txn(command.request);
    case 'compact':
      return store.compact(command.revision);
    case 'lease-grant':
      return store.leases.grant(command.id, command.ttlSeconds);
    case 'lease-revoke':
      return store.leases.revoke(command.id);
    case 'publish':
      members.publish(command.member, command.name, command.clientUrls);
      return ok(null);
    case 'member-update': {
      const refusal = members.update(command.member, command.peerUrls);
      return refusal === undefined ? ok<Member[]>(members.list()) : failed(refusal);
    }
    default:
      return unreachable(command);
  }
}
