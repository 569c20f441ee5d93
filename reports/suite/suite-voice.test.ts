import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Clock, sleep, VirtualClock } from '../../harness/core/clock.ts';
import { nanos } from '../../harness/core/units.ts';
import type { SuiteResult } from '../../harness/protocols/suite.ts';
import type { Progress } from '../progress.ts';
import { ansiStyle } from '../style.ts';
import { fixtureConfig, fixtureManifest, passRun } from '../testing/fixture-result.ts';
import { failSuite } from '../testing/fixture-suite.ts';
import { widthOf } from '../words.ts';
import { lineVoice, liveVoice, type SuiteVoice, silentVoice } from './suite-voice.ts';

const { history, result: run } = passRun({ seconds: 12 });

/** Plays the tests of a suite, `atOnce` at a time, on virtual time; returns what was written. */
async function played(
  make: (clock: VirtualClock, write: (text: string) => void) => SuiteVoice,
  { manifest, tests }: SuiteResult,
  atOnce = 1,
): Promise<readonly string[]> {
  const clock = new VirtualClock();
  const written: string[] = [];
  const voice = make(clock, (text) => {
    written.push(text);
  });
  const refs = tests.map((each) => each.test);
  const folder = '.schism/suites/20261121T014712Z-s41e';
  const one = async (result: (typeof tests)[number]): Promise<void> => {
    const config = fixtureConfig({ test: result.test });
    const started = clock.now();
    const own: Clock = {
      now: () => nanos(clock.now() - started),
      wallMs: () => clock.wallMs(),
      timer: (ms, fire) => clock.timer(ms, fire),
      turn: () => clock.turn(),
    };
    using progress = voice.progress(result.test, {
      clock: own,
      manifest: fixtureManifest({ config }),
      columns: () => 100,
      write: (text) => {
        voice.say(text);
      },
    });
    await play(clock, started, progress);
    progress.end(run);
    voice.finished(result);
  };
  const all = async (): Promise<void> => {
    voice.start({ manifest, tests: refs, workers: atOnce, folder });
    for (let at = 0; at < tests.length; at += atOnce)
      await Promise.all(tests.slice(at, at + atOnce).map(one));
    voice[Symbol.dispose]();
  };
  await clock.run(all());
  return written;
}

async function play(clock: VirtualClock, started: number, progress: Progress): Promise<void> {
  let phase = '';
  for (const op of history.ops()) {
    await sleep(clock, (op.time + started - clock.now()) / 1e6);
    if (op.phase !== phase) progress.onPhase(op.phase);
    phase = op.phase;
    progress.onOp(op);
  }
}

/** Three tests are enough to see. */
function few(): SuiteResult {
  const { tests, ...rest } = failSuite();
  return { ...rest, tests: tests.slice(2, 5) };
}

describe('lines, for pipes and CI', () => {
  test('tell tests apart by their numbers, in 160 columns and without escape sequences', async () => {
    const text = (await played((_, write) => lineVoice(write), few())).join('');
    await expect(text).toMatchFileSnapshot('../testing/golden/suite-lines.txt');
    expect(text).not.toContain('\u001b');
    const lines = text.trimEnd().split('\n');
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(160);
    expect(lines.slice(1).every((line) => /^\[ *\d+\.\d\] \w+ +#[123] /.test(line))).toBe(true);
  });
});

describe('the live screen', () => {
  const live =
    (columns: number) =>
    (clock: VirtualClock, write: (text: string) => void): SuiteVoice =>
      liveVoice({ clock, write, columns: () => columns, style: ansiStyle });

  test('finished tests stay above what runs, and nothing else is left at the end', async () => {
    const shown = screenOf(await played(live(100), few()));
    expect(shown).toEqual([
      expect.stringMatching(/^ schism 0\.0\.0 .* seed 0x5eed1234 .* suite s41e/),
      expect.stringMatching(/^ ✓ register\/partition-halves \[serializable\] .* ok$/),
      expect.stringMatching(/^ ✗ register\/pause-leader .* FAIL stale-read$/),
      expect.stringMatching(/^ ✗ register\/pause-all .* FAIL stale-read$/),
      '',
    ]);
  });

  test('one test is a block with its place in the suite, several are a line each', async () => {
    const alone = await played(live(100), few());
    const middle = screenOf(alone.slice(0, Math.floor(alone.length / 2)));
    expect(middle.join('\n')).toMatch(/▶ register\/pause-leader .* test 2 of 3\n {3}ops /);
    expect(middle.at(-2)).toMatch(/^ 1 of 3 tests: 0 failed, 1 passed +\d+\.\d s +\[ctrl-c\] stop/);
    const together = await played(live(100), few(), 3);
    const running = screenOf(together.slice(0, Math.floor(together.length / 2)));
    expect(running.filter((line) => line.includes('▶'))).toHaveLength(3);
    expect(running.join('\n')).not.toContain('   ops ');
  });

  test('with keys, the last line names them', async () => {
    const make = (clock: VirtualClock, write: (text: string) => void): SuiteVoice =>
      liveVoice({ clock, write, columns: () => 120, keys: true });
    const written = await played(make, few(), 2);
    const running = screenOf(written.slice(0, Math.floor(written.length / 2)));
    expect(running.at(-3)).toMatch(/^ \d of 3 tests: 0 failed, \d passed +\d+\.\d s$/);
    expect(running.at(-2)).toMatch(/^ \[s\] state .* \[ctrl-c\] stop and check/);
  });

  test.each([50, 80, 160])('lines never wrap at %i columns', async (columns) => {
    const written = await played(live(columns), few(), 2);
    const lines = written.flatMap((text) => stripVTControlCharacters(text).split('\n'));
    expect(Math.max(...lines.map(widthOf))).toBeLessThan(columns);
  });
});

test('who is silent says only what must be said', async () => {
  const written = await played((_, write) => {
    const voice = silentVoice(write);
    voice.say('stopping\n');
    return voice;
  }, few());
  expect(written).toEqual(['stopping\n']);
});

/** What a terminal shows after such writes: up so many lines, clear what is below, write. */
function screenOf(written: readonly string[]): readonly string[] {
  const lines = [''];
  for (const text of written) {
    // oxlint-disable-next-line no-control-regex
    const [up = '', count = '0'] = /^\u001b\[(\d+)A\u001b\[0J/.exec(text) ?? [];
    lines.splice(lines.length - 1 - Number(count));
    const rest = stripVTControlCharacters(text.slice(up.length)).split('\n');
    if (lines.length === 0 || up !== '' || Number(count) === 0) lines.push(...rest);
  }
  return lines;
}
