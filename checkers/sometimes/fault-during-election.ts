import { firstAfter, NO_ROLES, type Property, Tally } from './property.ts';

/** A fault took effect while no node said that it leads. */
export const faultDuringElection: Property = {
  name: 'fault-during-election',
  advice: 'let faults come faster than elections end (--fault-interval 2el), of several kinds',
  find: ({ roles, bands }) => {
    if (roles.length === 0) return { nothing: NO_ROLES };
    const times = Float64Array.from(roles, ({ time }) => time);
    const tally = new Tally();
    for (const { band } of bands) {
      const before = firstAfter(times, band.beginNanos) - 1;
      const last = roles[before];
      if (last?.isLeaderless !== true) continue;
      if (!roles.slice(0, before).some(({ leaders }) => leaders.length > 0)) continue;
      tally.add(() => `${band.text}, when nobody led`, {
        index: last.index,
        timeNanos: band.beginNanos,
      });
    }
    return tally.reached();
  },
};
