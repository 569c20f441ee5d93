import type { Clock } from '../harness/core/clock.ts';
import { msFromNanos } from '../harness/core/units.ts';
import type { Shell } from './program.ts';

export interface Interrupt extends Disposable {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  readonly by: 'SIGINT' | 'SIGTERM' | undefined;
}

/** What the first Ctrl-C is answered with. */
export const STOPPING =
  '\nstopping: healing the faults and judging what was recorded; once more to quit at once\n';

/**
 * A terminal signals the whole group, and npm or the launcher passes it on: one press, not two. What
 * begins at the first may keep this process from hearing the second for a while.
 */
const SAME_PRESS_MS = 1_000;

/** The first signal ends the load; the second leaves the undoing to the watchdogs. */
export function interruptible(
  shell: Pick<Shell, 'onSignal' | 'die'>,
  clock: Clock,
  onFirst: () => void,
): Interrupt {
  const controller = new AbortController();
  let by: 'SIGINT' | 'SIGTERM' | undefined;
  let atMs = 0;
  const subscription = shell.onSignal((name) => {
    const nowMs = msFromNanos(clock.now());
    if (by !== undefined) {
      if (nowMs - atMs >= SAME_PRESS_MS) shell.die(name === 'SIGINT' ? 130 : 143);
      return;
    }
    by = name;
    atMs = nowMs;
    onFirst();
    controller.abort();
  });
  return {
    signal: controller.signal,
    get by() {
      return by;
    },
    [Symbol.dispose]: () => {
      subscription[Symbol.dispose]();
    },
  };
}
