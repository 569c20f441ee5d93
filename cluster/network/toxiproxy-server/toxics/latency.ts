import { NANOS_PER_MS } from '../../../../harness/core/units.ts';
import { timedStage } from './timed-stage.ts';
import { defineToxic, type ToxicKind } from './toxic.ts';

/** So much may be under way; the original has 1024 chunks of at most 32 KiB. */
const CAPACITY_BYTES = 33_554_432;

/**
 * Delays each chunk by `latency` ± `jitter` milliseconds after it arrived. Never reorders: a chunk
 * waits for the ones before it. The end follows the last chunk without a delay of its own.
 */
export const latency: ToxicKind = defineToxic({
  type: 'latency',
  defaults: { latency: 0, jitter: 0 },
  start: (attributes, context) => {
    let lastDue = 0;
    return timedStage(context, {
      capacityBytes: CAPACITY_BYTES,
      onChunk: (chunk) => {
        const spread = attributes.jitter > 0 ? context.random.float() * 2 - 1 : 0;
        const delayMs = attributes.latency + spread * attributes.jitter;
        lastDue = Math.max(lastDue, chunk.arrived + delayMs * NANOS_PER_MS);
        return [{ chunk, dueNanos: lastDue }];
      },
      onEnd: () => lastDue,
    });
  },
});
