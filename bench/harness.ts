/**
 * How much the harness itself costs: operations per second that it issues, records on disk and
 * completes against an empty in-process store, as a ratio to calling that store in a bare loop.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, realClock } from '../harness/core/clock.ts';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { nanos } from '../harness/core/units.ts';
import { ThreadTable } from '../harness/generator/context.ts';
import { Recorder } from '../harness/history/recorder.ts';
import type { RegisterApi } from '../harness/protocols/system.ts';
import { interpret } from '../harness/runner/interpreter.ts';
import { registerClient } from '../workloads/register-client.ts';
import { registerMix } from '../workloads/register-generator.ts';

const MS = 3000;
const ROUNDS = 3;
const CLIENTS = 10;

const done = Promise.resolve({ type: 'ok', value: null } as const);
const empty: RegisterApi = { read: () => done, write: () => done, cas: () => done };
const client = registerClient({ register: empty }, { readMs: 1000, writeMs: 1000 });

/** Operations per second through generator, interpreter, client and recorder. */
async function throughHarness(clock: Clock, path: string): Promise<number> {
  const recorder = await Recorder.open(path, clock);
  const table = new ThreadTable({ clients: CLIENTS, lanes: [], nodes: ['n1', 'n2', 'n3'] });
  const mix = registerMix(
    { keys: 8, opsPerKey: 200, values: 'unique', mix: () => [{ f: 'write', weight: 1 }] },
    Random.stream(seedFrom(1), 'bench'),
  );
  const start = clock.now();
  await interpret(
    {
      clock,
      table,
      record: (draft) => recorder.record(draft),
      invoke: (_thread, op) => client.invoke(op),
      onBug: (error) => {
        throw error;
      },
    },
    mix,
    { phase: 'main', until: nanos(start + MS * 1e6), drainMs: 1000 },
  );
  const seconds = (clock.now() - start) / 1e9;
  await recorder[Symbol.asyncDispose]();
  return recorder.history().length / 2 / seconds;
}

/** The baseline: the same client, called and awaited in a loop, nothing recorded. */
async function bareLoop(clock: Clock): Promise<number> {
  const start = clock.now();
  const op = { index: 0, time: start, process: 0, type: 'invoke', f: 'write' } as const;
  let count = 0;
  while (clock.now() - start < MS * 1e6) {
    for (let i = 0; i < 1000; i++)
      await client.invoke({ ...op, key: 'k0', value: count++, phase: 'main' });
  }
  return count / ((clock.now() - start) / 1e9);
}

const clock = realClock();
const dir = await mkdtemp(join(tmpdir(), 'schism-bench-'));
try {
  const rows: { harness: number; bare: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const bare = await bareLoop(clock);
    rows.push({ bare, harness: await throughHarness(clock, join(dir, `${round}.jsonl`)) });
  }
  const best = rows.toSorted((a, b) => a.harness - b.harness)[ROUNDS >> 1] ?? rows[0];
  const perSecond = (n: number): string => `${Math.round(n).toLocaleString('en')}/s`;
  if (best !== undefined) {
    console.log(`bare client loop     ${perSecond(best.bare)}`);
    console.log(`through the harness  ${perSecond(best.harness)} (median of ${ROUNDS})`);
    console.log(`ratio                ${(best.harness / best.bare).toFixed(3)}`);
  }
  console.log(JSON.stringify({ bench: 'harness', rounds: rows }));
} finally {
  await rm(dir, { recursive: true });
}
