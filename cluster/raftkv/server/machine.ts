/** The replicated state machine: applies the log's entries, in order, alike on every member. */
import { invariant, unreachable } from '../../../harness/core/invariant.ts';
import { type Bugs, NO_BUGS } from '../bugs.ts';
import { FAILURES, type Failure, failed, ok, type Result } from '../failures.ts';
import { restoreStore } from '../mvcc/store.ts';
import type { Store } from '../mvcc/types.ts';
import type { Entry, MemberId } from '../raft/types.ts';
import type { Buckets, BucketWriter } from '../storage/types.ts';
import { Alarms } from './alarms.ts';
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
import { costOf } from './quota.ts';

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
  readonly alarms: Alarms;
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
  const alarms = new Alarms(buckets, writer);
  const parts = { store, members, alarms };
  let index = applied;
  return {
    ...parts,
    early,
    get applied() {
      return index;
    },
    apply: (entry) => {
      if (entry.index !== index + 1) invariant(false, `applying ${entry.index} after ${index}`);
      index = entry.index;
      return applyEntry(entry, parts);
    },
  };
}

type Parts = Pick<Machine, 'store' | 'members' | 'alarms'>;

function applyEntry({ payload }: Entry, parts: Parts): Applied {
  const { members } = parts;
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
      const refusal = alarmed(command.request, parts.alarms);
      const result = refusal === undefined ? applyCommand(command.request, parts) : failed(refusal);
      return { origin: command, result, effect: result.ok ? command.request : undefined };
    }
    default:
      return unreachable(payload);
  }
}

/** Of the store, not of those who keep it. */
const IS_FOR_STORE: ReadonlySet<CommandRequest['type']> = new Set([
  'put',
  'delete-range',
  'txn',
  'compact',
  'lease-grant',
  'lease-revoke',
]);

/** What alarms forbid until they are taken back: everything, or what needs room. */
function alarmed(command: CommandRequest, alarms: Alarms): Failure | undefined {
  if (!IS_FOR_STORE.has(command.type)) return undefined;
  if (alarms.has('CORRUPT')) return FAILURES.corrupt;
  return costOf(command) > 0 && alarms.has('NOSPACE') ? FAILURES.noSpace : undefined;
}

function applyCommand(command: CommandRequest, { store, members, alarms }: Parts): Result<unknown> {
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
    case 'alarm':
      return ok(command.isOn ? alarms.activate(command.alarm) : alarms.deactivate(command.alarm));
    default:
      return unreachable(command);
  }
}
