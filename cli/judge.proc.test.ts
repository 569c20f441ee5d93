import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { linearizable } from '../checkers/linearizable/checker.ts';
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

/** No search comes to its end: many at once, many that may have happened, one write too few. */
const HOPELESS = {
  operations: 6000,
  clients: 60,
  indefinite: 0.1,
  cas: 0.5,
  values: 10,
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
  const history = historyOfKnown(knownHistory(randomOf(1), HOPELESS));
  const before = process.memoryUsage().rss;
  const limits = { timeoutMs: 3_600_000, memoryBytes: 2 ** 22 };
  const check = await linearizable({}).check(history, checkContext({ limits }));
  expect(check).toMatchObject({ verdict: 'unknown', details: { unknown: [{ reason: 'memory' }] } });
  expect(check.reason).toContain('stopped at 4 MiB of memory on 1 key');
  expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
});
