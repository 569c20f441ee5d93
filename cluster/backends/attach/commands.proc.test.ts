import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { realClock } from '../../../harness/core/clock.ts';
import type { ProcessState } from '../../../harness/protocols/system.ts';
import { commandHandle } from './commands.ts';

function stateAt(direct: string): Promise<ProcessState> {
  const of = { node: 'n1', commands: {}, dir: tmpdir(), clock: realClock() };
  return commandHandle({ ...of, direct }).state();
}

test('who takes a connection and says nothing is paused; who answers runs', async () => {
  let isPaused = true;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resume();
    if (!isPaused) socket.once('data', () => socket.end('hello'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const direct = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await stateAt(direct)).toEqual({ state: 'paused' });
  isPaused = false;
  expect(await stateAt(direct)).toEqual({ state: 'running' });
  server.close();
  await once(server, 'close');
  expect(await stateAt(direct)).toEqual({ state: 'gone' });
});

const FULL = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 },
  function () { console.log(this.address().port); });`;

test('who takes no connection at all, and does not refuse it either, is gone', async () => {
  // Two connections fit into the queue of a process that is stopped; then nobody answers any more.
  const child = spawn(process.execPath, ['-e', FULL], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const waiting = [1, 2].map(() => connect({ port, host: '127.0.0.1' }));
  try {
    await Promise.all(waiting.map((socket) => once(socket, 'connect')));
    expect(await stateAt(`127.0.0.1:${port}`)).toEqual({ state: 'gone' });
  } finally {
    for (const socket of waiting) socket.destroy();
    child.kill('SIGKILL');
    await ended;
  }
});
