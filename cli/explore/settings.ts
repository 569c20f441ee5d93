/** What an exploration is made of: its flags and the config, all checked before anything runs. */
import { availableParallelism } from 'node:os';
import { HarnessError } from '../../harness/core/errors.ts';
import { freshSeed, parseSeed, type Seed } from '../../harness/core/prng.ts';
import { parseDurationMs } from '../../harness/core/units.ts';
import type { BackendName } from '../../harness/protocols/system.ts';
import { counted } from '../../reports/words.ts';
import type { ExploreFlags } from '../commands/explore.ts';
import type { SchismConfig } from '../config/config.ts';
import { findConfig } from '../config/load.ts';
import { WORKERS_MAX } from '../config/schema.ts';
import { defaultFlags } from '../flags.ts';
import type { Shell } from '../program.ts';
import { catalogueOf, chooseSystem } from '../registry.ts';
import { countOption } from '../stored.ts';
import { planRun } from '../suite/plan-suite.ts';
import { type Space, spaceOf } from './space.ts';
import type { Keeping } from './store-finding.ts';

const BUDGET = '10m';
const RUNS_MAX = 10_000_000;
/** A cluster of processes mostly waits, but takes part of a core and some hundred MB. */
const CLUSTERS_MAX = 4;

export interface Settings extends Bounds {
  readonly keeping: Keeping;
  readonly seed: Seed;
  readonly workers: number;
}

interface Bounds {
  readonly runsMax: number;
  readonly budgetMs: number;
  /** Both, as they were said. */
  readonly budget: string;
  /** 0: as many as come. */
  readonly findingsMax: number;
}

/** Throws `bad-option` or `bad-input` for what cannot be asked for. */
export async function settingsOf(
  shell: Shell,
  flags: ExploreFlags,
  isGiven: (flag: string) => boolean,
): Promise<Settings> {
  const bounds = boundsOf(flags);
  const { space, ...where } = await spaceAsked(shell, flags, isGiven);
  const { workers, seed, config: configFile } = flags;
  const asked =
    workers === undefined
      ? workersOf(space.backend)
      : countOption(workers, '--workers', WORKERS_MAX);
  return {
    ...bounds,
    keeping: { shell, ...where, space, ...(configFile !== undefined && { configFile }) },
    seed: seed === undefined ? freshSeed() : parseSeed(seed),
    workers: Math.max(1, asked),
  };
}

/** Clusters of containers share more than cores. */
function workersOf(backend: BackendName): number {
  const cores = availableParallelism();
  if (backend === 'sim') return cores;
  return backend === 'process' ? Math.min(cores, CLUSTERS_MAX) : 1;
}

function boundsOf({ runs, budget, maxFailures = '0', failFast }: ExploreFlags): Bounds {
  const runsMax = runs === undefined ? RUNS_MAX : countOption(runs, '--runs', RUNS_MAX);
  const time = budget ?? (runs === undefined ? BUDGET : undefined);
  const said = [time, runs === undefined ? undefined : counted(runsMax, 'run')];
  return {
    runsMax,
    budgetMs: time === undefined ? Number.POSITIVE_INFINITY : parseDurationMs(time, '--budget'),
    budget: said.filter((text) => text !== undefined).join(' or '),
    findingsMax: failFast === true ? 1 : countOption(maxFailures, '--max-failures', RUNS_MAX),
  };
}

/** What may be drawn; where runs are kept, and the code of one's own that they need. */
async function spaceAsked(
  shell: Shell,
  flags: ExploreFlags,
  isGiven: (flag: string) => boolean,
): Promise<Pick<Keeping, 'output' | 'modules'> & { readonly space: Space }> {
  const loaded = await findConfig(flags.config);
  const { schedule: _, ...file } = loaded.config;
  const catalogue = catalogueOf(file);
  const isSimulated = simulates(flags, file);
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  const planned = await planRun({
    flags: {
      ...defaultFlags(),
      ...ofRun(Object.fromEntries(given) as unknown as ExploreFlags),
      ...(isSimulated && { backend: 'sim' }),
    },
    isGiven: (flag) => isGiven(flag) || (flag === 'backend' && isSimulated),
    filters: [],
    loaded: { ...loaded, config: file },
    env: shell.env,
  });
  const { config, flags: words, modules } = planned;
  if (config.backend === 'attach')
    throw new HarnessError('bad-option', 'explore starts its own clusters; it has no attach');
  const said = { ...file, fault: file.faults } as Readonly<Record<string, unknown>>;
  const space = await spaceOf({
    system: chooseSystem({ system: config.system }, catalogue),
    catalogue,
    flags: words,
    env: shell.env,
    config,
    isSaid: (option) => isGiven(option) || said[option] !== undefined,
  });
  return { space, output: words.output, modules };
}

/** Those that `run` has, too, and that mean the same there. */
function ofRun({
  runs: _runs,
  budget: _budget,
  maxFailures: _maxFailures,
  failFast: _failFast,
  workers: _workers,
  seed: _seed,
  ...rest
}: ExploreFlags): Omit<ExploreFlags, 'runs' | 'budget' | 'maxFailures' | 'failFast' | 'workers'> {
  return rest;
}

/** Where nobody says where: in the simulator, if the system has one. */
function simulates({ system, backend, bug }: ExploreFlags, file: SchismConfig): boolean {
  if (backend !== undefined || file.backend !== undefined) return false;
  const asked = { system: system ?? file.system ?? 'auto', ...(bug !== undefined && { bug }) };
  return chooseSystem(asked, catalogueOf(file)).backends.includes('sim');
}
