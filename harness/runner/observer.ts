import { type Clock, sleep } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import type { Log } from '../core/log.ts';
import type { Op, OpDraft, Phase } from '../history/op.ts';
import type { Cluster, RoleSample } from '../protocols/system.ts';
import { recordInvariants } from './invariants.ts';

/** A sample is recorded when a role, term, leader or state changed, or two lead, and at least this often. */
const RECORD_EVERY_MS = 2000;

/**
 * Polls every node for what it believes, until the signal aborts. Samples are observations of the
 * cluster for people and reports: no verdict rests on them.
 */
export async function observeRoles(
  cluster: Cluster,
  stage: {
    readonly clock: Clock;
    readonly log: Log;
    record(draft: OpDraft): Op;
    /** Told of every sample, recorded or not. */
    onRoles?(samples: readonly RoleSample[]): void;
  },
  phase: () => Phase,
  signal: AbortSignal,
): Promise<void> {
  const everyMs = Math.max(100, cluster.timing.electionMs / 4);
  let last = '';
  let recordedMs = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const startedMs = stage.clock.now() / 1e6;
    recordInvariants(cluster, (draft) => stage.record(draft), phase());
    try {
      const samples = await cluster.roles();
      stage.onRoles?.(samples);
      const shape = samples.map(({ node, role, state, term, leader }) =>
        [node, role, state, term, leader].join(' '),
      );
      const text = shape.join('; ');
      // That a leader goes on after another one came takes two looks to tell.
      const isDisputed = samples.filter(({ role }) => role === 'leader').length > 1;
      const isNews = isDisputed || text !== last || startedMs - recordedMs >= RECORD_EVERY_MS;
      if (!signal.aborted && isNews) {
        last = text;
        recordedMs = startedMs;
        stage.record({
          process: 'observer',
          type: 'info',
          f: 'roles',
          value: samples.map(asJson),
          phase: phase(),
        });
      }
    } catch (error) {
      stage.log.warn('polling roles failed', { error: messageOf(error) });
    }
    await sleep(stage.clock, everyMs, signal);
  }
}

function asJson(sample: RoleSample): JsonValue {
  return { ...sample };
}
