import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { openEngine } from '../cluster/backends/docker/engine.ts';
import { IMAGE, LABEL } from '../cluster/backends/docker/labels.ts';
import { sandbox } from '../test/cli-testing.ts';
import { describeWith } from '../test/requires.ts';
import { describeEngine } from './commands/doctor-engine.ts';
import type { Shell } from './program.ts';

describeWith('engine', 'schism doctor', () => {
  test('describes the engine, its images, and what dead runs of this machine left', async () => {
    const engine = await openEngine(process.env);
    const run = `doctor-${process.pid}`;
    const make = (name: string, owner: string): Promise<{ remove(): Promise<unknown> }> =>
      engine.docker.createNetwork({
        Name: name,
        Labels: { [LABEL.run]: run, [LABEL.owner]: owner },
      });
    const dead = await make(`${run}-dead`, `${hostname()}:${process.pid}:1`);
    const foreign = await make(`${run}-foreign`, 'elsewhere:1:1');
    try {
      let out = '';
      const lines: string[] = [];
      const say = (text: string): void => {
        out += text;
      };
      const shell = { env: process.env, out: say, err: say } as unknown as Shell;
      const isClean = await describeEngine(shell, false, (good, text) => {
        lines.push(`${good} ${text}`);
      });
      expect(isClean).toBe(false);
      expect(lines[0]).toMatch(/^true container engine \d+\.\S+: linux\/\w+, cgroup v[12]/);
      expect(lines[1]).toMatch(/^false .*network.* of dead runs are still there/);
      for (const image of Object.values(IMAGE)) expect(out).toContain(image);
      expect(out).toContain(`network ${run}-dead of run ${run}`);
      expect(out).not.toContain(`${run}-foreign`);
    } finally {
      await Promise.all([dead.remove(), foreign.remove()]);
    }
  });

  test('an engine that does not answer is no failure of what was looked for', async () => {
    const lines: string[] = [];
    const shell = { env: {}, out: () => undefined } as unknown as Shell;
    const docker = { info: () => Promise.reject(new Error('gone')) };
    const open = (): Promise<never> => Promise.resolve({ docker, version: '1' } as never);
    const isClean = await describeEngine(shell, false, (_, text) => lines.push(text), open);
    expect(isClean).toBe(true);
    expect(lines).toEqual(['container engine: ask what it can: gone']);
  });

  test('where DOCKER_HOST names an engine that is not there, no other is taken', async () => {
    await using box = await sandbox();
    const env = { DOCKER_HOST: `unix://${box.dir}/nobody.sock` };
    const { code, out } = await box.schism(['doctor'], env);
    expect(out).toContain(`✗  no container engine answers at DOCKER_HOST=${env.DOCKER_HOST}`);
    expect(out).not.toContain('container engine 2');
    expect(code).toBe(0);
    const run = ['run', '--backend', 'docker', '--system', 'raftkv', '--duration', '1s'];
    expect((await box.schism(run, env)).err).toContain('no container engine answers at');
  });
});
