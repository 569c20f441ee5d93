/** raftkv on the simulator under an operator's hands: nothing is lost, and a bad restore is found. */
import { describe, expect, test } from 'vitest';
import type { History } from '../harness/history/history.ts';
import { ACTS } from '../workloads/operator.ts';
import { recordedRun } from './recorded-run.ts';
import type { VirtualRun } from './virtual-run.ts';

const OFTEN =
  '--workload admin --nodes 5 --rate 100 --quiet-start 500ms --duration 10s -W pause=200 ' +
  '--fault-interval 1s --fault-duration 1500ms -O strict-reconfig-check=false';

function runWith(seed: number, options = ''): Promise<VirtualRun> {
  return recordedRun(`${OFTEN} ${options} --seed ${seed}`.split(' ').filter((word) => word !== ''));
}

/** How often each act of the operator succeeded. */
function doneIn(history: History): Map<string, number> {
  const done = new Map<string, number>();
  for (const { invoke, completion } of history.operations())
    if (completion?.type === 'ok') done.set(invoke.f, (done.get(invoke.f) ?? 0) + 1);
  return done;
}

describe('an operator', () => {
  test.each(['kill,partition,membership', 'pause,power,compact'])(
    'with %s, four seeds: everything is done, nobody is accused',
    async (faults) => {
      const done = new Set<string>();
      let backups = 0;
      for (let seed = 1; seed <= 4; seed++) {
        const { checks, problems, history } = await runWith(seed, `--fault ${faults}`);
        const names = ['linearizable', 'backup', 'hash', 'invariants'];
        const judged = checks.filter(({ checker }) => names.includes(checker));
        expect({ seed, problems, judged }).toMatchObject({
          problems: [],
          judged: names.map(() => ({ verdict: 'valid' })),
        });
        for (const f of doneIn(history).keys()) done.add(f);
        backups += doneIn(history).get('backup') ?? 0;
      }
      expect(ACTS.filter((act) => !done.has(act))).toEqual([]);
      expect(backups).toBeGreaterThan(6);
    },
    120_000,
  );

  test('finds that what was restored has the old ids', async () => {
    const { checks } = await runWith(1, '--no-faults -O bug=restore-same-id');
    const found = checks.find(({ checker }) => checker === 'backup');
    expect(found?.anomalies.map(({ kind }) => kind)).toEqual(['restored-same-id']);
    expect(checks.filter(({ verdict }) => verdict === 'invalid')).toEqual([found]);
  }, 60_000);

  test('leaves the same history behind when the run is played again', async () => {
    const [one, other] = [await runWith(7, '--fault kill'), await runWith(7, '--fault kill')];
    expect([...one.history.ops()]).toEqual([...other.history.ops()]);
  }, 60_000);
});
