import { expect, test } from 'vitest';
import { VirtualClock } from '../../harness/core/clock.ts';
import { silentLog } from '../../harness/core/log.ts';
import type { ProcessState } from '../../harness/protocols/system.ts';
import { type Life, type LifePlan, type LivesContext, startLives } from './lives.ts';
import type { RunningNodes } from './nodes.ts';

/** Lives that end when they are told to; what happens to them is written down. */
class FakeHost {
  readonly events: string[] = [];
  readonly clock: VirtualClock = new VirtualClock();
  readonly ends = new Map<string, (how: string) => void>();
  failing: string | undefined;

  start(node: string, spec: string): Promise<Life> {
    this.events.push(`start ${node} ${spec}`);
    if (this.failing === node) return Promise.reject(new Error('no room'));
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    this.ends.set(node, resolve);
    const note = (what: string): Promise<void> => {
      this.events.push(`${what} ${node}`);
      return Promise.resolve();
    };
    return Promise.resolve({
      ended,
      kill: async () => {
        await note('kill');
        resolve('signal SIGKILL');
      },
      pause: () => note('pause'),
      resume: () => note('resume'),
      state: () => Promise.resolve<ProcessState>({ state: 'running' }),
    });
  }

  open(
    nodes: readonly string[],
    more: Pick<LivesContext<string>, 'mayEnd'> = {},
  ): Promise<RunningNodes<string>> {
    const plans = nodes.map(
      (node): LifePlan<string> => ({
        node,
        spec: 'old',
        logPath: `/nowhere/${node}.log`,
        readiness: { description: 'serve', probe: () => Promise.resolve(true) },
      }),
    );
    const start = (node: string, spec: string): Promise<Life> => this.start(node, spec);
    return startLives(plans, { start, clock: this.clock, log: silentLog, ...more });
  }
}

test('an end that nobody asked for is a crash, a kill is none, and what may end may end', async () => {
  const host = new FakeHost();
  await using nodes = await host.open(['n1', 'n2', 'n3'], { mayEnd: (node) => node === 'n3' });
  await nodes.control.kill('n1');
  host.ends.get('n2')?.('exit code 2');
  host.ends.get('n3')?.('exit code 0');
  await host.clock.turn();
  expect(nodes.crashed()).toEqual([{ node: 'n2', how: 'exit code 2' }]);
  await expect(nodes.ready(100)).rejects.toMatchObject({
    code: 'process-failed',
    message: expect.stringContaining('n1 ended (signal SIGKILL) while waiting for n1 to serve'),
  });
});

test('killing what is dead, starting what runs, and pausing what is gone do nothing', async () => {
  const host = new FakeHost();
  await using nodes = await host.open(['n1']);
  const { control } = nodes;
  await control.start('n1');
  await control.pause('n1');
  await control.resume('n1');
  await control.kill('n1');
  await control.kill('n1');
  await control.pause('n1');
  await control.start('n1');
  expect(host.events).toEqual(['start n1 old', 'pause n1', 'resume n1', 'kill n1', 'start n1 old']);
});

test('who is renewed ends before its new spec is made, and starts with it from then on', async () => {
  const host = new FakeHost();
  await using nodes = await host.open(['n1']);
  const renewed = nodes.renew('n1', () => {
    host.events.push('prepare n1');
    return Promise.resolve('new');
  });
  const killed = nodes.control.kill('n1');
  await Promise.all([renewed, killed]);
  await nodes.control.start('n1');
  expect(host.events.slice(1)).toEqual([
    'kill n1',
    'prepare n1',
    'start n1 new',
    'kill n1',
    'start n1 new',
  ]);
});

test('when one cannot be started, none is left', async () => {
  const host = new FakeHost();
  host.failing = 'n2';
  await expect(host.open(['n1', 'n2', 'n3'])).rejects.toThrow('no room');
  expect(host.events.filter((event) => event.startsWith('kill'))).toEqual(['kill n1', 'kill n3']);
});
