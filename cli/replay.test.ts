import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { JsonValue } from '../harness/core/json.ts';
import { nanosFromMs } from '../harness/core/units.ts';
import { type History, HistoryBuilder } from '../harness/history/history.ts';
import type { BackendName } from '../harness/protocols/system.ts';
import { fixtureConfig, fixtureManifest, passRun } from '../reports/testing/fixture-result.ts';
import { historyHash, recordedFaults, replayedConfig, requireOwnPrograms } from './replay.ts';

type Event = readonly [atMs: number, type: 'invoke' | 'info', id: string, value: JsonValue];

/** Events of faults whose kind is what their id begins with. */
function historyOfFaults(events: readonly Event[]): History {
  const builder = new HistoryBuilder();
  for (const [atMs, type, id, value] of events) {
    const [lane = ''] = id.split('-');
    const draft = { type, process: 'nemesis', f: lane, value, id, lane, phase: 'main' } as const;
    builder.append(draft, nanosFromMs(atMs));
  }
  return builder.build();
}

const EVENTS: readonly Event[] = [
  [3000, 'invoke', 'pause-1', { target: 'leader', stage: 'begin' }],
  [3010, 'info', 'pause-1', { stage: 'begin', targets: ['n2'] }],
  [3500, 'invoke', 'kill-1', { target: 'one', stage: 'begin' }],
  [3600, 'info', 'kill-1', { stage: 'begin', targets: ['n1'] }],
  [5000, 'invoke', 'pause-1', { stage: 'end' }],
  [5010, 'info', 'pause-1', { stage: 'end' }],
  [6000, 'info', 'kill-9', { stage: 'end' }],
];

test('faults come back as they were asked for, at the times at which they came', () => {
  expect(recordedFaults(historyOfFaults(EVENTS), 2e9)).toEqual([
    { atMs: 1000, forMs: 2000, fault: 'pause', options: { target: 'leader' } },
    // It never ended: it lasts as long as the history does.
    { atMs: 1500, forMs: 2500, fault: 'kill', options: { target: 'one' } },
  ]);
  expect(recordedFaults(historyOfFaults([]), 0)).toEqual([]);
});

const CHANGE = { after: 'leader-change', delayMs: 50, withinMs: 4000 } as const;

test('what waited comes back waiting, pinned to its moment if asked, and what waited in vain not', () => {
  const begin = { target: 'leader', stage: 'begin', trigger: { ...CHANGE } };
  const history = historyOfFaults([
    [3000, 'invoke', 'pause-1', begin],
    [3500, 'invoke', 'kill-1', begin],
    [4210, 'info', 'pause-1', { stage: 'begin', trigger: { event: 'n1 leads', waitedMs: 1200 } }],
    [5000, 'invoke', 'pause-1', { stage: 'end' }],
    [5010, 'info', 'pause-1', { stage: 'end' }],
    [7500, 'info', 'kill-1', { stage: 'begin', evidence: { result: 'skipped' } }],
    [7500, 'invoke', 'kill-1', { stage: 'end' }],
  ]);
  const options = { target: 'leader' };
  expect(recordedFaults(history, 2e9)).toEqual([
    { atMs: 1000, forMs: 790, fault: 'pause', options, trigger: CHANGE },
  ]);
  expect(recordedFaults(history, 2e9, true)).toEqual([
    { atMs: 2200, forMs: 800, fault: 'pause', options },
  ]);
});

test('a second lane of a kind stays one', () => {
  const builder = new HistoryBuilder();
  const common = { process: 'nemesis', f: 'pause', lane: 'pause-2', id: 'pause-2-1' } as const;
  const event = { ...common, type: 'invoke', phase: 'main' } as const;
  builder.append({ ...event, value: { stage: 'begin' } }, nanosFromMs(1000));
  builder.append({ ...event, value: { stage: 'end' } }, nanosFromMs(1500));
  expect(recordedFaults(builder.build(), 0)).toEqual([
    { atMs: 1000, forMs: 500, fault: 'pause', options: {}, lane: 'pause-2' },
  ]);
});

test('a live run is given its faults as a schedule; a simulated one, or one without, is left alone', () => {
  const { result } = passRun();
  const phases = [{ phase: 'main' as const, startNanos: 3e9, endNanos: 9e9 }];
  const configured = (more: object): typeof result => ({
    ...result,
    phases,
    manifest: fixtureManifest({ config: fixtureConfig(more) }),
  });
  const history = historyOfFaults(EVENTS);
  const live = replayedConfig(configured({}), history);
  expect(live).toEqual({
    ...fixtureConfig(),
    schedule: recordedFaults(history, 3e9),
  });
  expect(live.schedule?.map(({ atMs }) => atMs)).toEqual([0, 500]);
  expect(replayedConfig(configured({ backend: 'sim' }), history)).toEqual(
    fixtureConfig({ backend: 'sim' }),
  );
  expect(replayedConfig(configured({}), historyOfFaults([]))).toEqual(fixtureConfig());
});

test('what was not stored cannot be asked for again', () => {
  const { result, history } = passRun();
  const attached = fixtureManifest({ config: fixtureConfig({ backend: 'attach' }) });
  expect(() => replayedConfig({ ...result, manifest: attached }, history)).toThrow(/--config/);
  const systemOptions = { password: '(not stored)' };
  const cleared = fixtureManifest({ config: fixtureConfig({ systemOptions }) });
  expect(() => replayedConfig({ ...result, manifest: cleared }, history)).toThrow(/a secret/);
});

test('an archive does not choose what is started here', () => {
  const started = (systemOptions: Readonly<Record<string, string>>, backend = 'process') =>
    fixtureManifest({ config: fixtureConfig({ systemOptions, backend: backend as BackendName }) });
  const named = started({ binary: './evil' });
  expect(() => requireOwnPrograms('a.zip', named)).toThrow(/a\.zip says .* binary=\.\/evil/);
  expect(() => requireOwnPrograms('a.zip', started({ extra: '--x' }, 'docker'))).toThrow(/extra/);
  for (const harmless of [started({ election: '1s' }), started({ binary: './evil' }, 'sim')])
    expect(() => requireOwnPrograms('a.zip', harmless)).not.toThrow();
  expect(() => requireOwnPrograms(undefined, named)).not.toThrow();
});

test('histories are compared by their text, compressed in whatever way', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'schism-replay-'));
  try {
    const paths = ['a.jsonl', 'a.jsonl.gz', 'b.jsonl.gz', 'c.jsonl'].map((name) => join(dir, name));
    const [plain = '', packed = '', parts = '', other = ''] = paths;
    await writeFile(plain, 'one\ntwo\n');
    await writeFile(packed, gzipSync('one\ntwo\n', { level: 1 }));
    await writeFile(parts, Buffer.concat([gzipSync('one\n'), gzipSync('two\n')]));
    await writeFile(other, 'one\ntwo');
    const hashes = await Promise.all(paths.map(historyHash));
    expect(new Set(hashes.slice(0, 3)).size).toBe(1);
    expect(hashes[3]).not.toBe(hashes[0]);
  } finally {
    await rm(dir, { recursive: true });
  }
});
