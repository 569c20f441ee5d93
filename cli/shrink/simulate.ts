import { checkAll } from '../../checkers/compose.ts';
import { realClock, VirtualClock } from '../../harness/core/clock.ts';
import { silentLog } from '../../harness/core/log.ts';
import { Random, type Seed } from '../../harness/core/prng.ts';
import { readHistory } from '../../harness/history/jsonl.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import { noUndo } from '../../harness/protocols/undo.ts';
import { run } from '../../harness/runner/run.ts';
import { createRun } from '../../harness/store/store.ts';
import { checkersOf, judgedBy } from '../judge.ts';
import { manifestOf, nemesesOf, type Ran, type RunOrder, scheduleOf } from '../make-run.ts';
import { loadModules } from '../modules.ts';
import { findNamed, findWorkload } from '../registry.ts';

export interface Simulation extends Pick<RunOrder, 'shell' | 'interrupt'> {
  readonly modules: readonly string[];
  /** The only check that is asked; '': all are. */
  readonly checker: string;
  /** Where the run lies for a while. */
  readonly root: string;
}

/**
 * A simulated run of which nobody reads a report, judged by one check, here and at once: many of them
 * fit in the time of one that is kept. What it records is the same.
 */
export async function simulate(simulation: Simulation, config: RunConfig): Promise<Ran> {
  const { shell, interrupt, modules, checker, root } = simulation;
  const code = await loadModules(modules, config.test);
  const { catalogue } = code;
  const workload = findWorkload(config.workload, catalogue);
  const clock = realClock();
  const seed = config.seed as Seed;
  const folder = await createRun(root, {
    startedAtMs: clock.wallMs(),
    random: Random.stream(seed, `run/${clock.wallMs()}`),
    test: workload.name,
  });
  const result = await run({
    config,
    manifest: manifestOf(shell, config, folder.id, clock.wallMs()),
    folder,
    system: findNamed('system', catalogue.systems, config.system),
    workload,
    nemeses: nemesesOf(config, catalogue),
    schedule: scheduleOf(config),
    seed,
    clock,
    virtual: new VirtualClock(),
    log: silentLog,
    undo: noUndo,
    interrupt: interrupt.signal,
    interruptedBy: () => interrupt.by,
    judge: async (given, context) => {
      const history = given ?? (await readHistory(folder.historyPath)).history;
      const all = checkersOf(judgedBy(config, modules), code);
      const asked = all.filter(({ name }) => checker === '' || name === checker);
      return checkAll(asked, history, context);
    },
    reporters: [],
    onOp: () => undefined,
    onPhase: () => undefined,
  });
  return { result, dir: folder.dir };
}
