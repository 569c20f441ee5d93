import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VirtualClock } from '../harness/core/clock.ts';
import { fixtureManifest } from '../reports/testing/fixture-result.ts';
import { failSuite, passSuite } from '../reports/testing/fixture-suite.ts';
import { githubShell } from './github.ts';
import type { Shell } from './program.ts';
import { chooseReporters, type ReporterFlags } from './reporter-choice.ts';
import { reportersFor, type SuiteFolder, type SuiteReporters } from './reporters.ts';
import { fakeShell } from './testing.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-reporters-'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

function shellWith(env: Shell['env'], isTty = false): ReturnType<typeof fakeShell> {
  const { shell, said } = fakeShell({ env, isTty });
  return { shell: githubShell(shell), said };
}

function reporters(shell: Shell, flags: ReporterFlags, json = false): SuiteReporters {
  const choice = chooseReporters(shell, flags);
  return reportersFor(shell, { choice, clock: new VirtualClock(), json, color: true });
}

/** In memory; `broken` cannot be written. */
function folderOf(broken = ''): {
  readonly folder: SuiteFolder;
  readonly files: Map<string, string>;
} {
  const files = new Map<string, string>();
  return {
    files,
    folder: {
      shown: '.schism/suites/x-s41e',
      writeText: (name, text) => {
        if (name === broken) return Promise.reject(new Error('no space left'));
        files.set(name, text);
        return Promise.resolve();
      },
    },
  };
}

/** All that a runner calls, for the tests of a suite one after another. */
async function told(all: SuiteReporters, result = failSuite()): Promise<readonly string[]> {
  const { folder } = folderOf();
  const { manifest, tests } = result;
  const refs = tests.map((each) => each.test);
  all.onSuiteStart({ manifest, tests: refs, workers: 1, folder: folder.shown });
  for (const each of tests) {
    all.onTestStart(each.test);
    using progress = all.progress({
      test: each.test,
      manifest: fixtureManifest(),
      clock: new VirtualClock(),
    });
    progress.onPhase('main');
    all.onTestEnd(each);
  }
  const failed = await all.write(result, folder);
  all.end(result, folder);
  all[Symbol.dispose]();
  return failed;
}

describe('what is said', () => {
  test('in a pipe: a line for each test, then the text', async () => {
    const { shell, said } = shellWith({});
    await told(reporters(shell, {}));
    expect(said.out.match(/^\[.*\] (PASS|FAIL|ERROR|UNKNOWN) +#\d+ /gm)).toHaveLength(10);
    expect(said.out).toMatch(/\n exit 1: violation in 2 tests, 1 expected violation not found\n$/);
    expect(said.out).not.toContain('\u001b');
    expect(said.err).toBe('');
  });

  test.each([
    ['quiet', { quiet: true }],
    ['minimal', { reporter: 'minimal' }],
  ])('%s: nothing before the end', async (_, flags) => {
    const { shell, said } = shellWith({});
    await told(reporters(shell, flags));
    expect(said.out).toMatch(/^ ✗ FAIL {2}6 of 10 tests did not pass/);
  });

  test('on a terminal the screen is cleared before the text', async () => {
    const { shell, said } = shellWith({}, true);
    await told(reporters(shell, {}));
    const last = said.out.split('\u001b[0J').at(-1);
    expect(last).toMatch(/did not pass/);
  });

  test('keys are heard from the first test to the last, and not behind the text', async () => {
    const { shell, said } = shellWith({}, true);
    const events: string[] = [];
    const keyed: Shell = {
      ...shell,
      keys: (handler) => {
        events.push('open');
        handler('s');
        return {
          [Symbol.dispose]: () => {
            if (events.at(-1) === 'open') events.push(`closed before ${said.out.length}`);
          },
        };
      },
    };
    await told(reporters(keyed, {}));
    expect(events).toEqual(['open', expect.stringMatching(/^closed before/)]);
    const at = Number(events[1]?.split(' ').at(-1));
    expect(said.out.slice(0, at)).toContain(' nothing runs now\n');
    expect(said.out.slice(at)).toMatch(/did not pass/);
    expect(said.out).toContain('[s] state');
    events.length = 0;
    await told(reporters(keyed, { input: false }));
    expect(events).toEqual([]);
  });

  test('with a document on standard output people are told on the other', async () => {
    const { shell, said } = shellWith({});
    await told(reporters(shell, {}, true));
    expect(JSON.parse(said.out)).toMatchObject({ exitCode: 1, manifest: { suite: 's41e' } });
    expect(said.err).toContain('exit 1: ');
  });

  test('on GitHub each test is folded away, and annotated at its line', async () => {
    const path = join(root, 'summary.md');
    const { shell, said } = shellWith({ GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: path });
    await told(reporters(shell, {}));
    expect(said.out.match(/^::group::/gm)).toHaveLength(10);
    expect(said.out.match(/^::endgroup::/gm)).toHaveLength(10);
    expect(said.out).toContain('::error file=chaos/register.chaos.ts,line=31,');
    expect(await readFile(path, 'utf8')).toMatch(/^## ✗ FAIL 10 tests/);
  });
});

describe('what is written', () => {
  test('always JUnit, a summary and the page; elsewhere what was asked for', async () => {
    const { shell, said } = shellWith({});
    const { folder, files } = folderOf();
    const [junit, html, json] = ['junit.xml', 'page/report.html', 'suite.json'].map((name) =>
      join(root, 'out', name),
    );
    expect.assert(junit !== undefined && html !== undefined && json !== undefined);
    const choice = chooseReporters(shell, {}, [
      ['junit', { outputFile: junit }],
      ['html', { outputFile: html }],
      ['json', { outputFile: json }],
    ]);
    using all = reportersFor(shell, { choice, clock: new VirtualClock(), color: false });
    expect(await all.write(passSuite(), folder)).toEqual([]);
    expect([...files.keys()]).toEqual(['junit.xml', 'summary.md', 'report.html']);
    expect(await readFile(junit, 'utf8')).toBe(files.get('junit.xml'));
    expect(await readFile(html, 'utf8')).toContain('<!doctype html>');
    expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({ exitCode: 0 });
    all.end(passSuite(), folder);
    expect(said.out).toContain(` JUnit         ${junit}\n`);
    expect(said.out).toContain(' Report        .schism/suites/x-s41e/report.html\n');
  });

  test('what cannot be written costs only itself', async () => {
    const { shell } = shellWith({});
    const { folder, files } = folderOf('junit.xml');
    using all = reporters(shell, {});
    expect(await all.write(passSuite(), folder)).toEqual([
      'junit.xml could not be written: no space left',
    ]);
    expect([...files.keys()]).toEqual(['summary.md', 'report.html']);
  });
});
