/** Everything outside a node: real in a process, simulated in the simulator. */
import type { Clock } from '../../../harness/core/clock.ts';
import type { Log } from '../../../harness/core/log.ts';
import type { Random } from '../../../harness/core/prng.ts';
import type { WatchRaft } from '../raft/invariants.ts';
import type { Disk } from '../storage/types.ts';
import type { FoundCluster } from './config.ts';
import type { OpenTransport } from './transport.ts';

export interface NodeHost {
  readonly clock: Clock;
  readonly log: Log;
  /** Another stream for every life: nothing that a former one drew may come again, above all ids. */
  readonly random: Random;
  readonly disk: Disk;
  readonly openTransport: OpenTransport;
  /** Asks the members of an existing cluster who they are; for a member that joins. */
  findCluster(): Promise<FoundCluster>;
  /** Looks into the member's consensus; absent: nobody does. */
  readonly watchRaft?: WatchRaft;
}
