import { describe, expect, it } from 'vitest';
import { sleep, VirtualClock } from '../../../harness/core/clock.ts';
import { silentLog } from '../../../harness/core/log.ts';
import { Excuses } from './excuses.ts';

function world(): {
  readonly clock: VirtualClock;
  readonly excuses: Excuses;
  readonly started: string[];
  readonly excuse: (node: string) => () => Promise<void>;
} {
  const clock = new VirtualClock();
  const excuses = new Excuses(clock, silentLog);
  const started: string[] = [];
  const excuse = (node: string): (() => Promise<void>) =>
    excuses.excuse(node, () => {
      started.push(node);
      return Promise.resolve();
    });
  return { clock, excuses, started, excuse };
}

describe('an excuse', () => {
  it('is for one node, as long as the fault lasts; then that node is started again', async () => {
    const { clock, excuses, started, excuse } = world();
    const over = excuse('n1');
    expect(excuses.mayEnd('n2', 'exit code 1')).toBe(false);
    expect(excuses.mayEnd('n1', 'exit code 1')).toBe(true);
    expect(started).toEqual([]);
    await clock.run(over());
    expect(started).toEqual(['n1']);
  });

  it('covers only the ends that it speaks of: a panic meanwhile is a crash', async () => {
    const { excuses } = world();
    excuses.excuse(
      'n1',
      () => Promise.resolve(),
      (how) => how === 'signal SIGKILL',
    );
    expect(excuses.mayEnd('n1', 'exit code 2')).toBe(false);
    expect(excuses.mayEnd('n1', 'signal SIGKILL')).toBe(true);
  });

  it('starts nobody who did not end, and nobody twice', async () => {
    const { clock, excuses, started, excuse } = world();
    const [first, second] = [excuse('n1'), excuse('n2')];
    excuses.mayEnd('n1', 'exit code 1');
    await clock.run(Promise.all([first(), second()]));
    await clock.run(first());
    expect(started).toEqual(['n1']);
  });

  it('holds a little longer for an end that is told late, and starts the node at once', async () => {
    const { clock, excuses, started, excuse } = world();
    await clock.run(excuse('n1')());
    await clock.run(sleep(clock, 1_000));
    expect(excuses.mayEnd('n1', 'exit code 1')).toBe(true);
    expect(started).toEqual(['n1']);
  });

  it('does not hold for what happens long after', async () => {
    const { clock, excuses, started, excuse } = world();
    await clock.run(excuse('n1')());
    await clock.run(sleep(clock, 10_000));
    expect(excuses.mayEnd('n1', 'exit code 1')).toBe(false);
    expect(started).toEqual([]);
  });

  it('that still lasts is not ended by another of the same node', async () => {
    const { clock, excuses, started, excuse } = world();
    const [first, second] = [excuse('n1'), excuse('n1')];
    await clock.run(first());
    expect(excuses.mayEnd('n1', 'exit code 1')).toBe(true);
    expect(started).toEqual([]);
    await clock.run(second());
    expect(started).toEqual(['n1']);
  });
});
