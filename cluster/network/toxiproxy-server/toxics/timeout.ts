import type { Timer } from '../../../../harness/core/clock.ts';
import { defineToxic, type ToxicKind } from './toxic.ts';

/**
 * Discards all data, and closes the connection after `timeout` milliseconds of silence; 0: never.
 * Bytes are gone for good, so taking it away closes every connection of the proxy.
 */
export const timeout: ToxicKind = defineToxic({
  type: 'timeout',
  defaults: { timeout: 0 },
  onRemove: 'close',
  start: (attributes, { clock, out }) => {
    let timer: Timer | undefined;
    const rewind = (): void => {
      timer?.cancel();
      if (attributes.timeout > 0)
        timer = clock.timer(attributes.timeout, () => {
          out.end();
        });
    };
    rewind();
    return {
      push: rewind,
      end: () => {
        timer?.cancel();
        out.end();
      },
      full: false,
      stop: () => {
        timer?.cancel();
        return { chunks: [], ended: false };
      },
    };
  },
});
