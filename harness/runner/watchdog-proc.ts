/** What Linux's /proc says of other processes; the watchdog and the sweep judge by nothing else. */
import { readdirSync, readFileSync } from 'node:fs';
import { systemCodeOf } from '../core/errors.ts';

export interface ProcessStat {
  readonly pid: number;
  /** One letter: R running, S sleeping, T stopped, Z ended but not collected yet, ... */
  readonly state: string;
  /** Process group. */
  readonly group: number;
  /** Clock ticks from boot to its start: with the pid, it names a process for good. */
  readonly startTime: string;
}

/** Undefined when there is no such process. See proc(5). */
export function readStat(pid: number): ProcessStat | undefined {
  const text = readProc(pid, 'stat');
  // The program's name, in brackets, may itself hold spaces and brackets.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, group, startTime] = [fields?.[0], fields?.[2], fields?.[19]];
  if (state === undefined || group === undefined || startTime === undefined) return undefined;
  return { pid, state, group: Number(group), startTime };
}

/** Whether this very process still runs: the pid was not reused, and it is not a zombie. */
export function isAlive(pid: number, startTime: string): boolean {
  const stat = readStat(pid);
  return stat?.startTime === startTime && !isEnded(stat);
}

export function isEnded({ state }: ProcessStat): boolean {
  return state === 'Z' || state === 'X';
}

/** Environment it was started with; empty when it is gone or belongs to somebody else. */
export function readEnvironment(pid: number): ReadonlyMap<string, string> {
  const entries = (readProc(pid, 'environ') ?? '').split('\0').map((entry) => {
    const at = entry.indexOf('=');
    return [entry.slice(0, at), entry.slice(at + 1)] as const;
  });
  return new Map(entries);
}

/** Its command line on one line, for people. */
export function readCommand(pid: number): string {
  return (readProc(pid, 'cmdline') ?? '').replaceAll('\0', ' ').trim();
}

export function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Sends a signal to a process (or, negative, a group); false when there is none to receive it. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (systemCodeOf(error) === 'ESRCH') return false;
    throw error;
  }
}

/** `pid:startTime`, as in `SCHISM_OWNER`. */
export function ownerText(pid: number): string {
  return `${pid}:${readStat(pid)?.startTime ?? '0'}`;
}

/** A process may end between any two looks at it, and other users' environments are closed to us. */
function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
