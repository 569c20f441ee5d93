/** One member's consensus, put together from its topics. */
import { invariant } from '../../../harness/core/invariant.ts';
import { isLearner } from './configuration.ts';
import { campaign } from './election.ts';
import { proposeChange } from './membership.ts';
import { persisted, takeCommitted, takeMessages, takePersist, takeReads } from './output.ts';
import { askReadIndex } from './reads.ts';
import { isActive, reportSnapshot, reportUnreachable } from './replication.ts';
import { type Core, configOf, newCore } from './state.ts';
import { propose, step, tick } from './step.ts';
import { startTransfer } from './transfer.ts';
import type {
  MemberId,
  MemberProgress,
  Raft,
  RaftOptions,
  RaftStatus,
  SnapshotMeta,
} from './types.ts';
import { watched } from './watched.ts';

/** A member as it finds itself after a start: a follower (§5.2) that knows what its disk knows. */
export function createRaft(options: RaftOptions): Raft {
  const core = newCore(options);
  const raft: Raft = {
    tick: () => tick(core),
    step: (message) => step(core, message),
    propose: (commands) => propose(core, commands),
    proposeChange: (change, data) => proposeChange(core, change, data),
    readIndex: (id) => askReadIndex(core, id),
    transfer: (to) => startTransfer(core, to),
    campaign: () => campaign(core, false),
    reportUnreachable: (member) => reportUnreachable(core, member),
    reportSnapshot: (member, sent) => reportSnapshot(core, member, sent),
    takeMessages: () => takeMessages(core),
    takeCommitted: () => takeCommitted(core),
    takeReads: () => takeReads(core),
    takePersist: () => takePersist(core),
    persisted: () => persisted(core),
    snapshotMeta: (index) => snapshotMeta(core, index),
    compact: (index) => compact(core, index),
    status: () => new Status(core),
  };
  return options.watch === undefined ? raft : watched(raft, options.watch(core));
}

function snapshotMeta(core: Core, index: number): SnapshotMeta {
  invariant(index <= core.applied, `no snapshot at ${index}: applied up to ${core.applied}`);
  return core.log.metaAt(index);
}

function compact(core: Core, index: number): void {
  invariant(index <= core.applied, `no compaction to ${index}: applied up to ${core.applied}`);
  core.log.compact(index);
}

/**
 * A class for its speed: it is asked for several times with every message, and an accessor in an
 * object literal, which is defined anew each time, took a tenth of a simulation.
 */
class Status implements RaftStatus {
  readonly id: MemberId;
  readonly role: RaftStatus['role'];
  readonly term: number;
  readonly vote: MemberId | null;
  readonly leader: MemberId | undefined;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly firstIndex: number;
  readonly config: RaftStatus['config'];
  readonly isLearner: boolean;
  readonly transferee: MemberId | undefined;
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
    this.id = core.id;
    this.role = core.role;
    this.term = core.term;
    this.vote = core.vote;
    this.leader = core.leader;
    this.commit = core.commit;
    this.applied = core.applied;
    this.lastIndex = core.log.last;
    this.firstIndex = core.log.start + 1;
    this.config = configOf(core);
    this.isLearner = isLearner(this.config, core.id);
    this.transferee = core.leadership?.transferee;
  }

  /** Asked for seldom, so it is not made with the rest. */
  get progress(): RaftStatus['progress'] {
    return progressOf(this.#core);
  }
}

const NO_PROGRESS: ReadonlyMap<MemberId, MemberProgress> = new Map();

function progressOf(core: Core): ReadonlyMap<MemberId, MemberProgress> {
  const { leadership } = core;
  if (leadership === undefined) return NO_PROGRESS;
  const members = new Map<MemberId, MemberProgress>();
  for (const [member, progress] of leadership.progress) {
    if (progress.leavingAt > 0) continue;
    const { match, next, state } = progress;
    members.set(member, { match, next, state, isActive: isActive(core, leadership, progress) });
  }
  return members;
}
