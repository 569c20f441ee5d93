/** The main job, end to end: a real etcd, real faults, a verdict. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { breaksAndJudges } from './backends.ts';
import { sandbox } from './cli-testing.ts';
import { describeWith } from './requires.ts';
import { evidenceOf, leftProcesses, readModeRows, stored } from './stored-run.ts';

const THREE = ['--nodes', '3', '--require-faults'];
const ETCD = ['run', '--system', 'etcd', '--workload', 'register', ...THREE];

describeWith('etcd', 'etcd under faults', () => {
  breaksAndJudges(() => ({
    words: ['--system', 'etcd', '--nodes', '3'],
    leftovers: leftProcesses,
  }));

  test('partition, kill and pause together: pass, every kind with evidence', async () => {
    await using box = await sandbox();
    // Of five nodes two may be hit at once, so no lane keeps the others from their turn for long.
    const five = ETCD.with(ETCD.indexOf('3'), '5');
    const args = [...five, '--duration', '25s', '--seed', '0x5eed0001', '--clients', '10'];
    const { code, out } = await box.schism([...args, '--fault-interval', '3s', '-q']);
    expect({ code, out: code === 0 ? '' : out }).toEqual({ code: 0, out: '' });
    const run = await stored(box);
    expect(run.result.counts.ok).toBeGreaterThan(1000);
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
});
