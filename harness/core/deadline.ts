import type { Clock } from './clock.ts';
import { HarnessError } from './errors.ts';

/**
 * Waits for `task` at most `ms`; then throws `deadline`, saying what was awaited and for how long.
 * The task itself goes on: its owner must end it.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  what: string,
  task: Promise<T>,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = clock.timer(ms, () => {
    reject(new HarnessError('deadline', `${what}: not done after ${ms} ms`));
  });
  try {
    return await Promise.race([task, promise]);
  } finally {
    timer.cancel();
    // A task that fails after its deadline must not become an unhandled rejection.
    task.catch(() => undefined);
  }
}
