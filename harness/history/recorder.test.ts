import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { realClock, sleep, VirtualClock } from '../core/clock.ts';
import { nanos } from '../core/units.ts';
import { HEADER } from './codec.ts';
import { readHistory } from './jsonl.ts';
import { printHistory } from './notation.ts';
import type { OpDraft } from './op.ts';
import { Recorder } from './recorder.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-recorder-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true });
});

const invoke: OpDraft = {
  process: 0,
  type: 'invoke',
  f: 'write',
  key: 'x',
  value: 1,
  phase: 'main',
};
const ok: OpDraft = { ...invoke, type: 'ok', server: { revision: 7 } };

test('entries get their index and the time of the clock', async () => {
  const clock = new VirtualClock();
  const recorder = Recorder.inMemory(clock);
  await clock.run(
    (async () => {
      expect(recorder.record(invoke)).toEqual({ ...invoke, index: 0, time: 0 });
      await sleep(clock, 5);
      expect(recorder.record(ok)).toEqual({ ...ok, index: 1, time: 5_000_000 });
    })(),
  );
  expect([...recorder.history().ops()].map(({ time }) => time)).toEqual([0, 5_000_000]);
});

test('time never goes back, whatever the clock says', () => {
  const times = [5, 3, 9].map(nanos);
  const clock = { ...realClock(), now: () => times.shift() ?? nanos(0) };
  const recorder = Recorder.inMemory(clock);
  expect([invoke, ok, invoke].map((draft) => recorder.record(draft).time)).toEqual([5, 5, 9]);
});

test('a history that was taken early does not change', () => {
  const recorder = Recorder.inMemory(realClock());
  recorder.record(invoke);
  const early = recorder.history();
  recorder.record(ok);
  expect([early.length, early.pairOf(0)]).toEqual([1, -1]);
  expect([recorder.history().length, recorder.history().pairOf(0)]).toEqual([2, 1]);
});

test('what is recorded is in the file within 100 ms, and whole after the end', async () => {
  const clock = realClock();
  const path = join(dir, 'a.jsonl');
  const recorder = await Recorder.open(path, clock);
  expect(await readFile(path, 'utf8')).toBe(`${HEADER}\n`);
  recorder.record(invoke);
  for (let tries = 0; tries < 1000 && (await stat(path)).size <= HEADER.length + 1; tries++)
    await sleep(clock, 20);
  expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(3);
  for (let n = 0; n < 10_000; n++) {
    recorder.record(n % 2 === 0 ? ok : invoke);
    if (n % 1000 === 0) await clock.turn();
  }
  await recorder[Symbol.asyncDispose]();
  await recorder[Symbol.asyncDispose]();
  expect(recorder.failure).toBeUndefined();
  const { history, torn } = await readHistory(path);
  expect([history.length, torn]).toEqual([10_001, false]);
  expect(printHistory(history)).toBe(printHistory(recorder.history()));
});

test('64 KB are written at once, without waiting for the time', async () => {
  const clock = new VirtualClock();
  const path = join(dir, 'b.jsonl');
  await using recorder = await Recorder.open(path, clock);
  for (let n = 0; n < 2000; n++) recorder.record(n % 2 === 0 ? invoke : ok);
  const real = realClock();
  for (let tries = 0; tries < 1000 && (await stat(path)).size < 65_536; tries++)
    await sleep(real, 5);
  expect((await stat(path)).size).toBeGreaterThanOrEqual(65_536);
});

test('a disk that fails costs the file, not the history', async () => {
  let [written, isClosed] = ['', false];
  const recorder = new Recorder(realClock(), {
    appendFile: async (text) => {
      if (written !== '') throw new Error('ENOSPC: no space left on device');
      written += text;
    },
    sync: async () => undefined,
    close: async () => {
      isClosed = true;
    },
  });
  await recorder.flush();
  recorder.record(invoke);
  await recorder.flush();
  expect(recorder.failure?.message).toContain('ENOSPC');
  recorder.record(ok);
  await recorder[Symbol.asyncDispose]();
  expect([written, isClosed]).toEqual([`${HEADER}\n`, true]);
  expect([...recorder.history().ops()].map(({ type }) => type)).toEqual(['invoke', 'ok']);
});

test('a history that is there is never written over', async () => {
  await expect(Recorder.open(join(dir, 'a.jsonl'), realClock())).rejects.toMatchObject({
    code: 'store-failed',
  });
});
