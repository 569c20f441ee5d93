/**
 * How fast the simulator is: simulated seconds for each real one, of five raftkv nodes at 500 and 50
 * operations a second, asked by bare clients; and of complete runs with faults, through the harness,
 * judged as always. Beside wall time it says CPU time, since a busy machine shows in the first only.
 * The baseline is the clock alone: events a second that do nothing.
 *
 * In the end a thread on each core plays schedules of 30 simulated seconds with three kinds of faults,
 * drawn for each anew, and judges them: how many come out in a minute.
 *
 * Run: npx --no-install node bench/sim.ts [--seconds 20] [--rounds 3] [--schedules 20] [--threads 2]
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { raftkv } from '../cluster/systems/raftkv.ts';
import { realClock, sleep, VirtualClock } from '../harness/core/clock.ts';
import { invariant } from '../harness/core/invariant.ts';
import { silentLog } from '../harness/core/log.ts';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { msFromNanos } from '../harness/core/units.ts';
import type { Connection } from '../harness/protocols/system.ts';
import { noUndo } from '../harness/protocols/undo.ts';
import { virtualRun } from '../test/virtual-run.ts';
import { register } from '../workloads/register.ts';
import type { JudgedSchedule, ScheduleLoad } from './sim-worker.ts';

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];
const RATES = [500, 50];
const AIMS: Readonly<Record<number, number>> = { 500: 20, 50: 200 };
const CLIENTS = 20;
const KEYS = 8;
const CALL = { timeoutMs: 5_000 };
const EVENTS = 300_000;
const SCHEDULE_SECONDS = 30;
const SCHEDULE_RATES = [50, 200, 500];
const SCHEDULES_AIM = 200;

const real = realClock();

interface Speed {
  /** Simulated time in real time. */
  readonly wall: number;
  /** Simulated time in time of this process on a CPU. */
  readonly cpu: number;
}

/** `work` answers with the milliseconds it simulated. */
async function speedOf(work: () => Promise<number>): Promise<Speed> {
  const start = real.now();
  const cpu = process.cpuUsage();
  const simulatedMs = await work();
  const { user, system } = process.cpuUsage(cpu);
  return {
    wall: simulatedMs / msFromNanos(real.now() - start),
    cpu: simulatedMs / ((user + system) / 1000),
  };
}

/** Each client asks at random times, so that all together ask `rate` times a second. */
async function ask(
  clock: VirtualClock,
  { apis }: Connection,
  options: { readonly random: Random; readonly meanMs: number; readonly untilMs: number },
): Promise<number> {
  const { register: api } = apis;
  invariant(api !== undefined, 'raftkv has registers');
  const { random, meanMs, untilMs } = options;
  let answered = 0;
  for (let at = 0; msFromNanos(clock.now()) < untilMs; at++) {
    await sleep(clock, 2 * meanMs * random.float());
    const key = `k${random.int(1, KEYS)}`;
    const outcome = random.chance(0.5)
      ? await api.read(key, 'linearizable', CALL)
      : await api.write(key, at, CALL);
    if (outcome.type === 'ok') answered++;
  }
  return answered;
}

async function bareClients(rate: number, seconds: number): Promise<Speed> {
  const clock = new VirtualClock();
  const random = Random.stream(seedFrom(1), 'bench');
  const cluster = await raftkv.deploy({
    backend: 'sim',
    nodes: NODES,
    clock,
    log: silentLog,
    random: random.fork('system'),
    runId: 'bench',
    dir: '',
    undo: noUndo,
    options: {},
  });
  const play = async (): Promise<number> => {
    await using owned = cluster;
    const connections = await Promise.all(NODES.map((node) => owned.open(node)));
    const untilMs = msFromNanos(clock.now()) + seconds * 1000;
    const answered = await Promise.all(
      Array.from({ length: CLIENTS }, (_, at) => {
        const connection = connections[at % connections.length];
        invariant(connection !== undefined, 'each client has a node');
        const stream = random.fork(`client-${at}`);
        const meanMs = (1000 * CLIENTS) / rate;
        return ask(clock, connection, { random: stream, meanMs, untilMs });
      }),
    );
    return answered.reduce((sum, each) => sum + each, 0);
  };
  await clock.run(cluster.ready(10_000));
  return speedOf(async () => {
    const answered = await clock.run(play());
    invariant(answered > 0.8 * rate * seconds, `${answered} of ${rate * seconds} were answered`);
    return seconds * 1000;
  });
}

