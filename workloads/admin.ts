import { availability } from '../checkers/availability.ts';
import { backup } from '../checkers/backup.ts';
import { evidence } from '../checkers/evidence.ts';
import { hash } from '../checkers/hash.ts';
import { invariants } from '../checkers/invariants.ts';
import { linearizable } from '../checkers/linearizable/checker.ts';
import { logPattern } from '../checkers/log-pattern.ts';
import { stats } from '../checkers/stats.ts';
import type { Random } from '../harness/core/prng.ts';
import { op } from '../harness/generator/basic.ts';
import { concurrencyLimit, repeat, untilOk } from '../harness/generator/bounds.ts';
import { andThen, any } from '../harness/generator/combine.ts';
import type { Generator } from '../harness/generator/generator.ts';
import type { Workload } from '../harness/protocols/workload.ts';
import { canHash, thenHashes, withHashes } from './final-hashes.ts';
import { finalReads } from './final-reads.ts';
import { ACTS, type Act, actsOption, operator, withOperator } from './operator.ts';
import { registerClient } from './register-client.ts';
import type { MixEntry } from './register-generator.ts';
import { LOAD_OPTIONS, registerLoad } from './register-load.ts';
import { wholeNumber } from './register-options.ts';

/** Writes most of all: they are what a backup may lose. */
const MIX: readonly MixEntry[] = [
  { f: 'read', mode: 'linearizable', weight: 4 },
  { f: 'write', weight: 4 },
  { f: 'cas', weight: 2 },
];
/** So many pauses of the operator lie between two backups. */
const BACKUP_PAUSES = 6;
/** A backup in the end, when all is well; one that fails then is asked for again. */
const LAST_BACKUPS_MAX = 3;

/**
 * Registers under load while operators do what operators do. What they do must not be seen in the
 * registers, and what was backed up must be what was there.
 */
export const admin: Workload = {
  name: 'admin',
  summary: 'registers, while somebody compacts, defragments, moves the leader, and takes backups',
  needs: ['register', 'admin'],
  readModes: ['linearizable'],
  options: {
    ...LOAD_OPTIONS,
    acts: `what the operator does, separated by commas (default ${ACTS.join(',')})`,
    pause:
      'milliseconds from one act to the next, on average; six times as many between backups (default 800)',
  },
  build: (options, random) => {
    const { own, nodes, clientTimeoutMs } = options;
    const load = registerLoad(options, MIX, random);
    const acts = actsOption(own);
    const pauseMs = wholeNumber(own, 'pause', 800, 1, 3_600_000);
    return {
      main: any([load, ...operators(acts, pauseMs, random)], random.fork('all')),
      final: (keys) => thenBackup(thenHashes(finalReads(keys, nodes), options), acts),
      probe: { f: 'read', key: 'k0', value: null, mode: 'linearizable' },
      client: (apis) => {
        const timeouts = { readMs: clientTimeoutMs, writeMs: clientTimeoutMs };
        const registers = withHashes(registerClient(apis, timeouts), apis, clientTimeoutMs);
        return withOperator(registers, apis, clientTimeoutMs);
      },
      asks: ACTS,
    };
  },
  checkers: (options) => [
    linearizable({}),
    backup(),
    ...(canHash(options) ? [hash()] : []),
    stats(),
    availability(),
    evidence(),
    invariants(),
    logPattern({}),
  ],
};

/** One for backups alone: they take long, and what is done meanwhile must not be seen in them. */
function operators(acts: readonly Act[], pauseMs: number, random: Random): Generator[] {
  const others = acts.filter((act) => act !== 'backup');
  const backups = acts.filter((act) => act === 'backup');
  return [
    ...(others.length > 0 ? [operator({ acts: others, pauseMs }, random.fork('operator'))] : []),
    ...(backups.length > 0
      ? [operator({ acts: backups, pauseMs: BACKUP_PAUSES * pauseMs }, random.fork('backups'))]
      : []),
  ];
}

function thenBackup(gen: Generator, acts: readonly Act[]): Generator {
  if (!acts.includes('backup')) return gen;
  const tries = repeat(op({ f: 'backup' }), LAST_BACKUPS_MAX);
  return andThen(gen, untilOk(concurrencyLimit(1, tries)));
}
