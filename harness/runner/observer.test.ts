import { expect, test } from 'vitest';
import { VirtualClock } from '../core/clock.ts';
import { silentLog } from '../core/log.ts';
import type { Op, OpDraft } from '../history/op.ts';
import type { Cluster, RoleSample } from '../protocols/system.ts';
import { observeRoles } from './observer.ts';

const leads = (node: string, term: number): RoleSample => ({
  node,
  role: 'leader',
  state: 'answered',
  term,
});

/** What is written down in 1.6 s, in which nodes are asked every quarter of a second. */
async function recorded(roles: readonly RoleSample[]): Promise<readonly OpDraft[]> {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const drafts: OpDraft[] = [];
  const cluster = {
    timing: { heartbeatMs: 100, electionMs: 1000 },
    roles: () => Promise.resolve(roles),
  } as unknown as Cluster;
  const record = (draft: OpDraft): Op => {
    drafts.push(draft);
    return draft as Op;
  };
  clock.timer(1600, () => stop.abort());
  const stage = { clock, log: silentLog, record };
  await clock.run(observeRoles(cluster, stage, () => 'main', stop.signal));
  return drafts;
}

test('what does not change is written down once', async () => {
  expect(await recorded([leads('n1', 1)])).toHaveLength(1);
});

test('two who lead at once are written down at each look, since one look cannot tell', async () => {
  expect(await recorded([leads('n1', 1), leads('n2', 2)])).toHaveLength(7);
});
