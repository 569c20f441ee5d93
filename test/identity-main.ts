/**
 * A process of its own: prints seed and SHA-256 of the history of simulated runs, one a line.
 * `node test/identity-main.ts FIRST COUNT`.
 */
import { createHash } from 'node:crypto';
import { raftkv } from '../cluster/systems/raftkv.ts';
import { reads } from '../workloads/reads.ts';
import { register } from '../workloads/register.ts';
import { together } from '../workloads/together.ts';
import { historyText, virtualRun } from './virtual-run.ts';

const FAULTS = ['partition', 'kill', 'pause', 'power', 'latency', 'hold'];
const workload = together([register, reads]);
const [first = 0, count = 0] = process.argv.slice(2).map(Number);

for (let seed = first; seed < first + count; seed++) {
  const run = await virtualRun({
    seed,
    system: raftkv,
    workload,
    faults: FAULTS,
    durationMs: 2_000,
    rate: 200,
    clientTimeoutMs: 1_000,
    faultIntervalMs: 500,
    faultDurationMs: 800,
  });
  const hash = createHash('sha256').update(historyText(run)).digest('hex');
  console.log(`${seed} ${hash} ${run.history.length}`);
}
