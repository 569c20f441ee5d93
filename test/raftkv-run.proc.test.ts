/** The main job, end to end: the store that comes with Schism, real faults, a verdict. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { realClock, sleep } from '../harness/core/clock.ts';
import { invariant } from '../harness/core/invariant.ts';
import { readEnvironment, sendSignal } from '../harness/runner/watchdog-proc.ts';
import { type Sandbox, sandbox } from './cli-testing.ts';
import { evidenceOf, leftProcesses, readModeRows, stored } from './stored-run.ts';

const THREE = ['run', '--nodes', '3', '--require-faults'];

async function scheduled(box: Sandbox, faults: readonly object[]): Promise<string[]> {
  await writeFile(join(box.dir, 's.json'), JSON.stringify(faults));
  return [...THREE, '--schedule', 's.json'];
}

async function passes(box: Sandbox, args: readonly string[]): Promise<string> {
  const { code, out } = await box.schism([...args, '-q']);
  expect({ code, out: code === 0 ? '' : out }).toEqual({ code: 0, out: '' });
  return out;
}

/** The process of a node, as the harness logged its start. */
async function pidOf(box: Sandbox, node: string): Promise<number> {
  const log = await readFile(join(await box.runDir(), 'harness.log'), 'utf8');
  for (const line of log.trim().split('\n')) {
    const { msg, name, pid } = JSON.parse(line) as { msg: string; name?: string; pid?: number };
    if (msg === 'started' && name === node && pid !== undefined) return pid;
  }
  invariant(false, `${node} was not started`);
}

describe('raftkv under faults', () => {
  test('by default: five nodes, both workloads, every kind of fault with evidence, pass', async () => {
    await using box = await sandbox();
    const often = ['--fault-interval', '2s', '--fault-duration', '2s', '--seed', '0x5eed0003'];
    const out = await passes(box, ['run', '--require-faults', '--duration', '18s', ...often]);
    expect(out).toMatch(/PASS +raftkv\/register\+reads/);
    const run = await stored(box);
    const { config, cluster } = run.result.manifest;
    expect(config.nodes).toHaveLength(5);
    expect(cluster).toMatchObject({
      system: 'raftkv',
      members: { n5: { peer: expect.stringMatching(/^127\.0\.0\.1:/) } },
    });
    expect(run.result.counts.ok).toBeGreaterThan(2000);
    const { kinds } = evidenceOf(run);
    expect(kinds.map(({ fault }) => fault).toSorted()).toEqual(['kill', 'partition', 'pause']);
    expect(kinds.every(({ installed, failed }) => installed > 0 && failed === 0)).toBe(true);
    for (const { result, reads } of readModeRows(run)) {
      expect(result).toBe('kept');
      expect(reads).toBeGreaterThan(100);
    }
  });

  test('serializable reads are stale and allowed; promised linearizable, the run fails', async () => {
    await using box = await sandbox();
    const cut = { at: '500ms', for: '7s', fault: 'partition', shape: 'isolate-leader' };
    const args = await scheduled(box, [cut]);
    await passes(box, [...args, '--workload', 'reads', '--duration', '9s', '--clients', '4n']);
    const rows = readModeRows(await stored(box));
    const row = (mode: string) => rows.find((each) => each.mode === mode);
    expect(row('linearizable')).toMatchObject({ result: 'kept', strongest: 'linearizable' });
    expect(row('serializable')).toMatchObject({ result: 'kept', strongest: 'serializable' });
    expect(row('serializable')?.stale).toBeGreaterThan(0);
    expect(row('serializable')?.staleMsMax).toBeGreaterThan(1000);

    const claimed = await box.schism(['check', 'latest', '--promise', 'serializable=linearizable']);
    expect(claimed.code).toBe(1);
    const words = claimed.out.replaceAll(/\s+/g, ' ');
    expect(words).toMatch(/Client c\d+ (read|found) k\d+ .* That value was out of date:/);
    expect(words).toMatch(/log-pattern valid \d+ lines of 3 logs/);
  });

  test('a node that ends by itself is no fault of ours: the run says which, and how', async () => {
    await using box = await sandbox();
    const running = box.start(['run', '--nodes', '3', '--no-faults', '--duration', '60s', '-q']);
    await box.recorded('"ph":"main"');
    const pid = await pidOf(box, 'n2');
    expect(readEnvironment(pid).get('NODE_OPTIONS')).toBeUndefined();
    expect(sendSignal(pid, 'SIGKILL')).toBe(true);
    await sleep(realClock(), 500);
    // Or it would wait half a minute for what nobody starts again.
    running.kill('SIGINT');
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(3);
    const words = stdout.replaceAll(/\s+/g, ' ');
    expect(words).toContain('the cluster did not come back after heal: n2 ended (signal SIGKILL)');
    expect(words).toContain('ended by themselves: n2 signal SIGKILL');
    expect(words).toMatch(/✓ linearizable/);
    expect(await leftProcesses(box)).toEqual([]);
  });

  test('kill -9 of the harness in mid-fault leaves nothing behind, and a history to judge', async () => {
    await using box = await sandbox();
    const hold = { at: '0s', for: '60s' };
    const args = await scheduled(box, [
      { ...hold, fault: 'pause', target: 'n1' },
      { ...hold, fault: 'partition', shape: 'isolate-one', target: 'n1' },
    ]);
    const running = box.start([...args, '--duration', '60s']);
    await box.recorded('"n1":"paused');
    running.kill('SIGKILL');
    await running;
    await expect.poll(() => leftProcesses(box), { timeout: 30_000 }).toEqual([]);
    const { out } = await box.schism(['check', 'latest']);
    expect(out).toMatch(/✓ linearizable/);
    // Others may have left something on this machine.
    const doctor = await box.schism(['doctor', '--clean']);
    const id = (await box.runDir()).slice(-4);
    expect(doctor.out).toMatch(/✓ {2}node v\d+/);
    expect(doctor.out).not.toContain(`of run ${id}`);
  });
});
