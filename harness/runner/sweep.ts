/** Finds and ends what harness processes that died left running. Needs no watchdog: /proc knows. */
import { type Clock, sleep } from '../core/clock.ts';
import {
  allPids,
  isAlive,
  isEnded,
  type ProcessStat,
  readCommand,
  readEnvironment,
  readStat,
  sendSignal,
} from './watchdog-proc.ts';
import { OWNER_ENV, RUN_ENV, WATCHDOG_ENV } from './watchdog-protocol.ts';

/** How long ended processes may take to disappear. */
const GONE_MS_MAX = 2_000;
const LOOK_AGAIN_MS = 20;

/** A process of a run whose harness is no longer alive. */
export interface Leftover {
  readonly pid: number;
  readonly startTime: string;
  readonly run: string;
  /** The harness that started it, `pid:startTime`. */
  readonly owner: string;
  readonly command: string;
  /** The letter of /proc: T for a stopped one. */
  readonly state: string;
}

/**
 * Every process that carries the mark of a run whose owner is gone. A watchdog is none: it ends by
 * itself within seconds after its owner. Only one that was stopped is stuck, and listed.
 */
export function findLeftovers(): readonly Leftover[] {
  return marked().filter(({ owner, run, pid, state }) => {
    if (ownerLives(owner) || pid === process.pid) return false;
    return run !== '' || state === 'T';
  });
}

/** Kills leftovers and waits until they are gone; returns those that would not go. */
export async function cleanLeftovers(
  clock: Clock,
  leftovers: readonly Leftover[] = findLeftovers(),
): Promise<readonly Leftover[]> {
  for (const leftover of leftovers) killOne(leftover);
  return awaitGone(clock, leftovers);
}

/** Kills everything that carries this run's mark, twice over, in case one was just starting. */
export async function sweepRun(clock: Clock, run: string, owner: string): Promise<Leftover[]> {
  const swept: Leftover[] = [];
  let clean = 0;
  for (let look = 0; clean < 2 && look < 20; look++) {
    const found = marked().filter((each) => each.run === run && each.owner === owner);
    clean = found.length === 0 ? clean + 1 : 0;
    for (const leftover of found) killOne(leftover);
    swept.push(...found.filter(({ pid }) => !swept.some((other) => other.pid === pid)));
    if (clean < 2) await sleep(clock, LOOK_AGAIN_MS);
  }
  return swept;
}

/** Whatever carries a mark of ours; `run` is empty for a watchdog. */
function marked(): Leftover[] {
  const found: Leftover[] = [];
  for (const pid of allPids()) {
    const environment = readEnvironment(pid);
    const run = environment.get(RUN_ENV) ?? '';
    const owner = environment.get(OWNER_ENV);
    if (owner === undefined || (run === '' && !environment.has(WATCHDOG_ENV))) continue;
    const stat: ProcessStat | undefined = readStat(pid);
    if (stat === undefined || isEnded(stat)) continue;
    const { startTime, state } = stat;
    found.push({ pid, startTime, run, owner, command: readCommand(pid), state });
  }
  return found;
}

function ownerLives(owner: string): boolean {
  const [pid, startTime] = owner.split(':');
  return isAlive(Number(pid), startTime ?? '');
}

function killOne({ pid, startTime }: Leftover): void {
  if (isAlive(pid, startTime)) sendSignal(pid, 'SIGKILL');
}

async function awaitGone(clock: Clock, all: readonly Leftover[]): Promise<readonly Leftover[]> {
  let left = all;
  for (let waited = 0; waited <= GONE_MS_MAX; waited += LOOK_AGAIN_MS) {
    left = left.filter(({ pid, startTime }) => isAlive(pid, startTime));
    if (left.length === 0) break;
    await sleep(clock, LOOK_AGAIN_MS);
  }
  return left;
}
