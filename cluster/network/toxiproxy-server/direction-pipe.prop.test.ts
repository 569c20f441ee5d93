import { PassThrough, Readable, Writable } from 'node:stream';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { sleep, VirtualClock } from '../../../harness/core/clock.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { DirectionPipe } from './direction-pipe.ts';
import type { Toxic } from './toxic-list.ts';
import { TOXICS } from './toxics/registry.ts';

/** Toxics that must not lose, reorder or repeat a byte, with attributes worth trying. */
const lossless: fc.Arbitrary<{ type: string; attributes: Record<string, number> }> = fc.oneof(
  fc.constant({ type: 'noop', attributes: {} }),
  fc.constant({ type: 'hold', attributes: {} }),
  fc.record({
    type: fc.constant('latency'),
    attributes: fc.record({ latency: fc.nat(40), jitter: fc.nat(40) }),
  }),
  fc.record({
    type: fc.constant('bandwidth'),
    attributes: fc.record({ rate: fc.constantFrom(0, 1, 50, 10_000) }),
  }),
  fc.record({
    type: fc.constant('slicer'),
    attributes: fc.record({
      average_size: fc.integer({ min: 1, max: 300 }),
      size_variation: fc.nat(20),
      delay: fc.constantFrom(0, 100, 3_000),
    }),
  }),
  fc.record({
    type: fc.constant('slow_close'),
    attributes: fc.record({ delay: fc.nat(50) }),
  }),
);

type Step =
  | { readonly do: 'send'; readonly bytes: number }
  | { readonly do: 'wait'; readonly ms: number }
  | {
      readonly do: 'add';
      readonly toxic: Pick<Toxic, 'attributes'> & { readonly type: string };
      readonly toxicity: number;
    }
  | { readonly do: 'update'; readonly which: number; readonly toxicity: number }
  | { readonly do: 'remove'; readonly which: number };

const toxicity = fc.constantFrom(1, 0.5, 0);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      bytes: fc.integer({ min: 1, max: 4_000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(60) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('add' as const), toxic: lossless, toxicity }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('update' as const), which: fc.nat(9), toxicity }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), which: fc.nat(9) }) },
);

interface Rig {
  readonly clock: VirtualClock;
  readonly pipe: DirectionPipe;
  readonly source: PassThrough;
  readonly counters: { received: number; sent: number };
  readonly received: () => Buffer;
  readonly closed: string[];
}

function rig(seed: number, sinkDelayMs: number): Rig {
  const clock = new VirtualClock();
  const parts: Buffer[] = [];
  const closed: string[] = [];
  const source = new PassThrough({ highWaterMark: 65_536 });
  // A slow sink with little room, so that backpressure is at work all the time.
  const sink = new Writable({
    highWaterMark: 2_000,
    write: (bytes: Buffer, _, done) => {
      parts.push(bytes);
      if (sinkDelayMs === 0) done();
      else clock.timer(sinkDelayMs, done);
    },
  });
  const counters = { received: 0, sent: 0 };
  const pipe = new DirectionPipe(
    {
      stream: 'upstream',
      source,
      sink,
      clock,
      random: Random.stream(seedFrom(seed), 'pipe'),
      counters,
      close: (how) => {
        closed.push(`${how} after ${counters.sent}`);
      },
    },
    [],
  );
  pipe.start();
  return { clock, pipe, source, counters, received: () => Buffer.concat(parts), closed };
}

it('never loses, reorders or repeats a byte while toxics come, change and go', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.nat(),
      fc.constantFrom(0, 1),
      async (steps, seed, sinkDelayMs) => {
        const { clock, pipe, source, counters, received, closed } = rig(seed, sinkDelayMs);
        const toxics: Toxic[] = [];
        let sent = 0;
        const script = async (): Promise<void> => {
          for (const [at, each] of steps.entries()) {
            if (each.do === 'send') {
              // Each byte tells its own place, modulo a prime.
              source.write(
                Buffer.from(Array.from({ length: each.bytes }, (_, i) => (sent + i) % 251)),
              );
              sent += each.bytes;
            } else if (each.do === 'wait') await sleep(clock, each.ms);
            else if (each.do === 'add') addTo(pipe, toxics, each, at);
            else change(pipe, toxics, each);
          }
          source.end();
          await sleep(clock, 10);
          for (const toxic of toxics.splice(0)) pipe.remove(toxic);
          // What the slow sink still has to take.
          await sleep(clock, 1_000 + sent);
        };
        await clock.run(script());
        const expected = Buffer.from(Array.from({ length: sent }, (_, i) => i % 251));
        expect(received().equals(expected)).toBe(true);
        expect(closed).toEqual([`end after ${sent}`]);
        expect(counters).toEqual({ received: sent, sent });
      },
    ),
    { numRuns: 300 },
  );
});

function addTo(
  pipe: DirectionPipe,
  toxics: Toxic[],
  { toxic, toxicity: chance }: Extract<Step, { do: 'add' }>,
  at: number,
): void {
  const kind = TOXICS.get(toxic.type);
  if (kind === undefined) throw new Error(`no toxic ${toxic.type}`);
  const added: Toxic = {
    name: `t${at}`,
    kind,
    stream: 'upstream',
    streamText: 'upstream',
    toxicity: chance,
    attributes: { ...kind.defaults, ...toxic.attributes },
  };
  toxics.push(added);
  pipe.add(added);
}

function change(
  pipe: DirectionPipe,
  toxics: Toxic[],
  each: Extract<Step, { do: 'update' | 'remove' }>,
): void {
  const toxic = toxics[each.which % Math.max(1, toxics.length)];
  if (toxic === undefined) return;
  if (each.do === 'update') {
    toxic.toxicity = each.toxicity;
    pipe.update(toxic);
    return;
  }
  toxics.splice(toxics.indexOf(toxic), 1);
  pipe.remove(toxic);
}

it('reads no more than the stages may hold when the sink takes nothing', async () => {
  const clock = new VirtualClock();
  const counters = { received: 0, sent: 0 };
  let taken = 0;
  const source = new Readable({
    read() {
      taken += 10_000;
      this.push(Buffer.alloc(10_000));
    },
  });
  const sink = new Writable({ highWaterMark: 50_000, write: () => undefined });
  const pipe = new DirectionPipe(
    {
      stream: 'upstream',
      source,
      sink,
      clock,
      random: Random.stream(seedFrom(1), 'pipe'),
      counters,
      close: () => undefined,
    },
    [],
  );
  pipe.start();
  await clock.run(sleep(clock, 1_000));
  expect(counters.sent).toBeGreaterThanOrEqual(50_000);
  expect(counters.sent).toBeLessThanOrEqual(70_000);
  expect(taken).toBeLessThanOrEqual(200_000);
});
