import type { Nemesis } from '../../harness/protocols/nemesis.ts';
import { diskNemesis } from './disk-fault.ts';
import { HARMLESS_TARGETS } from './node-fault.ts';
import { durationOf } from './options.ts';

/**
 * Every sync takes so much longer, as on a disk that others use too. Nobody is down; whoever promises
 * before it has synced is found out by the other faults meanwhile.
 */
export function slowDisk(): Nemesis {
  return diskNemesis<number>({
    lane: 'slow-disk',
    keys: ['delay'],
    read: (place, timing) => durationOf(place, 'delay', timing, timing.heartbeatMs),
    draw: (random, { heartbeatMs, electionMs }) => ({
      target: random.pick(HARMLESS_TARGETS),
      delay: `${random.int(Math.ceil(heartbeatMs / 10), Math.ceil(electionMs / 2))}ms`,
    }),
    verb: (delayMs) => `disk slow by ${delayMs} ms a sync on`,
    refuses: false,
    needs: 'slow',
    install: (disks, node, delayMs) => disks.slow(node, delayMs),
    shows: ({ syncMs = 0 }, delayMs) => syncMs >= delayMs,
  });
}
