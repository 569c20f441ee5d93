import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Nemesis } from '../../harness/protocols/nemesis.ts';
import { failingSync } from './failing-sync.ts';
import { fullDisk } from './full-disk.ts';
import { kill } from './kill.ts';
import { slowDisk } from './slow-disk.ts';
import { begin, end, FakeCluster } from './testing.ts';
import type { DiskLie } from './testing-machines.ts';

const FAULTS: readonly (readonly [string, () => Nemesis, string])[] = [
  ['slow-disk', slowDisk, 'disk slow by 100 ms a sync on n2 (leader)'],
  ['failing-sync', failingSync, 'syncs fail on n2 (leader)'],
  ['full-disk', fullDisk, 'disk full on n2 (leader)'],
];
const PROBES: Readonly<Record<string, string>> = {
  'slow-disk': 'was synced after 102.0 ms',
  'failing-sync': 'got EIO after 2.0 ms',
  'full-disk': 'got ENOSPC after 2.0 ms',
};

describe.each(FAULTS)('%s', (fault, make, text) => {
  it('is shown by a probe of the disk, and so is its end', async () => {
    const cluster = new FakeCluster(5);
    const nemesis = make();
    expect(await begin(nemesis, cluster, { target: 'leader' })).toEqual({
      stage: 'begin',
      fault,
      text,
      targets: ['n2'],
      evidence: { result: 'installed', probe: { n2: PROBES[fault] } },
    });
    expect((await end(nemesis, cluster)).evidence).toEqual({
      result: 'installed',
      probe: { n2: 'was synced after 2.0 ms' },
    });
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });

  it.each<readonly [DiskLie, string]>([
    ['install', 'the disk of n2 should show the fault, but the probe was synced after 2.0 ms'],
    ['install-throws-on-n1', 'the disk of n1 is on fire'],
  ])('that did not take effect (%s) has failed', async (lie, why) => {
    const cluster = new FakeCluster(5);
    cluster.disks.lies.add(lie);
    const target = lie === 'install' ? ['n2'] : ['n1', 'n2'];
    const nemesis = make();
    const { evidence } = await begin(nemesis, cluster, { target });
    expect(evidence).toEqual({ result: 'failed', why });
    expect((await end(nemesis, cluster)).evidence.result).toBe('installed');
    expect(await cluster.clock.run(cluster.damage())).toEqual([]);
  });

  it.each<DiskLie>(['undo', 'undo-throws'])('that stays (%s) has not ended', async (lie) => {
    const cluster = new FakeCluster(5);
    const nemesis = make();
    await begin(nemesis, cluster, { target: 'one' });
    cluster.disks.lies.add(lie);
    expect((await end(nemesis, cluster)).evidence.result).toBe('failed');
    cluster.disks.lies.clear();
    const healed = await cluster.clock.run(nemesis.heal(cluster.context(1)));
    expect(healed.result).toBe(lie === 'undo' ? 'failed' : 'installed');
  });

  it('is not to be had where disks are real', async () => {
    const { disks, ...real } = new FakeCluster(3).cluster();
    expect(disks).toBeDefined();
    expect(make().available(real)).toContain('--backend sim');
    expect(make().available(new FakeCluster(3).cluster())).toBe(true);
  });
});

describe('whom a fault of disks hits', () => {
  it('counts as down where its disk refuses, and not where it is slow', async () => {
    for (const [fault, make] of FAULTS) {
      const cluster = new FakeCluster(5);
      await begin(make(), cluster, { target: ['n1', 'n2'] });
      const { evidence } = await begin(kill(), cluster, { target: ['n3'] });
      expect(evidence.result).toBe('installed');
      const hit = cluster.board.hit.get(fault)?.size ?? 0;
      expect([fault, hit]).toEqual([fault, fault === 'slow-disk' ? 0 : 2]);
    }
  });

  it('is the whole cluster only where that costs no majority', async () => {
    const slow = await begin(slowDisk(), new FakeCluster(5), { target: 'all' });
    expect(slow.targets).toHaveLength(5);
    const failing = await begin(failingSync(), new FakeCluster(5), { target: 'followers' });
    expect(failing.targets).toHaveLength(2);
  });

  it('is never a disk that refuses in another way', async () => {
    const cluster = new FakeCluster(3);
    await begin(failingSync(), cluster, { target: ['n1'] });
    const { evidence } = await begin(fullDisk(), cluster, { target: ['n1'] });
    expect(evidence).toEqual({
      result: 'skipped',
      why: 'the named nodes: n1 cannot be hit now',
    });
  });
});

describe('a disk that refused', () => {
  it('has its node run and answer again, or has not ended', async () => {
    const cluster = new FakeCluster(3);
    const nemesis = failingSync();
    await begin(nemesis, cluster, { target: ['n1'] });
    cluster.crash('n1');
    const { evidence } = await end(nemesis, cluster);
    expect(evidence).toEqual({ result: 'failed', why: 'n1 should run again, but is gone' });
  });

  it('is over, though another fault holds the node', async () => {
    const cluster = new FakeCluster(5);
    const nemesis = fullDisk();
    await begin(nemesis, cluster, { target: ['n1'] });
    const killing = kill();
    await begin(killing, cluster, { target: ['n1'] });
    expect((await end(nemesis, cluster)).evidence.result).toBe('installed');
    expect((await end(killing, cluster)).evidence.result).toBe('installed');
  });
});

describe('options', () => {
  it.each<readonly [() => Nemesis, Record<string, JsonValue>, string]>([
    [slowDisk, { delay: 5 }, 'delay: 5 is not a duration'],
    [slowDisk, { dealy: '5ms' }, "unknown option 'dealy'"],
    [fullDisk, { room: -1 }, 'room: -1 is not a number of bytes from 0 to 524288'],
    [fullDisk, { room: 1e6 }, 'room: 1000000 is not a number of bytes'],
    [fullDisk, { room: '1k' }, 'room: "1k" is not a number of bytes'],
    [failingSync, { target: 'nobody' }, 'target: "nobody" is nobody'],
  ])('%o %j: %s', (make, options, why) => {
    expect(() => make().check?.(options, 'f.json')).toThrow(`f.json: ${why}`);
  });

  it('say how slow, and how much fits', async () => {
    const slow = await begin(slowDisk(), new FakeCluster(3), { target: ['n1'], delay: '2hb' });
    expect(slow.text).toBe('disk slow by 200 ms a sync on n1');
    const full = await begin(fullDisk(), new FakeCluster(3), { target: ['n1'], room: 9 });
    expect(full.text).toBe('disk full but for 9 bytes on n1');
  });
});
