import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { raftkv } from '../../cluster/systems/raftkv.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import { withConfig } from '../config/flags.ts';
import { parseTestOptions } from '../config/schema.ts';
import { addRunFlags, type Flags } from '../flags.ts';
import { resolveConfig } from '../options.ts';
import { findWorkload } from '../registry.ts';
import { chaosFile, durationText, optionsOf, runWords, scheduleLines } from './repro.ts';
import { aConfig } from './testing.ts';

/** What `schism run` makes of these words. */
async function resolved(words: readonly string[]): Promise<RunConfig> {
  const flags = addRunFlags(new Command()).parse(words, { from: 'user' }).opts<Flags>();
  return resolveConfig(flags, raftkv, findWorkload(flags.workload), {});
}

const COMMANDS: readonly string[] = [
  '--backend sim --nodes 3 --seed 7',
  '--backend process --no-faults --workload register --nodes a,b --clients 5 --rate 0 --seed 0x5eed',
  '--fault pause,kill --fault-interval 750ms --duration 12500ms -O max-append-entries=1 --seed 1',
  '--bug stale-leader-read --workload reads -W keys=1 --promise serializable=linearizable --seed 2',
  '--schedule SCHEDULE --quiet-start 500ms --client-timeout 250ms --workload register --seed 3',
  '--schedule SCHEDULE --read-mode serializable --workload reads --seed 4',
  '--no-faults --latency 40ms --seed 5',
];
const SCHEDULE =
  '[{"at":"2el","for":"1234ms","fault":"partition","shape":"isolate-leader"},' +
  '{"at":"7.5s","for":"1s","fault":"kill","target":"leader","quorum":"ignore"}]';

test.each(COMMANDS)('%s: its words and its options ask for the same again', async (command) => {
  const dir = await mkdtemp(join(tmpdir(), 'schism-repro-'));
  try {
    const given = join(dir, 'given.json');
    await writeFile(given, SCHEDULE);
    const config = await resolved(command.replace('SCHEDULE', given).split(' '));
    const options = optionsOf(config, raftkv);
    const file = join(dir, 'again.json');
    await writeFile(file, JSON.stringify(scheduleLines(config.schedule ?? [])));
    expect(await resolved(runWords(options, file))).toEqual(config);
    const { options: parsed } = parseTestOptions({ anomaly: 'stale-read', ...options }, 'x', true);
    const flags = addRunFlags(new Command()).parse([], { from: 'user' }).opts<Flags>();
    const all = withConfig(flags, parsed, () => false);
    expect(await resolveConfig(all, raftkv, findWorkload(all.workload), {})).toEqual(config);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('a test file is what somebody would have written', () => {
  const config = aConfig({
    systemOptions: { bug: 'stale-leader-read' },
    faults: ['pause'],
    schedule: [{ atMs: 500, forMs: 2900, fault: 'pause', options: { target: 'leader' } }],
    durationMs: 5500,
  });
  const text = chaosFile({
    title: "7f3a: it's stale",
    notes: ['Made small.'],
    options: { anomaly: 'stale-read', within: '1 run', ...optionsOf(config, raftkv) },
  });
  expect(text).toBe(`// Made small.
import { test } from 'schism';

test.expectViolation('7f3a: it\\'s stale', {
  anomaly: 'stale-read',
  within: '1 run',
  system: 'raftkv',
  backend: 'sim',
  bug: 'stale-leader-read',
  nodes: 3,
  workload: ['register'],
  clients: 6,
  clientTimeout: '1s',
  rate: 200,
  readModes: ['linearizable'],
  schedule: [{ at: '500ms', fault: 'pause', for: '2900ms', target: 'leader' }],
  duration: '5500ms',
  quietStart: '500ms',
  seed: '0x00000007',
});
`);
});

test('what a stored run calls its check ends no comment', () => {
  const notes = ['by x\nimport("evil");', 'by y\u2028import("evil");\rimport("evil")'];
  const text = chaosFile({ title: 't', notes, options: { within: '1 run' } });
  const lines = text.split(/[\n\r\u2028\u2029]/);
  expect(lines.filter((line) => line.startsWith('import'))).toEqual([
    "import { test } from 'schism';",
  ]);
});

test.each([
  [0, '0ms'],
  [1000, '1s'],
  [2900, '2900ms'],
  [1234.567891, '1234.567891ms'],
  [0.1 + 0.2, '0.3ms'],
])('%d ms are %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
