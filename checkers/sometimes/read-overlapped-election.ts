import { clientName, fromNode } from '../text.ts';
import { firstAfter, NO_ROLES, type Property, Tally } from './property.ts';
import { leaderless } from './roles.ts';

/** A linearizable read was under way when no node said that it leads, and it was answered. */
export const readOverlappedElection: Property = {
  name: 'read-overlapped-election',
  advice:
    'ask for more linearizable reads (--read-mode linearizable, --rate), a client timeout longer ' +
    'than an election (--client-timeout), or more faults that take the leader away',
  find: ({ history, roles }) => {
    if (roles.length === 0) return { nothing: NO_ROLES };
    const looks = leaderless(roles);
    const tally = new Tally();
    if (looks.length === 0) return tally.reached();
    for (const { invoke, completion } of history.operations()) {
      if (invoke.f !== 'read' || completion?.type !== 'ok') continue;
      if ((invoke.mode ?? 'linearizable') !== 'linearizable') continue;
      const look = looks[firstAfter(looks, invoke.index)];
      if (look === undefined || look > completion.index) continue;
      const text = (): string =>
        `the read of ${clientName(invoke)}${fromNode(invoke)} was under way at entry ${look}, ` +
        'where nobody led';
      tally.add(text, { index: invoke.index, timeNanos: invoke.time });
    }
    return tally.reached();
  },
};
