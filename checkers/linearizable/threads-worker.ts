/** Decides parts beside the thread that started it; see `threads.ts`. */
import { parentPort } from 'node:worker_threads';
import { realClock } from '../../harness/core/clock.ts';
import { invariant } from '../../harness/core/invariant.ts';
import { NANOS_PER_MS, nanos } from '../../harness/core/units.ts';
import { loadEngine } from './engine-module.ts';
import { type Order, takeParts } from './shared-parts.ts';

invariant(parentPort !== null, 'this file runs as a worker');
const port = parentPort;
const clock = realClock();

port.on('message', ({ parts, round }: Order) => {
  loadEngine(parts.engine);
  const deadline = nanos(clock.now() + round.timeMs * NANOS_PER_MS);
  const { memoryBytes, recheck } = round;
  takeParts(parts, round, { clock, deadline, memoryBytes, recheck });
  port.postMessage('idle');
});
