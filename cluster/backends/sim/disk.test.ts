import { expect, test } from 'vitest';
import { type Listeners, withListeners } from './testing.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

async function content(nodes: Listeners, name = 'log'): Promise<string | undefined> {
  return (await nodes.at('n1').host.disk.read(name))?.toString();
}

async function again(nodes: Listeners): Promise<void> {
  await nodes.world.processes.start('n1');
  await nodes.wait(10);
}

test('a sync takes its time, and a slow disk more', () =>
  withListeners({ syncMs: { kind: 'uniform', minMs: 2, maxMs: 4 } }, async (nodes) => {
    const file = await nodes.at('n1').host.disk.open('log');
    const timed = async (): Promise<number> => {
      const start = nodes.nowMs();
      file.append([bytes('x')]);
      await file.sync();
      return nodes.nowMs() - start;
    };
    const fast = await timed();
    expect(fast).toBeGreaterThanOrEqual(2);
    expect(fast).toBeLessThan(4);
    const undo = nodes.world.disk('n1').slow({ kind: 'constant', ms: 100 });
    expect(nodes.world.disk('n1').installed()).toEqual(['slow-disk.0:n1']);
    expect(await timed()).toBeGreaterThanOrEqual(102);
    undo();
    expect(await timed()).toBeLessThan(4);
  }));

test('what was written survives a kill, synced or not', () =>
  withListeners({}, async (nodes) => {
    const file = await nodes.at('n1').host.disk.open('log');
    file.append([bytes('written')]);
    await nodes.world.processes.kill('n1');
    await again(nodes);
    expect(await content(nodes)).toBe('written');
  }));

test('a power failure keeps what was synced; the rest is lost, torn, or there by luck', async () => {
  const found = new Set<string | undefined>();
  for (let seed = 0; seed < 30; seed++)
    await withListeners({ seed }, async (nodes) => {
      const file = await nodes.at('n1').host.disk.open('log');
      file.append([bytes('synced,')]);
      await file.sync();
      file.append([bytes('not')]);
      await nodes.world.powerFailure(['n1']);
      await again(nodes);
      const now = await content(nodes);
      expect(now?.startsWith('synced,')).toBe(true);
      found.add(now);
    });
  expect(found).toContain('synced,');
  expect(found).toContain('synced,not');
  expect(found.size).toBeGreaterThan(2);
});

test('a sync covers what was written when it began, and nothing before it has returned', async () => {
  const found = new Set<string | undefined>();
  for (let seed = 0; seed < 20; seed++)
    await withListeners({ seed }, async (nodes) => {
      const file = await nodes.at('n1').host.disk.open('log');
      file.append([bytes('a')]);
      const synced = file.sync();
      file.append([bytes('b')]);
      await synced;
      file.append([bytes('c')]);
      void file.sync();
      await nodes.wait(0.5);
      await nodes.world.powerFailure(['n1']);
      await again(nodes);
      found.add(await content(nodes));
    });
  expect([...found].every((text) => text?.startsWith('a'))).toBe(true);
  expect(found).toContain('a');
});

test('a name that a power failure interrupts does not exist', () =>
  withListeners({}, async (nodes) => {
    const { disk } = nodes.at('n1').host;
    await disk.open('kept');
    await disk.rename('kept', 'renamed');
    void disk.open('made too late');
    void disk.remove('renamed');
    await nodes.wait(0.5);
    await nodes.world.powerFailure(['n1']);
    await again(nodes);
    expect(await nodes.at('n1').host.disk.list()).toEqual(['renamed']);
  }));

test('a failing sync throws EIO, and what it was to write is gone after a power failure', () =>
  withListeners({}, async (nodes) => {
    const file = await nodes.at('n1').host.disk.open('log');
    file.append([bytes('one')]);
    await file.sync();
    const undo = nodes.world.disk('n1').failSync();
    file.append([bytes('two')]);
    await expect(file.sync()).rejects.toThrow('EIO');
    await expect(nodes.at('n1').host.disk.rename('log', 'log2')).rejects.toThrow('EIO');
    undo();
    file.append([bytes('three')]);
    await file.sync();
    expect(await content(nodes)).toBe('onetwothree');
    await nodes.world.powerFailure(['n1']);
    await again(nodes);
    expect(await content(nodes)).toBe('one\0\0\0three');
  }));

test('a full disk takes what fits and throws ENOSPC, until something is removed', () =>
  withListeners({}, async (nodes) => {
    const { disk } = nodes.at('n1').host;
    const file = await disk.open('log');
    file.append([bytes('12')]);
    const undo = nodes.world.disk('n1').fill(4);
    file.append([bytes('34')]);
    expect(() => file.append([bytes('567')])).toThrow('ENOSPC');
    expect(await content(nodes)).toBe('123456');
    await expect(disk.open('other')).rejects.toThrow('ENOSPC');
    await file.truncate(3);
    file.append([bytes('abc')]);
    expect(() => file.append([bytes('d')])).toThrow('ENOSPC');
    undo();
    file.append([bytes('e')]);
    expect(await content(nodes)).toBe('123abce');
  }));

test('a flipped bit shows under a running node, and stays', () =>
  withListeners({}, async (nodes) => {
    const file = await nodes.at('n1').host.disk.open('log');
    const disk = nodes.world.disk('n1');
    expect(await disk.flipBit()).toBeUndefined();
    file.append([bytes('aaaa')]);
    await file.sync();
    expect(await disk.flipBit({ file: 'log', byte: 1, bit: 1 })).toBeDefined();
    expect(await content(nodes)).toBe('acaa');
    const flipped = await disk.flipBit();
    expect(flipped?.file).toBe('log');
    const before = await content(nodes);
    expect(before).not.toBe('acaa');
    await nodes.world.powerFailure(['n1']);
    await again(nodes);
    expect(await content(nodes)).toBe(before);
  }));

test('the disk of a paused node goes on, and it hears of it when it is resumed', () =>
  withListeners({}, async (nodes) => {
    const file = await nodes.at('n1').host.disk.open('log');
    file.append([bytes('x')]);
    let isSynced = false;
    const sync = async (): Promise<void> => {
      await file.sync();
      isSynced = true;
    };
    void sync();
    await nodes.world.processes.pause('n1');
    await nodes.wait(20);
    expect(isSynced).toBe(false);
    await nodes.world.processes.resume('n1');
    await nodes.wait(1);
    expect(isSynced).toBe(true);
    file.append([bytes('y')]);
    void file.sync();
    await nodes.world.processes.pause('n1');
    await nodes.wait(20);
    await nodes.world.powerFailure(['n1']);
    await again(nodes);
    expect(await content(nodes)).toBe('xy');
  }));
