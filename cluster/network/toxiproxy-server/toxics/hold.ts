import { type Chunk, defineToxic, type ToxicKind } from './toxic.ts';

/** Beyond it the sender's own buffers fill: still nothing is lost. */
const CAPACITY_BYTES = 16_777_216;

/**
 * Keeps everything back, also the end, while the connection stays alive; all of it goes on at
 * once and in order when the toxic is taken away. An addition of ours: Toxiproxy has none.
 */
export const hold: ToxicKind = defineToxic({
  type: 'hold',
  defaults: {},
  start: () => {
    const chunks: Chunk[] = [];
    let heldBytes = 0;
    let ended = false;
    return {
      push: (chunk) => {
        chunks.push(chunk);
        heldBytes += chunk.bytes.length;
      },
      end: () => {
        ended = true;
      },
      get full() {
        return heldBytes > CAPACITY_BYTES;
      },
      stop: () => ({ chunks, ended }),
    };
  },
});
