/**
 * Removes everything that one run made on an engine: `cleanup-main.ts RUN ENGINE [OWNER]`. The
 * watchdog runs it when the harness is gone. ENGINE is JSON: how dockerode reaches it, or null: to be
 * found as the harness found it. OWNER: only what this one made. Says in one line what it did; exits
 * with 1 when something stays.
 */
import { realClock } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import { countText, type EngineApi, removeRun } from './cleanup.ts';
import { openEngine } from './engine.ts';

async function engineAt(address: string): Promise<EngineApi> {
  const options = JSON.parse(address) as object | null;
  if (options === null) return await openEngine(process.env);
  // Alone it is there in a third of the time that testcontainers takes.
  const { default: Dockerode } = await import('dockerode');
  return { docker: new Dockerode(options) };
}

const [run = '', address = 'null', owner] = process.argv.slice(2);
try {
  if (run === '') throw new Error('say which run');
  const { removed, stuck } = await removeRun(await engineAt(address), run, realClock(), owner);
  const stays = stuck.map(({ found, why }) => `; ${found.kind} ${found.name} stays: ${why}`);
  process.stdout.write(`removed ${countText(removed)} of run ${run}${stays.join('')}\n`);
  if (stuck.length > 0) process.exitCode = 1;
} catch (error) {
  process.stdout.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
