import type { Clock, Timer } from '../harness/core/clock.ts';
import type { Shell } from './program.ts';

export interface Interrupt extends Disposable {
  /** Aborts at the first signal. */
  readonly signal: AbortSignal;
  readonly by: 'SIGINT' | 'SIGTERM' | undefined;
}

/** What the first Ctrl-C is answered with. */
export const STOPPING =
  '\nstopping: healing the faults and judging what was recorded; once more to quit at once\n';

/** A terminal signals the whole group, and npm or the launcher passes it on: one press, not two. */
const SAME_PRESS_MS = 300;

/** What this process is told to end by. */
export function onProcessSignal(handler: (name: 'SIGINT' | 'SIGTERM') => void): Disposable {
  const names = ['SIGINT', 'SIGTERM'] as const;
  for (const name of names) process.on(name, handler);
  return {
    [Symbol.dispose]: () => {
      for (const name of names) process.off(name, handler);
    },
  };
}

/** The first signal ends the load; the second leaves the undoing to the watchdogs. */
export function interruptible(
  shell: Pick<Shell, 'onSignal' | 'die'>,
  clock: Clock,
  onFirst: () => void,
): Interrupt {
  const controller = new AbortController();
  let by: 'SIGINT' | 'SIGTERM' | undefined;
  let isSamePress = true;
  let samePress: Timer | undefined;
  const released = async (): Promise<void> => {
    await clock.turn();
    isSamePress = false;
  };
  const subscription = shell.onSignal((name) => {
    if (by !== undefined) {
      if (!isSamePress) shell.die(name === 'SIGINT' ? 130 : 143);
      return;
    }
    by = name;
    // What the first one begins may be long in coming to an end, and the copy waits until then.
    samePress = clock.timer(SAME_PRESS_MS, () => void released());
    onFirst();
    controller.abort();
  });
  return {
    signal: controller.signal,
    get by() {
      return by;
    },
    [Symbol.dispose]: () => {
      samePress?.cancel();
      subscription[Symbol.dispose]();
    },
  };
}
