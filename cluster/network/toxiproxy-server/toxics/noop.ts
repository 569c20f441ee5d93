import { defineToxic, type ToxicKind } from './toxic.ts';

/** Lets everything through. */
export const noop: ToxicKind = defineToxic({
  type: 'noop',
  defaults: {},
  start: (_, { out }) => ({
    push: (chunk) => {
      out.push(chunk);
    },
    end: () => {
      out.end();
    },
    full: false,
    stop: () => ({ chunks: [], ended: false }),
  }),
});
