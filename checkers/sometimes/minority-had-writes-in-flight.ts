import type { CheckContext } from '../../harness/protocols/checker.ts';
import type { FaultBand } from '../../harness/protocols/details.ts';
import { clientName } from '../text.ts';
import { type Property, Tally } from './property.ts';

/** A write was under way at a node that could not reach a majority. */
export const minorityHadWritesInFlight: Property = {
  name: 'minority-had-writes-in-flight',
  advice: 'cut a minority off (--fault partition), and let clients go on writing to all nodes',
  find: ({ history, bands }, { nodes }) => {
    const cuts = bands.flatMap(({ band }) => {
      const few = minorityOf(band, nodes);
      return few.size === 0 ? [] : [{ band, few }];
    });
    const tally = new Tally();
    if (cuts.length === 0) return tally.reached();
    for (const { invoke, completion } of history.operations()) {
      const { f, node } = invoke;
      if ((f !== 'write' && f !== 'cas') || node === undefined) continue;
      const endNanos = completion?.time ?? Number.POSITIVE_INFINITY;
      const cut = cuts.find(
        ({ band, few }) =>
          few.has(node) &&
          band.beginNanos < endNanos &&
          invoke.time < (band.endNanos ?? Number.POSITIVE_INFINITY),
      );
      if (cut === undefined) continue;
      tally.add(() => `${clientName(invoke)} wrote to ${node} during: ${cut.band.text}`, {
        index: invoke.index,
        timeNanos: invoke.time,
      });
    }
    return tally.reached();
  },
};

/** Nodes that together with those they can talk to, both ways, are no majority. */
function minorityOf({ cut = [] }: FaultBand, nodes: CheckContext['nodes']): ReadonlySet<string> {
  const links = new Set(cut);
  const few = nodes.filter((node) => {
    const heard = nodes.filter(
      (peer) => peer === node || !(links.has(`${node}>${peer}`) || links.has(`${peer}>${node}`)),
    );
    return heard.length * 2 <= nodes.length;
  });
  return new Set(links.size === 0 ? [] : few);
}
