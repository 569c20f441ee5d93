import { defineToxic, type ToxicKind } from './toxic.ts';

/**
 * Closes the connection when `bytes` have passed since the toxic was added; 0 closes at the first
 * bytes. What was counted survives an update of the limit.
 */
export const limitData: ToxicKind = defineToxic({
  type: 'limit_data',
  defaults: { bytes: 0 },
  start: (attributes, { memory, out }) => {
    let closed = false;
    const close = (): void => {
      closed = true;
      out.end();
    };
    return {
      push: ({ bytes, arrived }) => {
        if (closed) return;
        const passed = memory.get('passed') ?? 0;
        const part = bytes.subarray(0, Math.max(0, attributes.bytes - passed));
        memory.set('passed', passed + part.length);
        if (part.length > 0) out.push({ bytes: part, arrived });
        if (passed + part.length >= attributes.bytes) close();
      },
      end: () => {
        if (!closed) close();
      },
      full: false,
      stop: () => ({ chunks: [], ended: false }),
    };
  },
});
