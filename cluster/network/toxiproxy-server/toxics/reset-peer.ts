import type { Timer } from '../../../../harness/core/clock.ts';
import { type Chunk, defineToxic, type ToxicKind } from './toxic.ts';

/**
 * Resets the connection `timeout` milliseconds after its first bytes (or its end) on this stream;
 * what comes meanwhile waits. An idle connection is left alone. The original sends RST just on
 * connections accepted after the toxic was added, and closes older ones; here all are reset.
 */
export const resetPeer: ToxicKind = defineToxic({
  type: 'reset_peer',
  defaults: { timeout: 0 },
  start: ({ timeout }, { clock, out }) => {
    const chunks: Chunk[] = [];
    let ended = false;
    let timer: Timer | undefined;
    const arm = (): void => {
      timer ??= clock.timer(timeout, () => {
        out.reset();
      });
    };
    return {
      push: (chunk) => {
        chunks.push(chunk);
        arm();
      },
      end: () => {
        ended = true;
        arm();
      },
      get full() {
        return chunks.length > 0;
      },
      stop: () => {
        timer?.cancel();
        return { chunks, ended };
      },
    };
  },
});
