/** An operator's work on real processes, under load and faults: nothing is lost, nothing is left. */
import { describe, expect, test } from 'vitest';
import type { Backup } from '../harness/protocols/admin.ts';
import { ACTS } from '../workloads/operator.ts';
import { type Sandbox, sandbox } from './cli-testing.ts';
import { describeWith } from './requires.ts';
import { check, leftProcesses, type Stored, stored } from './stored-run.ts';

const RUN = ['run', '--workload', 'admin', '-W', 'pause=300', '-q'];
const FAULTS = ['--fault', 'kill,membership', '--fault-interval', '3s', '--fault-duration', '2s'];

/** Long enough for every act, with members that come and go; few nodes, for machines with few cores. */
async function runs(box: Sandbox, system: string): Promise<Stored> {
  const size = ['--nodes', '3', '--rate', '100', '--duration', '16s', '--seed', '0x5eed0007'];
  const args = [...RUN, '--system', system, ...size, ...FAULTS];
  const { code, out } = await box.schism([...args, '-O', 'strict-reconfig-check=false']);
  expect({ code, out: code === 0 ? '' : out }).toEqual({ code: 0, out: '' });
  return stored(box);
}

function everythingWasDone(run: Stored): void {
  const done = new Set<string>();
  for (const { invoke, completion } of run.history.operations())
    if (completion?.type === 'ok') done.add(invoke.f);
  expect(ACTS.filter((act) => !done.has(act))).toEqual([]);
  for (const name of ['linearizable', 'backup', 'hash'])
    expect(check(run, name)).toMatchObject({ verdict: 'valid', anomalies: [] });
}

/** What was restored, in order. */
function backupsOf({ history }: Stored): Backup[] {
  return [...history.operations()].flatMap(({ invoke, completion }) =>
    invoke.f === 'backup' && completion?.type === 'ok'
      ? [completion.value as unknown as Backup]
      : [],
  );
}

describe('an operator of raftkv', () => {
  test('compacts, defragments, moves the leader, backs up and restores: pass', async () => {
    await using box = await sandbox();
    const run = await runs(box, 'raftkv');
    everythingWasDone(run);
    const backups = backupsOf(run);
    const clusters = new Set(backups.map(({ cluster }) => cluster));
    expect(clusters.size).toBe(backups.length);
    // The last one is of a cluster at rest, so that its node says the same of itself.
    const last = backups.at(-1);
    expect(last?.source).toEqual(last?.hash);
    expect(last?.keys.length).toBeGreaterThan(3);
    expect(await leftProcesses(box)).toEqual([]);
  });

  test('whose restores keep the old ids: they are found', async () => {
    await using box = await sandbox();
    const few = ['--nodes', '3', '--no-faults', '--duration', '6s', '-W', 'acts=backup'];
    const { code, out } = await box.schism([...RUN, ...few, '-O', 'bug=restore-same-id']);
    expect(code).toBe(1);
    expect(out).toContain('restored-same-id');
    expect(out.replaceAll(/\s+/g, ' ')).toMatch(/The new cluster calls itself \w+, and so does/);
  });

  test('who is interrupted in the middle of a restore leaves no process behind', async () => {
    await using box = await sandbox();
    const running = box.start([...RUN, '--nodes', '3', '--no-faults', '--duration', '60s']);
    await box.recorded('"f":"backup"');
    running.kill('SIGINT');
    const { exitCode } = await running;
    expect(exitCode).toBe(130);
    expect(await leftProcesses(box)).toEqual([]);
  });
});

describeWith('etcd', 'an operator of etcd', () => {
  test('does the same with the tools of etcd: pass', async () => {
    await using box = await sandbox();
    const run = await runs(box, 'etcd');
    everythingWasDone(run);
    expect(backupsOf(run).at(-1)?.keys.length).toBeGreaterThan(3);
    expect(await leftProcesses(box)).toEqual([]);
  });
});
