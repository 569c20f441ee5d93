/** Plays and judges one schedule for each seed it is sent, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { raftkv } from '../cluster/systems/raftkv.ts';
import { invariant } from '../harness/core/invariant.ts';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { virtualRun } from '../test/virtual-run.ts';
import { register } from '../workloads/register.ts';

export interface ScheduleLoad {
  readonly rate: number;
  readonly seconds: number;
}

export interface JudgedSchedule {
  readonly virtualMs: number;
  /** What is wrong with it, a line each; empty: nothing. */
  readonly wrong: readonly string[];
}

const FAULTS = ['partition', 'kill', 'pause', 'power', 'latency', 'hold'];
/** Of another number than those that are measured. */
const WARM_UP_SEED = 0;

const { rate, seconds } = workerData as ScheduleLoad;
const port = parentPort;
invariant(port !== null, 'this file is the program of a worker');

async function judged(seed: number): Promise<JudgedSchedule> {
  const faults = Random.stream(seedFrom(seed), 'faults').shuffle(FAULTS).slice(0, 3);
  const { virtualMs, checks, problems } = await virtualRun({
    seed,
    workload: register,
    system: raftkv,
    nodes: ['n1', 'n2', 'n3', 'n4', 'n5'],
    clients: 20,
    faults,
    rate,
    durationMs: seconds * 1000,
    faultIntervalMs: 3000,
    faultDurationMs: 2000,
    clientTimeoutMs: 2000,
  });
  const accused = checks.filter(({ verdict }) => verdict !== 'valid');
  return {
    virtualMs,
    wrong: [
      ...accused.map(({ checker, verdict }) => `seed ${seed}: ${checker} is ${verdict}`),
      ...problems.map(({ step, message }) => `seed ${seed}: ${step}: ${message}`),
    ],
  };
}

// What is not compiled yet is not what a long exploration meets.
port.postMessage(await judged(WARM_UP_SEED));
port.on('message', (seed: number) => {
  void judged(seed).then((schedule) => port.postMessage(schedule));
});
