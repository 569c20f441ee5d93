import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkContext, randomOf } from '../checkers/testkit/context.ts';
import { knownHistory } from '../checkers/testkit/known-history.ts';
import { historyOfKnown } from '../checkers/testkit/known-history-forms.ts';
import { realClock, sleep } from '../harness/core/clock.ts';
import { printJsonl } from '../harness/history/formats/jsonl.ts';
import type { History } from '../harness/history/history.ts';
import type { WorkloadOptions } from '../harness/protocols/workload.ts';
import { judge } from './judge.ts';

const clock = realClock();
const OPTIONS: WorkloadOptions = {
  clients: 40,
  nodes: ['n1'],
  rate: 0,
  clientTimeoutMs: 1000,
  readModes: ['linearizable'],
  capabilities: [],
  own: {},
};

/** A stored history, gone when disposed. */
async function stored(history: History): Promise<AsyncDisposable & { readonly path: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'schism-judge-'));
  const path = join(dir, 'history.jsonl');
  await writeFile(path, [...printJsonl(history)].join('\n').concat('\n'));
  return { path, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

/** No search comes to its end: hundreds of operations may have happened, one too few of one value. */
const HOPELESS = {
  operations: 3000,
  clients: 40,
  indefinite: 0.3,
  cas: 0.8,
  values: 50,
  violation: { kind: 'too-few-writes', at: 0.9 },
} as const;

test('a search that would take for ever ends when it is cancelled, and the run goes on', async () => {
  await using file = await stored(historyOfKnown(knownHistory(randomOf(1), HOPELESS)));
  const cancelled = new AbortController();
  const limits = { timeoutMs: 3_600_000, memoryBytes: 2 ** 30 };
  const task = {
    historyPath: file.path,
    workload: 'register',
    workloadOptions: OPTIONS,
    context: checkContext({ limits }),
  };
  const judged = judge(task, clock, cancelled.signal);
  await sleep(clock, 2500);
  cancelled.abort();
  const checks = await judged;
  const search = checks.find(({ checker }) => checker === 'linearizable');
  expect(search).toMatchObject({ verdict: 'unknown', reason: 'it was cancelled' });
  expect(checks.length).toBeGreaterThan(1);
});

test('a search that needs more memory than it has is unknown, and the process stays small', async () => {
  await using file = await stored(historyOfKnown(knownHistory(randomOf(1), HOPELESS)));
  const before = process.memoryUsage().rss;
  const limits = { timeoutMs: 100_000, memoryBytes: 2 ** 25 };
  const task = {
    historyPath: file.path,
    model: { name: 'register' },
    workload: 'register',
    workloadOptions: OPTIONS,
    context: checkContext({ limits }),
  };
  const [check] = await judge(task, clock);
  expect(check).toMatchObject({ verdict: 'unknown', details: { unknown: [{ reason: 'memory' }] } });
  expect(check?.reason).toContain('stopped at 32 MiB of memory on 1 key');
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
});
