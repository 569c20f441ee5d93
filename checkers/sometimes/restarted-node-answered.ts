import { clientName } from '../text.ts';
import { type Property, Tally } from './property.ts';

/** Faults that end with a node that has only what was on its disk. */
const RESTARTS: readonly string[] = ['kill', 'power'];

/** A node that had been killed answered a read again: what it has, it has from its disk. */
export const restartedNodeAnswered: Property = {
  name: 'restarted-node-answered',
  advice: 'kill nodes early enough to come back (--fault kill, --fault-duration, --duration)',
  find: ({ history, bands }) => {
    const returns = bands.flatMap(({ band }) =>
      RESTARTS.includes(band.fault) && band.endNanos !== undefined
        ? [{ targets: band.targets, endNanos: band.endNanos, isSeen: false }]
        : [],
    );
    const tally = new Tally();
    for (const { invoke, completion } of history.operations()) {
      const { f, node, time } = invoke;
      if (f !== 'read' || completion?.type !== 'ok' || node === undefined) continue;
      const own = returns.filter(
        (one) => !one.isSeen && one.endNanos <= time && one.targets.includes(node),
      );
      if (own.length === 0) continue;
      // Each restart counts once, and not each of a thousand reads.
      for (const one of own) one.isSeen = true;
      tally.add(() => `${node} answered ${clientName(invoke)} after it had been killed`, {
        index: completion.index,
        timeNanos: completion.time,
      });
    }
    return tally.reached();
  },
};
