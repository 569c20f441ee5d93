/**
 * The link server, a program of its own: `main.ts [--listen 127.0.0.1:0] [--seed 1]
 * [--allow-upstream HOST]...`. Prints `{"listening":"127.0.0.1:8474"}` when it is ready. Ends on
 * SIGTERM and SIGINT, and when whoever started it is gone: when its stdin, if that is a pipe,
 * or its IPC channel closes.
 */
import { fstatSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { realClock } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import { parseSeed, Random } from '../../../harness/core/prng.ts';
import { startToxiproxyServer } from './server.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      listen: { type: 'string', default: '127.0.0.1:0' },
      seed: { type: 'string', default: '1' },
      'allow-upstream': { type: 'string', multiple: true, default: [] },
    },
  });
  const over = Promise.withResolvers<void>();
  watchParent(over.resolve);
  await using server = await startToxiproxyServer({
    listen: values.listen,
    clock: realClock(),
    random: Random.stream(parseSeed(values.seed), 'toxiproxy-server'),
    allowUpstream: new Set(values['allow-upstream']),
  });
  process.stdout.write(`${JSON.stringify({ listening: server.listening })}\n`);
  await over.promise;
}

function watchParent(end: () => void): void {
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  process.once('disconnect', end);
  const stdin = fstatSync(0, { throwIfNoEntry: false });
  // A closed or empty stdin, such as /dev/null, is nobody's life line.
  if (stdin === undefined || !(stdin.isFIFO() || stdin.isSocket())) return;
  process.stdin.on('error', end);
  process.stdin.once('close', end);
  process.stdin.once('end', end);
  process.stdin.resume();
}

try {
  await main();
} catch (error) {
  process.stderr.write(`toxiproxy-server: ${messageOf(error)}\n`);
  process.exitCode = 3;
} finally {
  // Nothing but the parent's pipes may still keep the process alive.
  process.stdin.destroy();
  if (process.connected) process.disconnect();
}
