/** `--leave-running`, with real processes: what stays must be reachable, and must be found again. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realClock } from '../harness/core/clock.ts';
import { cleanLeftovers } from '../harness/runner/sweep.ts';
import { sandbox } from './cli-testing.ts';
import { leftProcesses } from './stored-run.ts';

const ARGS = ['run', '-c', 'asked.json', '--nodes', '1', '--no-faults', '--duration', '2s'];

test('after a failure the cluster is there, until it is swept', async () => {
  await using box = await sandbox();
  // More than any store can do.
  const asked = {
    system: 'raftkv',
    workload: 'register',
    thresholds: { throughput: ['rate>1000000'] },
  };
  await writeFile(join(box.dir, 'asked.json'), JSON.stringify(asked));
  const { code, out, err } = await box.schism([...ARGS, '--leave-running']);
  expect({ code, err }).toMatchObject({ code: 1 });
  try {
    expect(out).toMatch(/exit 1: .*$/);
    const [, port] = /^ +n1 +127\.0\.0\.1:(\d+)/m.exec(out) ?? [];
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    expect((await leftProcesses(box)).map(({ command }) => command).join('\n')).toMatch('raftkv');
  } finally {
    await cleanLeftovers(realClock(), await leftProcesses(box));
  }
  expect(await leftProcesses(box)).toEqual([]);
});

test('after a pass nothing stays', async () => {
  await using box = await sandbox();
  await writeFile(join(box.dir, 'asked.json'), '{"system":"raftkv","workload":"register"}');
  const { code } = await box.schism([...ARGS, '--leave-running']);
  expect(code).toBe(0);
  expect(await leftProcesses(box)).toEqual([]);
});
