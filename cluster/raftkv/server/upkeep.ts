/** What a member does to stay well: keeps its quota, compares itself with others, compacts. */
import type { Clock } from '../../../harness/core/clock.ts';
import type { Log } from '../../../harness/core/log.ts';
import { FAILURES, failed, ok, type Result } from '../failures.ts';
import type { MemberId, Raft } from '../raft/types.ts';
import type { Storage } from '../storage/types.ts';
import type { Alarm } from './alarms.ts';
import { type AutoCompaction, autoCompaction } from './auto-compaction.ts';
import type { LeaderCalls } from './calls.ts';
import type { NodeConfig } from './config.ts';
import { CorruptionCheck } from './corruption.ts';
import type { Applied, Machine } from './machine.ts';
import type { Proposals } from './proposals.ts';
import { fits, Quota } from './quota.ts';
import type { Reads } from './reads.ts';
import type { Transport } from './transport.ts';

export interface UpkeepOptions {
  readonly config: NodeConfig;
  readonly self: MemberId;
  readonly clock: Clock;
  readonly log: Log;
  readonly raft: Raft;
  readonly storage: Storage;
  /** Of the node: another one after a leader's snapshot was installed. */
  readonly node: {
    readonly machine: Machine;
    readonly proposals: Proposals;
    readonly reads: Reads;
  };
  readonly calls: LeaderCalls;
  readonly transport: () => Promise<Transport>;
}

export class Upkeep {
  readonly quota: Quota;
  readonly #options: UpkeepOptions;
  readonly #corruption: CorruptionCheck;
  readonly #compaction: AutoCompaction | undefined;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    const { config, self, clock, storage, node } = options;
    this.quota = new Quota({
      limitBytes: config.quotaBytes,
      sizeBytes: () => storage.backend.size + storage.backend.pendingBytes,
      isOn: () => node.machine.alarms.has('NOSPACE'),
      raise: () => this.#raise({ type: 'NOSPACE', member: self }),
    });
    this.#corruption = this.#corruptionCheck();
    this.#compaction =
      config.autoCompaction &&
      autoCompaction({
        config: config.autoCompaction,
        clock,
        revision: () => node.machine.store.revision,
        leads: () => this.#leads(),
        compact: (revision) => node.proposals.propose({ type: 'compact', revision }),
      });
  }

  tick(): void {
    this.#corruption.tick();
    this.#compaction?.tick();
  }

  /** Throws `store-failed` when this member holds other data than one that answers. */
  checkAtStart(): Promise<void> {
    return this.#corruption.checkAtStart();
  }

  /**
   * Tells whoever proposed an entry what came of it. `room` is the quota's before it was applied: an
   * entry without room was applied like any other, and is answered with an error.
   */
  answer({ origin, result, effect }: Applied, room: number): void {
    const { node, self } = this.#options;
    if (effect === undefined || effect.type === 'config' || fits(effect, room)) {
      node.proposals.applied(origin, result);
      return;
    }
    const answers = async (): Promise<void> => {
      await this.quota.exceeded();
      if (origin.origin === self) node.proposals.applied(origin, failed(FAILURES.noSpace));
    };
    void answers();
  }

  #corruptionCheck(): CorruptionCheck {
    const { config, self, clock, log, calls, transport, node } = this.#options;
    return new CorruptionCheck({
      self,
      clock,
      log,
      calls,
      transport,
      everyMs: config.corruptCheckMs,
      timeoutMs: 2 * config.electionMs,
      others: () =>
        node.machine.members
          .list()
          .map(({ id }) => id)
          .filter((id) => id !== self),
      hash: (revision) => node.machine.store.hash(revision),
      leads: () => this.#leads(),
      barrier: () => node.reads.barrier(),
      raise: (member) => void this.#raise({ type: 'CORRUPT', member }),
    });
  }

  #leads(): boolean {
    return this.#options.raft.status().role === 'leader';
  }

  /** One that is on already is not raised again: a store that is full is asked again and again. */
  #raise(alarm: Alarm): Promise<Result<unknown>> {
    const { node, log } = this.#options;
    if (node.machine.alarms.isOn(alarm)) return Promise.resolve(ok(null));
    log.error('raises an alarm', { ...alarm });
    return node.proposals.propose({ type: 'alarm', isOn: true, alarm });
  }
}
