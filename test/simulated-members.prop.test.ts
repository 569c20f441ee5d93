/** raftkv on the simulator while its members come and go: no violation, and every change is seen. */
import { describe, expect, test } from 'vitest';
import { recordedRun } from './recorded-run.ts';
import type { VirtualRun } from './virtual-run.ts';

/** Without the strict check, which would refuse most changes while other faults go on. */
const OFTEN =
  '--workload register,reads --nodes 5 --rate 100 --quiet-start 500ms --duration 10s ' +
  '--fault-interval 700ms --fault-duration 1200ms -O strict-reconfig-check=false';
/** Whoever joins needs a snapshot. */
const SHORT_LOG = '-O snapshot-count=100 -O snapshot-catchup-entries=20';

function runWith(faults: string, seed: number, options = ''): Promise<VirtualRun> {
  const words = `${OFTEN} ${options} --fault ${faults} --seed ${seed}`;
  return recordedRun(words.split(' ').filter((word) => word !== ''));
}

/** What took effect, as `remove`, `replace by learner`, ... */
function deedsOf({ history }: VirtualRun): string[] {
  return [...history.ops()].flatMap(({ f, type, value }) => {
    const text = JSON.stringify(value);
    const begun = f === 'membership' && type === 'info' && text.includes('"stage":"begin"');
    if (!begun || !text.includes('"result":"installed"')) return [];
    const [, deed = '', as = ''] = /"text":"(\w+) .*?(?:by a (\w+)|")/.exec(text) ?? [];
    return [as === '' ? deed : `${deed} by ${as}`];
  });
}

describe('members that come and go', () => {
  test.each([
    ['membership,partition', ''],
    ['membership,kill,pause', SHORT_LOG],
    ['membership,power,compact', SHORT_LOG],
  ])(
    'with %s, six seeds: nobody is accused',
    async (faults, options) => {
      const deeds: string[] = [];
      for (let seed = 1; seed <= 6; seed++) {
        const run = await runWith(faults, seed, options);
        const invalid = run.checks.filter(({ verdict }) => verdict === 'invalid');
        expect({ seed, invalid, problems: run.problems }).toEqual({
          seed,
          invalid: [],
          problems: [],
        });
        expect(run.history.length).toBeGreaterThan(500);
        deeds.push(...deedsOf(run));
      }
      expect(new Set(deeds)).toEqual(new Set(['remove', 'replace by voter', 'replace by learner']));
    },
    120_000,
  );

  test('with nothing else going on all changes take effect, and end', async () => {
    const { checks, problems } = await runWith('membership', 1);
    const evidence = checks.find(({ checker }) => checker === 'evidence');
    const [kind] = (evidence?.details['kinds'] ?? []) as { installed: number; healed: number }[];
    expect(kind).toMatchObject({ fault: 'membership', skipped: 0, failed: 0 });
    expect(kind?.installed).toBeGreaterThan(2);
    expect(kind?.healed).toBe(kind?.installed);
    expect(problems).toEqual([]);
  }, 60_000);
});
