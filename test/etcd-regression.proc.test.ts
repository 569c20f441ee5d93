/** A bug of a store that others run: stock etcd answers linearizable reads with old values. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadRegressions, OWN_REGRESSIONS } from '../cli/regressions/load.ts';
import { readSuite } from '../harness/store/suites.ts';
import { type Said, sandbox } from './cli-testing.ts';
import { describeWith } from './requires.ts';

const NAME = 'etcd-20418-process';
/** Some of its stale reads are told by revisions alone: no order of values forbids them. */
const ATTEMPTS_MAX = 6;

describeWith('etcd', 'stock etcd', () => {
  test('shows the stale reads of its issue 20418, or is a version that cannot', async () => {
    await using box = await sandbox();
    const words = ['run', NAME, '--regressions', OWN_REGRESSIONS, '-q'];
    let judged: Said = { code: 0, out: '', err: '' };
    for (let attempt = 0; attempt < ATTEMPTS_MAX && judged.code === 0; attempt++) {
      const { code, out, err } = await box.schism(words);
      if (code === 4) {
        expect(err).toMatch(/it is of etcd 3\.4\.20 - 3\.4\.41, .* and here is \d/);
        return;
      }
      expect({ code, out: code === 0 ? '' : out }).toEqual({ code: 0, out: '' });
      // Without a look at what the store says of revisions: its reads and writes have no order at all.
      judged = await box.schism(['check', 'latest', '--criterion', 'linearizable']);
    }
    expect(judged.code).toBe(1);
    const folder = join(box.dir, '.schism', 'latest-suite');
    const [found] = (await readSuite(folder)).tests;
    const regression = (await loadRegressions(OWN_REGRESSIONS)).find(({ name }) => name === NAME);
    expect(found?.runs.length).toBeLessThanOrEqual(regression?.within ?? 0);
    expect(found?.runs.at(-1)?.checks).toContainEqual(
      expect.objectContaining({ checker: 'read-modes', verdict: 'invalid' }),
    );
    const told = await box.schism(['explain', 'latest']);
    expect(told.out).toMatch(/c\d+ +read → \S+ +ok/);
    // Of the kinds that are expected, two may be shown by reads alone.
    if (told.out.includes('stale-read')) expect(told.out).toMatch(/c\d+ +(write|cas) /);
    // The text is a certificate's or the engine's own words, whichever is the shortest proof.
    expect(judged.out).toMatch(/✗ linearizable +(invalid|key k\d+) /);
    expect(judged.out).toMatch(/✗ +c\d+ +(read|write|cas) /);
  }, 1_800_000);
});
