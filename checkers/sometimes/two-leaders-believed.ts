import { NO_ROLES, type Property, Tally } from './property.ts';

/**
 * Two nodes led at once: the older one had not heard yet. Nodes are asked one by one, so that two in
 * one look may have followed each other; a later look must show that the older one went on.
 */
export const twoLeadersBelieved: Property = {
  name: 'two-leaders-believed',
  advice:
    'cut or freeze the leader alone for longer than an election (--fault partition,pause, ' +
    '--fault-duration)',
  find: ({ roles }) => {
    if (roles.length === 0) return { nothing: NO_ROLES };
    const tally = new Tally();
    let isOn = false;
    let newest = 0;
    for (const { leaders, index, time } of roles) {
      const text = (): string =>
        leaders.map(({ node, term }) => `${node} led in term ${term}`).join(', ');
      // As long as it lasts it is one time, however often somebody looked.
      const isProven = leaders.length > 1 && leaders.some(({ term }) => term < newest);
      if (isProven && !isOn) tally.add(text, { index, timeNanos: time });
      isOn = isProven;
      const terms = leaders.map(({ term }) => term);
      newest = Math.max(newest, ...terms);
    }
    return tally.reached();
  },
};
