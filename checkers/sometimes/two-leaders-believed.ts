import { NO_ROLES, type Property, Tally } from './property.ts';

/** Two nodes said at once that they lead: the older one had not heard yet. */
export const twoLeadersBelieved: Property = {
  name: 'two-leaders-believed',
  advice:
    'cut or freeze the leader alone for longer than an election (--fault partition,pause, ' +
    '--fault-duration)',
  find: ({ roles }) => {
    if (roles.length === 0) return { nothing: NO_ROLES };
    const tally = new Tally();
    let before = 0;
    for (const { leaders, index, time } of roles) {
      const text = (): string =>
        leaders.map(({ node, term }) => `${node} led in term ${term}`).join(', ');
      // As long as it lasts it is one time, however often somebody looked.
      if (leaders.length > 1 && before <= 1) tally.add(text, { index, timeNanos: time });
      before = leaders.length;
    }
    return tally.reached();
  },
};
