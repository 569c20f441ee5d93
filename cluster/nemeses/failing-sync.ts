import type { Nemesis } from '../../harness/protocols/nemesis.ts';
import { diskNemesis } from './disk-fault.ts';
import { DOWN_TARGETS } from './node-fault.ts';

/**
 * Every sync fails with an input/output error; what it was to write is never written by a later one.
 * A store must not go on as if it had been: it ends, and is started again when the fault is over.
 */
export function failingSync(): Nemesis {
  return diskNemesis<null>({
    lane: 'failing-sync',
    keys: [],
    read: () => null,
    draw: (random) => ({ target: random.pick(DOWN_TARGETS) }),
    verb: () => 'syncs fail on',
    refuses: true,
    needs: 'fail-sync',
    install: (disks, node) => disks.failSync(node),
    shows: ({ error }) => error === 'EIO',
  });
}
