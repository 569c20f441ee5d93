/** Runs a checker on a file within limits, and measures it from outside. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Clock, Timer } from '../harness/core/clock.ts';
import { messageOf } from '../harness/core/errors.ts';
import { msFromNanos } from '../harness/core/units.ts';

export interface Limits {
  readonly timeoutMs: number;
  readonly memoryMb: number;
}

export interface Measured {
  /** `time` and `memory`: it was ended at that limit. `crash`: it ended without a verdict. */
  readonly verdict: 'valid' | 'invalid' | 'unknown' | 'time' | 'memory' | 'crash';
  readonly wallMs: number;
  /** The most that was resident, looked at every few milliseconds. */
  readonly peakMb: number;
  /** Its last line, where that is a JSON object. */
  readonly said: Readonly<Record<string, unknown>>;
  /** The end of what it complained of, when it crashed. */
  readonly error: string;
}

const LOOK_MS = 20;
/** For a checker that minds the time itself to come to its own end. */
const GRACE_MS = 2000;

export async function measured(
  [program = '', ...args]: readonly string[],
  limits: Limits,
  clock: Clock,
): Promise<Measured> {
  const started = clock.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err, peakMb] = ['', '', 0];
  let ended: 'time' | 'memory' | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    out = (out + chunk.toString()).slice(-65_536);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err = (err + chunk.toString()).slice(-2000);
  });
  let timer: Timer;
  const look = (): void => {
    peakMb = Math.max(peakMb, residentMb(child.pid));
    if (peakMb > limits.memoryMb) ended = 'memory';
    else if (msFromNanos(clock.now() - started) > limits.timeoutMs + GRACE_MS) ended = 'time';
    if (ended === undefined) timer = clock.timer(LOOK_MS, look);
    else child.kill('SIGKILL');
  };
  timer = clock.timer(0, look);
  const code = await once(child, 'close').then(
    ([status]: (number | null)[]) => status ?? null,
    (error: unknown) => {
      err = `${program}: ${messageOf(error)}`;
      return null;
    },
  );
  timer.cancel();
  const wallMs = msFromNanos(clock.now() - started);
  const said = jsonOf(out);
  const verdict = ended ?? verdictOf(out, code);
  return { verdict, wallMs, peakMb, said, error: verdict === 'crash' ? err : '' };
}

/** The peak that the kernel kept of a process; 0 when it is gone. */
function residentMb(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const WORDS: readonly (readonly [RegExp, 'valid' | 'invalid' | 'unknown'])[] = [
  [/\b(invalid|illegal|false)\b|\bnot linearizable\b/i, 'invalid'],
  [/\b(unknown|timeout)\b/i, 'unknown'],
  [/\b(valid|ok|true|linearizable)\b/i, 'valid'],
];

/** By the last line that it printed, or else by its exit code, as `schism check` has them. */
function verdictOf(out: string, code: number | null): Measured['verdict'] {
  const last = lastLine(out);
  const { verdict } = jsonOf(out);
  const text = typeof verdict === 'string' ? verdict : last;
  const word = WORDS.find(([pattern]) => pattern.test(text))?.[1];
  if (word !== undefined) return word;
  return code === 0 ? 'valid' : code === 1 ? 'invalid' : code === 2 ? 'unknown' : 'crash';
}

function jsonOf(out: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(lastLine(out));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function lastLine(out: string): string {
  return out.trimEnd().split('\n').at(-1) ?? '';
}
