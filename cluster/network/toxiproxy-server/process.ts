/**
 * The link server, a program of its own: `main.ts [--listen 127.0.0.1:0] [--seed 1]
 * [--allow-upstream HOST]... [--allow-remote]`. Prints `{"listening":"127.0.0.1:8474"}` when it is
 * ready. Ends on SIGTERM and SIGINT, and when whoever started it is gone: when its stdin, if that is
 * a pipe, or its IPC channel closes.
 *
 * `--allow-remote` is for a container: it may listen on, and lead to, any address then.
 *
 * It can stand in for the original, whose flags it takes: `--host 0.0.0.0 [--port 8474]` is the same as
 * `--listen 0.0.0.0:8474 --allow-remote`, and `--config FILE` holds proxies in JSON to begin with.
 */
import { fstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
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
      'allow-remote': { type: 'boolean', default: false },
      host: { type: 'string' },
      port: { type: 'string', default: '8474' },
      config: { type: 'string' },
      // It always counts.
      'proxy-metrics': { type: 'boolean' },
      'runtime-metrics': { type: 'boolean' },
    },
  });
  const over = Promise.withResolvers<void>();
  watchParent(over.resolve);
  await using server = await startToxiproxyServer({
    listen: values.host === undefined ? values.listen : `${values.host}:${values.port}`,
    clock: realClock(),
    random: Random.stream(parseSeed(values.seed), 'toxiproxy-server'),
    rules: {
      allowRemote: values['allow-remote'] || values.host !== undefined,
      allowUpstream: new Set(values['allow-upstream']),
    },
  });
  if (values.config !== undefined) await populate(server.listening, values.config);
  process.stdout.write(`${JSON.stringify({ listening: server.listening })}\n`);
  await over.promise;
}

/** Throws when one proxy of the file cannot be had: half of them would be worse than none. */
async function populate(listening: string, file: string): Promise<void> {
  const body = await readFile(file, 'utf8');
  const reply = await fetch(`http://${listening}/populate`, { method: 'POST', body });
  if (!reply.ok) throw new Error(`${file}: ${(await reply.text()).trim()}`);
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
