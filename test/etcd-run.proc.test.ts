/** The main job, end to end: a real etcd, real faults, a verdict. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realClock, sleep } from '../harness/core/clock.ts';
import { findLeftovers } from '../harness/runner/sweep.ts';
import { sandbox } from './cli-testing.ts';
import { describeWith } from './requires.ts';
import { evidenceOf, expectLeaderCutOff, readModeRows, stored } from './stored-run.ts';

const THREE = ['--nodes', '3', '--require-faults'];
const ETCD = ['run', '--system', 'etcd', '--workload', 'register', ...THREE];

describeWith('etcd', 'etcd under faults', () => {
  test('the leader is cut off in each direction and both: measured, replaced, not obeyed', async () => {
    await using box = await sandbox();
    const cut = (at: string, direction: string): object => {
      return { at, for: '4s', fault: 'partition', shape: 'isolate-leader', direction };
    };
    const schedule = [cut('1s', 'out'), cut('7s', 'in'), cut('13s', 'both')];
    await writeFile(join(box.dir, 's.json'), JSON.stringify(schedule));
    const args = [...ETCD, '--schedule', 's.json', '--duration', '19s', '--clients', '6', '-q'];
    const { code, out } = await box.schism(args);
    expect({ code, out: code === 0 ? '' : out }).toEqual({ code: 0, out: '' });

    const run = await stored(box);
    expectLeaderCutOff(run, evidenceOf(run).events);
  });

  test('partition, kill and pause together: pass, every kind with evidence', async () => {
    await using box = await sandbox();
    // Of five nodes two may be hit at once, so no lane keeps the others from their turn for long.
    const five = ETCD.with(ETCD.indexOf('3'), '5');
    const args = [...five, '--duration', '25s', '--seed', '0x5eed0001', '--clients', '10'];
    const { code, out } = await box.schism([...args, '--fault-interval', '3s', '-q']);
    expect({ code, out: code === 0 ? '' : out }).toEqual({ code: 0, out: '' });
    const run = await stored(box);
    expect(run.result.counts.ok).toBeGreaterThan(4000);
    const { kinds } = evidenceOf(run);
    expect(kinds.every(({ installed, failed }) => installed > 0 && failed === 0)).toBe(true);
    expect(out).toContain('Availability by window');
  });

  test('serializable reads are stale and allowed; promised linearizable, the run fails', async () => {
    await using box = await sandbox();
    const cut = { at: '1s', for: '6s', fault: 'partition', shape: 'isolate-leader' };
    await writeFile(join(box.dir, 's.json'), JSON.stringify([cut]));
    const ofReads = ETCD.with(ETCD.indexOf('register'), 'reads');
    const args = [...ofReads, '--schedule', 's.json', '--duration', '9s'];
    const { code, out } = await box.schism([...args, '--clients', '4n', '-q']);
    expect({ code, out: code === 0 ? '' : out }).toEqual({ code: 0, out: '' });
    const run = await stored(box);
    const modes = readModeRows(run);
    const row = (mode: string) => modes.find((each) => each.mode === mode);
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

  test('kill -9 of the harness in mid-fault leaves nothing behind, and a history to judge', async () => {
    await using box = await sandbox();
    const hold = { at: '0s', for: '60s' };
    const schedule = [
      { ...hold, fault: 'pause', target: 'n1' },
      { ...hold, fault: 'partition', shape: 'isolate-one', target: 'n1' },
    ];
    await writeFile(join(box.dir, 's.json'), JSON.stringify(schedule));
    const running = box.start([...ETCD, '--schedule', 's.json', '--duration', '60s']);
    const clock = realClock();
    await box.recorded('"n1":"paused');
    running.kill('SIGKILL');
    await running;
    await sleep(clock, 5000);
    expect(findLeftovers()).toEqual([]);
    const { out } = await box.schism(['check', 'latest']);
    expect(out).toMatch(/✓ linearizable/);
  });
});
