import { NANOS_PER_MS } from '../../../../harness/core/units.ts';
import { type Departure, timedStage } from './timed-stage.ts';
import { type Chunk, defineToxic, type ToxicKind } from './toxic.ts';

/** Beyond it the sender must feel the narrow link. */
const CAPACITY_BYTES = 65_536;
/** A slow link trickles: no piece takes longer than this. */
const PIECE_MS = 100;

/**
 * Lets `rate` KB (1000 bytes) a second through, so `rate` bytes a millisecond. Rate 0 lets nothing
 * through but loses nothing: what was held is delivered when the toxic goes.
 */
export const bandwidth: ToxicKind = defineToxic({
  type: 'bandwidth',
  defaults: { rate: 0 },
  start: ({ rate }, context) => {
    let freeAt = 0;
    const pieceBytes = Math.max(1, rate * PIECE_MS);
    return timedStage(context, {
      capacityBytes: CAPACITY_BYTES,
      onChunk: (chunk) => {
        if (rate <= 0) {
          freeAt = Number.POSITIVE_INFINITY;
          return [{ chunk, dueNanos: freeAt }];
        }
        // Counted from when the link is free and not from when a timer fired, so that late timers
        // do not add up.
        freeAt = Math.max(freeAt, context.clock.now());
        return pieces(chunk, pieceBytes).map((piece): Departure => {
          freeAt += (piece.bytes.length / rate) * NANOS_PER_MS;
          return { chunk: piece, dueNanos: freeAt };
        });
      },
      onEnd: () => freeAt,
    });
  },
});

function pieces(chunk: Chunk, size: number): readonly Chunk[] {
  const { bytes, arrived } = chunk;
  if (bytes.length <= size) return [chunk];
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, at) => ({
    bytes: bytes.subarray(at * size, (at + 1) * size),
    arrived,
  }));
}
