/** The cluster of docker-compose.yml: broken through Toxiproxy and the engine, left as it was found. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { breaksAndHeals } from './backends.ts';
import { sandbox } from './cli-testing.ts';
import { type ComposeCluster, composeCluster } from './compose-cluster.ts';
import { describeWith } from './requires.ts';
import { stored } from './stored-run.ts';

const CONFIG = fileURLToPath(new URL('../docker-compose.schism.config.ts', import.meta.url));

describeWith('engine', 'attached to containers', () => {
  describe('of the real etcd', () => {
    let cluster: ComposeCluster;
    const env = { ...process.env };
    const stack = new AsyncDisposableStack();

    beforeAll(async () => {
      cluster = stack.use(await composeCluster({ ports: '1', system: 'etcd' }));
      // The runs of these tests read the config in processes of their own.
      Object.assign(process.env, cluster.env);
    }, 150_000);
    afterAll(async () => {
      process.env = env;
      await stack.disposeAsync();
    });

    breaksAndHeals(() => ({
      words: ['--config', CONFIG],
      leftovers: () => cluster.disturbances(),
    }));

    test('the logs since the start of the run are kept, and no others', async () => {
      await using box = await sandbox();
      const words = ['run', '--config', CONFIG, '--fault', 'kill', '--duration', '6s', '-q'];
      const often = ['--fault-interval', '1s', '--fault-duration', '1s', '--workload', 'register'];
      expect(await box.schism([...words, ...often])).toMatchObject({ code: 0 });
      const { dir } = await stored(box);
      const nodes = join(dir, 'tests', 'register', 'nodes');
      const texts = await Promise.all(
        (await readdir(nodes)).map((node) => readFile(join(nodes, node, 'container.log'), 'utf8')),
      );
      expect(texts).toHaveLength(3);
      // Of the nodes that were killed: others may have had nothing to say.
      expect(texts.join('')).toMatch(/^\S+ \S+ I \| etcdmain: etcd Version/m);
      expect(texts.join('')).not.toContain('\u0000');
    });

    test('a container that ends by itself is a crash that the run tells of', async () => {
      await using box = await sandbox();
      const words = ['run', '--config', CONFIG, '--no-faults', '--duration', '60s', '-q'];
      const running = box.start(words);
      await box.recorded('"ph":"main"');
      const name = `${cluster.env['SCHISM_PROJECT']}-n2`;
      await execa('docker', ['kill', name]);
      running.kill('SIGINT');
      const { exitCode, stdout } = await running;
      await execa('docker', ['start', name]);
      expect(exitCode).toBe(3);
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain('ended by themselves: n2 exit code 137');
    });

    test('a name that no container has is refused before anything is touched', async () => {
      await using box = await sandbox();
      process.env['SCHISM_PROJECT'] = 'nobody';
      const { code, out } = await box.schism(['run', '--config', CONFIG, '-q']);
      process.env['SCHISM_PROJECT'] = cluster.env['SCHISM_PROJECT'];
      expect(code).toBe(3);
      expect(out.replaceAll(/\s+/g, ' ')).toMatch(
        /attach\.nodes\.n\d\.container: the container engine has no 'nobody-n\d'; see docker ps/,
      );
    });
  });

  describe('of raftkv, with the harness in one, too', () => {
    test('docker-compose run schism: pass, with evidence for every kind of fault', async () => {
      await using box = await sandbox();
      expect((await box.schism(['images', 'build', '--only', 'schism'])).code).toBe(0);
      await using cluster = await composeCluster({ ports: '2', system: 'raftkv' });
      const config = '/schism/docker-compose.schism.config.ts';
      const words = ['run', '--config', config, '--duration', '10s', '--workload', 'register'];
      const often = ['--fault-interval', '1s', '--fault-duration', '1s', '--output', '/tmp/runs'];
      const said = await cluster.compose('run', '--rm', 'schism', ...words, ...often);
      expect(said).toContain('exit 0: no violation found');
      expect(await cluster.disturbances()).toEqual([]);
    }, 300_000);
  });
});
