/** The main job in containers, from the command line: real faults, a verdict, and nothing left. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Found, findMade, removeMade } from '../cluster/backends/docker/cleanup.ts';
import { openEngine } from '../cluster/backends/docker/engine.ts';
import { realClock, sleep } from '../harness/core/clock.ts';
import { breaksAndJudges } from './backends.ts';
import { type Sandbox, sandbox } from './cli-testing.ts';
import { engineBehind } from './engine-proxy.ts';
import { ON_PROCESSES } from './planted.ts';
import { hunt } from './recorded-process-run.ts';
import { describeWith } from './requires.ts';
import { evidenceOf, stored } from './stored-run.ts';

const clock = realClock();
const NODES = ['n1', 'n2', 'n3'];
const WORDS = 'run --backend docker --system raftkv --workload register --require-faults -q';
const RUN = WORDS.split(' ');

/** What the run of this sandbox still has on the engine. */
async function leftovers(box: Sandbox): Promise<readonly Found[]> {
  const text = await readFile(join(await box.runDir(), 'run.json'), 'utf8');
  const { run } = JSON.parse(text) as { readonly run: string };
  return findMade(await openEngine(process.env), clock, { run });
}

describeWith('engine', 'runs of etcd in containers', () => {
  breaksAndJudges(() => ({
    words: ['--backend', 'docker', '--system', 'etcd', '--nodes', '3'],
    leftovers,
  }));
});

describeWith('engine', 'runs of raftkv in containers', () => {
  test('on small disks, with limits: a member is replaced, killed, held, and nothing is left', async () => {
    await using box = await sandbox();
    const limits = ['-O', 'cpus=1', '-O', 'memory=400m', '-O', 'data-size=128m'];
    const schedule = [
      { at: '0s', for: '2s', fault: 'hold', target: 'leader' },
      { at: '1s', for: '1s', fault: 'compact' },
      // Who counts the members' health refuses a change until it has been good for five seconds.
      { at: '8s', for: '2s', fault: 'membership', target: 'one' },
      { at: '16s', for: '1s', fault: 'kill', target: 'leader' },
    ];
    await writeFile(join(box.dir, 's.json'), JSON.stringify(schedule));
    const args = [...RUN, '--nodes', '3', ...limits, '--schedule', 's.json', '--duration', '18s'];
    const { code, out } = await box.schism(args);
    expect({ code, out: code === 0 ? '' : out }).toEqual({ code: 0, out: '' });

    const run = await stored(box);
    const { kinds } = evidenceOf(run);
    expect(kinds.every(({ installed, failed }) => installed > 0 && failed === 0)).toBe(true);
    expect(run.result.manifest.cluster).toMatchObject({
      system: 'raftkv',
      image: { name: 'schism/raftkv:local' },
      links: { server: 'schism' },
      members: { n3: { advertised: 'n3:2380' } },
    });
    expect(await leftovers(box)).toEqual([]);
    for (const node of NODES) {
      const log = join(run.dir, 'tests', 'register', 'nodes', node, 'raftkv.log');
      expect((await readFile(log, 'utf8')).split('\n').length).toBeGreaterThan(3);
    }
  });

  test('a planted bug is found in containers, too', async () => {
    const planted = ON_PROCESSES.find((each) => each.bug === 'stale-leader-read');
    expect.assert(planted !== undefined);
    const { seen } = await hunt(planted, ['--backend', 'docker']);
    expect(seen.length).toBeGreaterThan(0);
  });

  test('an engine elsewhere: what is dialled from here is published, on one address alone', async () => {
    await using box = await sandbox();
    await using engine = await engineBehind({ host: '127.0.0.1', port: 0 });
    const faults = ['--fault', 'partition,pause', '--fault-interval', '1s'];
    const args = [...RUN, '--nodes', '3', ...faults, '--fault-duration', '1s', '--duration', '8s'];
    const { code, out } = await box.schism(args, engine.env);
    expect({ code, out: code === 0 ? '' : out }).toEqual({ code: 0, out: '' });
    const { result } = await stored(box);
    const published = expect.stringMatching(/^127\.0\.0\.1:\d+$/);
    expect(result.manifest.cluster).toMatchObject({ members: { n2: { clientLink: published } } });
    expect(await leftovers(box)).toEqual([]);
  });

  test('a node that ends by itself is no fault of ours: the run says which, and how', async () => {
    await using box = await sandbox();
    const words = [...RUN, '--no-faults', '--nodes', '3', '--duration', '60s'];
    const running = box.start(words);
    await box.recorded('"ph":"main"');
    const { docker } = await openEngine(process.env);
    const node = (await leftovers(box)).find(({ name }) => name.endsWith('-n2'));
    await docker.getContainer(node?.id ?? '').kill({ signal: 'SIGKILL' });
    await sleep(clock, 1000);
    running.kill('SIGINT');
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(3);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('ended by themselves: n2 signal SIGKILL');
    expect(await leftovers(box)).toEqual([]);
  });

  test('an engine that goes away in mid-run: the run ends, and what was seen is judged', async () => {
    await using box = await sandbox();
    const schedule = [
      { at: '3s', for: '1s', fault: 'pause', target: 'n1' },
      { at: '5s', for: '1s', fault: 'kill', target: 'n2' },
    ];
    await writeFile(join(box.dir, 's.json'), JSON.stringify(schedule));
    const words = [...RUN, '--nodes', '3', '--schedule', 's.json', '--duration', '7s'];
    await using engine = await engineBehind({ path: join(box.dir, 'docker.sock') });
    const running = box.start(words, engine.env);
    await box.recorded('"ph":"main"');
    await engine.goAway();
    const { exitCode, stdout } = await running;
    const made = await leftovers(box);
    await removeMade(await openEngine(process.env), made, clock);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('container engine');
    expect(stdout).toMatch(/✓ linearizable/);
    expect(made.length).toBeGreaterThan(0);
  });
});
