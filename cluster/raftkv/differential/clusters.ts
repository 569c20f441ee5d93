/** A fresh cluster of either system, in the state in which sequences begin. */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { HarnessError } from '../../../harness/core/errors.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { UndoRegistry } from '../../../harness/protocols/undo.ts';
import { type SystemUnderTest, startEtcd, startRaftkv, type TestCluster } from '../testing.ts';

const LEADER_MS_MAX = 20_000;
const CALL_MS_MAX = 3_000;
const AGAIN_MS = 50;

export interface Wanted {
  /** 1 by default. */
  readonly nodes?: number;
  readonly spares?: number;
  /** As in `CallSequence`. */
  readonly anyMember?: boolean;
  readonly flags?: readonly string[];
}

/**
 * n1 leads, so that a sequence can say which node it asks. One node alone may elect itself at once,
 * and its shortest lease is one second; of several, none must lose its lead to a busy machine.
 */
export async function freshCluster(
  system: SystemUnderTest,
  wanted: Wanted,
  clock: Clock,
  undo: UndoRegistry,
): Promise<TestCluster> {
  const { spares = 0, anyMember = false, flags = [] } = wanted;
  const nodes = anyMember && system === 'etcd' ? 1 : (wanted.nodes ?? 1);
  const alone = nodes + spares === 1;
  const start = system === 'etcd' ? startEtcd : startRaftkv;
  const cluster = await start({
    nodes,
    spares,
    undo,
    flags,
    heartbeatMs: alone ? 20 : 100,
    // Who leads must stay, on a busy machine, too.
    electionMs: alone ? 100 : 2000,
  });
  try {
    await lead(cluster, clock);
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  return cluster;
}

async function lead(cluster: TestCluster, clock: Clock): Promise<void> {
  const deadlineMs = msFromNanos(clock.now()) + LEADER_MS_MAX;
  for (;;) {
    const leader = await cluster.leader();
    if (leader === 'n1') return;
    const wanted = await cluster.client('n1').status(CALL_MS_MAX);
    const id = wanted.ok ? wanted.value.header?.memberId : undefined;
    const moved = id && (await cluster.client(leader).moveLeader(id, CALL_MS_MAX));
    if (msFromNanos(clock.now()) > deadlineMs)
      throw new HarnessError(
        'process-failed',
        `${cluster.system}: ${leader} does not hand the lead to n1: ${JSON.stringify(moved)}`,
      );
    await sleep(clock, AGAIN_MS);
  }
}
