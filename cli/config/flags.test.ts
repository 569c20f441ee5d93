import { Command } from 'commander';
import { expect, test } from 'vitest';

import { addRunFlags, type Flags } from '../flags.ts';
import type { SchismConfig } from './config.ts';
import { withConfig } from './flags.ts';

/** The flags of a command line, with this config under them. */
function flagsOf(words: readonly string[], config: SchismConfig): Flags {
  const command = addRunFlags(new Command('run')).parse([...words], { from: 'user' });
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  return withConfig(command.opts<Flags>(), config, isGiven);
}

const config: SchismConfig = {
  system: 'etcd',
  backend: 'attach',
  nodes: ['n1', 'n2'],
  latency: '30ms',
  workload: ['register', 'reads'],
  clients: 7,
  rate: 0,
  readModes: ['serializable'],
  duration: '7s',
  requireFaults: true,
  systemOptions: { heartbeat: '10ms' },
  workloadOptions: { keys: 3 },
  promises: { serializable: 'linearizable' },
  seed: 5,
};

test('what a config says stands in for flags that are not given', () => {
  expect(flagsOf([], config)).toMatchObject({
    system: 'etcd',
    backend: 'attach',
    nodes: 'n1,n2',
    workload: 'register,reads',
    latency: '30ms',
    clients: '7',
    rate: '0',
    readMode: 'serializable',
    duration: '7s',
    requireFaults: true,
    systemOption: ['heartbeat=10ms'],
    workloadOption: ['keys=3'],
    promise: ['serializable=linearizable'],
    seed: '5',
    // Not in the config, and so as ever.
    quietStart: '2s',
  });
  expect(flagsOf([], {})).toEqual(flagsOf([], {}));
  expect(flagsOf([], {}).duration).toBe('30s');
});

test('a flag that is given wins, also one that gives what is the default anyway', () => {
  const words = ['--duration', '30s', '--no-require-faults', '-O', 'heartbeat=20ms'];
  expect(flagsOf(words, config)).toMatchObject({
    duration: '30s',
    requireFaults: false,
    // The last one counts.
    systemOption: ['heartbeat=10ms', 'heartbeat=20ms'],
    system: 'etcd',
  });
});

test('flags that exclude each other drop all of what a config says of faults', () => {
  const scheduled: SchismConfig = { schedule: 'a.json' };
  expect(flagsOf([], scheduled)).toMatchObject({ schedule: 'a.json', faults: true });
  expect(flagsOf(['--fault', 'kill'], scheduled).schedule).toBeUndefined();
  expect(flagsOf([], { faults: ['kill', 'pause'] }).fault).toBe('kill,pause');
  expect(flagsOf(['--no-faults'], { faults: ['kill'] })).toMatchObject({ faults: false });
  expect(flagsOf(['--no-faults'], { faults: ['kill'] }).fault).toBeUndefined();
  expect(flagsOf([], { faults: false }).faults).toBe(false);
  expect(flagsOf(['--schedule', 'b.json'], { faults: false })).toMatchObject({
    schedule: 'b.json',
    faults: true,
  });
});
