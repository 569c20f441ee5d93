/** `schism/vitest` as vitest would call it; in vitest itself: `package.proc.test.ts`. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realClock, sleep } from '../harness/core/clock.ts';
import { type ChaosTest, chaosTestWith } from '../vitest.ts';

/** On virtual time: what is found does not depend on how fast this machine is. */
const QUICK = {
  backend: 'sim',
  workload: 'register',
  nodes: 3,
  duration: '500ms',
  quietStart: '500ms',
  faults: false,
} as const;
/** Found without a fault, by this seed of the config. */
const WRONG = { ...QUICK, bug: 'txn-race', duration: '3s' } as const;

let dir = '';
let config = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-vitest-'));
  config = join(dir, 'schism.config.json');
  await writeFile(config, JSON.stringify({ output: 'kept', rate: 500, seed: 5 }));
});
afterAll(async () => {
  await rm(dir, { recursive: true });
});

interface Declared {
  readonly title: string;
  readonly timeout: number;
  run(signal?: AbortSignal): Promise<void>;
}

/** What a file declares; none of it runs yet. */
function declared(file: (chaosTest: ChaosTest) => void): Declared[] {
  const found: Declared[] = [];
  file(
    chaosTestWith((title, { timeout }, run) => {
      found.push({
        title,
        timeout,
        run: (signal) => run(signal === undefined ? {} : { signal }),
      });
    }),
  );
  return found;
}

async function failureOf(one: Declared | undefined, signal?: AbortSignal): Promise<Error> {
  try {
    await one?.run(signal);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it passed');
}

describe('a chaos test', () => {
  test('of a store that does nothing wrong passes, and its run is kept', async () => {
    const [one] = declared((chaosTest) => {
      chaosTest('nothing breaks', { ...QUICK, config });
    });
    expect(one).toMatchObject({ title: 'nothing breaks', timeout: 0 });
    await one?.run();
    const runs = (await readdir(join(dir, 'kept', 'runs'))).filter((name) => /^\d{8}T/.test(name));
    expect(runs).toHaveLength(1);
    expect(await readdir(join(dir, 'kept', 'runs', runs[0] ?? ''))).toContain('results.json');
  });

  test('of a wrong one fails with the explanation and the commands, where it was declared', async () => {
    const [one] = declared((chaosTest) => {
      chaosTest('a lost race', { ...WRONG, config });
    });
    const { message, stack = '' } = await failureOf(one);
    expect(message).toMatch(/^chaos test: fail: linearizable: /);
    expect(message).toMatch(/✗ FAIL +a lost race/);
    const [, run] = /npx schism replay ([0-9a-f]+)/.exec(message) ?? [];
    expect(run).toMatch(/^[0-9a-f]{4,}$/);
    expect(message.replaceAll(/\s*\\\n\s*/g, ' ')).toMatch(
      new RegExp(`npx schism check ${run} -o .*/kept -c .*/schism\\.config\\.json\n`),
    );
    expect(message).not.toContain('\u001b');
    const [frame = ''] = stack.split('\n').filter((line) => line.startsWith('    at '));
    expect(frame).toContain('vitest-helper.proc.test.ts');
  });

  test('that is ended by its signal does not pass', async () => {
    const [one] = declared((chaosTest) => {
      chaosTest('ended', { ...QUICK, config, duration: '2h' });
    });
    const controller = new AbortController();
    const failing = failureOf(one, controller.signal);
    await sleep(realClock(), 500);
    controller.abort();
    expect((await failing).message).toContain('interrupted by SIGINT');
  });

  test.each([
    [{ durations: '1s' }, /chaosTest\('x'\): has no 'durations' \(did you mean 'duration'\?\)/],
    [{ checks: 1 }, /chaosTest\('x'\): checks: /],
  ])('with an option that cannot be is refused at once: %j', (options, complaint) => {
    expect(() =>
      declared((chaosTest) => {
        chaosTest('x', options as object);
      }),
    ).toThrow(complaint);
  });

  test('with a value that cannot be fails before anything starts', async () => {
    const [one] = declared((chaosTest) => {
      chaosTest('x', { config, system: 'memry' });
    });
    expect((await failureOf(one)).message).toMatch(
      /unknown system 'memry' \(did you mean 'memory'/,
    );
  });
});

describe('a known bug', () => {
  test('that is found passes', async () => {
    const [one] = declared((chaosTest) => {
      chaosTest.expectViolation('x', { ...WRONG, config });
    });
    await expect(one?.run()).resolves.toBeUndefined();
  });

  test('that is not found fails', async () => {
    const [one] = declared((chaosTest) => {
      chaosTest.expectViolation('x', { ...QUICK, config, within: '2 runs' });
    });
    expect((await failureOf(one)).message).toMatch(
      /fail: expected a violation, and it was not found in 2 runs/,
    );
  });
});
