import { defineToxic, type ToxicKind } from './toxic.ts';

/**
 * A link that is cut: reads nothing, serves no new connection (on upstream), and tells nobody:
 * neither bytes nor FIN nor RST pass. Connections that lived through it, or waited, are reset when
 * it goes, so that no byte stream ever shows a gap. An addition of ours: Toxiproxy has none.
 */
export const cut: ToxicKind = defineToxic({
  type: 'cut',
  defaults: {},
  onRemove: 'reset',
  blocksAccept: true,
  start: () => ({
    // What had been read before the cut is lost with its connection.
    push: () => undefined,
    end: () => undefined,
    full: true,
    stop: () => ({ chunks: [], ended: false }),
  }),
});
