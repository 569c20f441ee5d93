import type { Random } from '../../../../harness/core/prng.ts';
import { timedStage } from './timed-stage.ts';
import { type Chunk, defineToxic, type ToxicKind } from './toxic.ts';

const CAPACITY_BYTES = 65_536;
const NANOS_PER_MICRO = 1_000;

/**
 * Cuts each chunk into pieces of about `average_size` ± `size_variation` bytes, `delay`
 * microseconds apart, so that one write arrives as many reads.
 */
export const slicer: ToxicKind = defineToxic({
  type: 'slicer',
  defaults: { average_size: 0, size_variation: 0, delay: 0 },
  start: (attributes, context) => {
    let lastDue = 0;
    return timedStage(context, {
      capacityBytes: CAPACITY_BYTES,
      onChunk: ({ bytes, arrived }) => {
        const sizes = { average: Math.max(1, attributes.average_size), ...attributes };
        return slice(bytes, sizes, context.random).map((piece) => {
          const chunk: Chunk = { bytes: piece, arrived };
          const dueNanos = Math.max(lastDue, context.clock.now());
          lastDue = dueNanos + attributes.delay * NANOS_PER_MICRO;
          return { chunk, dueNanos };
        });
      },
      onEnd: () => lastDue,
    });
  },
});

/** Halves, off the middle by at most the variation, until every piece is small enough. */
function slice(
  bytes: Buffer,
  sizes: { readonly average: number; readonly size_variation: number },
  random: Random,
): readonly Buffer[] {
  const { average, size_variation: variation } = sizes;
  if (bytes.length <= 1 || bytes.length - average <= variation) return [bytes];
  const off = variation > 0 ? random.int(0, variation * 2 - 1) - variation : 0;
  const middle = Math.min(bytes.length - 1, Math.max(1, Math.floor(bytes.length / 2) + off));
  return [
    ...slice(bytes.subarray(0, middle), sizes, random),
    ...slice(bytes.subarray(middle), sizes, random),
  ];
}
