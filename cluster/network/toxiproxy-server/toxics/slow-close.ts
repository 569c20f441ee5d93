import { NANOS_PER_MS } from '../../../../harness/core/units.ts';
import { timedStage } from './timed-stage.ts';
import { defineToxic, type ToxicKind } from './toxic.ts';

/** Delays just the close: the end leaves `delay` milliseconds after it came. */
export const slowClose: ToxicKind = defineToxic({
  type: 'slow_close',
  defaults: { delay: 0 },
  start: ({ delay }, context) =>
    timedStage(context, {
      capacityBytes: Number.POSITIVE_INFINITY,
      onChunk: (chunk) => [{ chunk, dueNanos: 0 }],
      onEnd: () => context.clock.now() + delay * NANOS_PER_MS,
    }),
});
