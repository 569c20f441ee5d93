/** `--latency`: how far nodes are from each other. */
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { etcd } from '../cluster/systems/etcd.ts';
import { memory } from '../cluster/systems/memory.ts';
import { raftkv } from '../cluster/systems/raftkv.ts';
import type { RunConfig } from '../harness/protocols/run.ts';
import type { System } from '../harness/protocols/system.ts';
import { layered, originsOf } from './config/layers.ts';
import { parseConfig } from './config/schema.ts';
import { addRunFlags, type Flags } from './flags.ts';
import { resolveConfig } from './options.ts';
import { BUILT_IN, findWorkload } from './registry.ts';

function resolved(words: string, system: System = raftkv): Promise<RunConfig> {
  const argv = `--no-faults --seed 1 ${words}`.trim().split(' ');
  const flags = addRunFlags(new Command()).parse(argv, { from: 'user' }).opts<Flags>();
  return resolveConfig(flags, system, findWorkload('register'), {});
}

describe('--latency', () => {
  test('is kept in whole milliseconds, and workloads hear of it', async () => {
    const config = await resolved('--latency 30.4ms --nodes 3');
    expect(config.latencyMs).toBe(30);
    expect(config.workloadOptions.latencyMs).toBe(30);
    expect((await resolved('--latency 0.1el', etcd)).latencyMs).toBe(50);
  });

  test.each(['', '--latency 0ms'])('is not there where there is none: %j', async (words) => {
    const config = await resolved(words);
    expect(config).not.toHaveProperty('latencyMs');
    expect(config.workloadOptions).not.toHaveProperty('latencyMs');
  });

  test.each<[string, System, string]>([
    ['--latency 30', raftkv, "--latency: '30' is not a duration; write a number with a unit"],
    ['--latency 2s', raftkv, "--latency: '2s' is too long; it can be 0 to 1s"],
    ['--latency 500ms', raftkv, 'nobody wins an election, whose timeout here is 500 ms'],
    ['--latency 5ms', memory, '--latency: memory has no latency on its links; they can: cut'],
  ])('%s: refused in one line', async (words, system, message) => {
    await expect(resolved(words, system)).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringContaining(message),
    });
    await expect(resolved(words, system)).rejects.not.toThrow('\n');
  });

  test('may be longer where elections take longer', async () => {
    const config = await resolved('--latency 500ms -O election=2s -O heartbeat=200ms');
    expect(config.latencyMs).toBe(500);
  });

  test('can stand in a config, under flags, and it is told where it was said', async () => {
    const file = parseConfig({ latency: '20ms' }, 'schism.config.ts');
    const from = async (...words: readonly string[]): Promise<readonly unknown[]> => {
      const command = addRunFlags(new Command()).parse([...words], { from: 'user' });
      const isGiven = (flag: string): boolean => command.getOptionValueSource(flag) === 'cli';
      const given = command.opts<Flags>();
      const layers = [{ origin: 'config', options: file }] as const;
      const { flags, system, workload, origins } = layered(given, isGiven, layers, BUILT_IN);
      const config = await resolveConfig(flags, system, workload, {});
      const said = originsOf(config, given, isGiven, origins, {});
      return [config.latencyMs, said['latencyMs'], said['workloadOptions.latencyMs']];
    };
    expect(await from()).toEqual([20, 'config', 'config']);
    expect(await from('--latency', '5ms')).toEqual([5, 'flag', 'flag']);
    expect(() => parseConfig({ latency: 20 }, 'schism.config.ts')).toThrow('latency: ');
  });
});