function completeRun(rate: number, seconds: number): Promise<Speed> {
  return speedOf(async () => {
    const faults = ['partition', 'kill', 'pause'];
    const { virtualMs } = await virtualRun({
      seed: 1,
      workload: register,
      system: raftkv,
      nodes: NODES,
      clients: CLIENTS,
      faults,
      rate,
      durationMs: seconds * 1000,
      faultIntervalMs: 3000,
      faultDurationMs: 2000,
      clientTimeoutMs: 2000,
    });
    return virtualMs;
  });
}

interface Throughput {
  readonly perMinute: number;
  /** As if every thread had a core of its own all the time. */
  readonly perCpuMinute: number;
  readonly wrong: readonly string[];
}

/** `count` schedules, shared out among threads that have each played one before. */
async function schedules(rate: number, count: number, threads: number): Promise<Throughput> {
  const workerData: ScheduleLoad = { rate, seconds: SCHEDULE_SECONDS };
  const url = new URL('./sim-worker.ts', import.meta.url);
  const workers = Array.from({ length: threads }, () => new Worker(url, { workerData }));
  const answer = async (worker: Worker): Promise<JudgedSchedule> => {
    const [schedule] = await once(worker, 'message');
    return schedule as JudgedSchedule;
  };
  const warm = await Promise.all(workers.map(answer));
  const wrong = warm.flatMap((schedule) => schedule.wrong);
  const start = real.now();
  const before = process.cpuUsage();
  let seed = 0;
  const share = async (worker: Worker): Promise<void> => {
    while (seed < count) {
      worker.postMessage(++seed);
      wrong.push(...(await answer(worker)).wrong);
    }
  };
  await Promise.all(workers.map(share));
  const { user, system } = process.cpuUsage(before);
  const minutes = msFromNanos(real.now() - start) / 60_000;
  await Promise.all(workers.map((worker) => worker.terminate()));
  return {
    perMinute: count / minutes,
    perCpuMinute: (count * threads) / ((user + system) / 60e6),
    wrong,
  };
}

async function eventsPerSecond(): Promise<number> {
  const clock = new VirtualClock();
  const start = real.now();
  let left = EVENTS;
  const done = Promise.withResolvers<void>();
  const next = (): void => {
    left--;
    if (left > 0) clock.timer(1, next);
    else done.resolve();
  };
  clock.timer(1, next);
  await clock.run(done.promise);
  return EVENTS / ((real.now() - start) / 1e9);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    schedules: { type: 'string', default: '20' },
    threads: { type: 'string', default: '2' },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const events: number[] = [];
const results: Record<string, unknown>[] = [];
// What is not compiled yet is not what a long exploration meets.
await bareClients(500, 5);
for (let round = 0; round < rounds; round++) events.push(await eventsPerSecond());
console.log(`the clock alone: ${(median(events) / 1e6).toFixed(2)} million events a second`);
for (const rate of RATES)
  for (const [what, measure] of [
    ['bare clients', bareClients],
    ['complete run', completeRun],
  ] as const) {
    const speeds: Speed[] = [];
    for (let round = 0; round < rounds; round++) speeds.push(await measure(rate, seconds));
    const wall = median(speeds.map((speed) => speed.wall));
    const cpu = median(speeds.map((speed) => speed.cpu));
    console.log(
      `${String(rate).padStart(3)} op/s, ${what}: x${wall.toFixed(1)} of real time, ` +
        `x${cpu.toFixed(1)} of CPU time (aim x${AIMS[rate]})`,
    );
    results.push({ rate, what, wall, cpu, rounds: speeds });
  }
const threads = Number(values.threads);
for (const rate of SCHEDULE_RATES) {
  const count = Number(values.schedules);
  const found = await schedules(rate, count, threads);
  console.log(
    `${String(rate).padStart(3)} op/s: ${found.perMinute.toFixed(0)} schedules of ` +
      `${SCHEDULE_SECONDS} simulated seconds a minute on ${threads} cores including checking, ` +
      `${found.perCpuMinute.toFixed(0)} by CPU time (aim ${SCHEDULES_AIM})`,
  );
  for (const line of found.wrong) console.log(`  ${line}`);
  results.push({ rate, what: 'schedules', threads, ...found });
}
console.log(JSON.stringify({ bench: 'sim', eventsPerSecond: median(events), results }));
