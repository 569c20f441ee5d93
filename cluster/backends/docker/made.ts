/** What a run makes on a container engine: all of it labelled, all of it undone. */
import type { Clock } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import type { Log } from '../../../harness/core/log.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import type { UndoRegistry } from '../../../harness/protocols/undo.ts';
import { countText, findMade, ownerLabel, undoRun } from './cleanup.ts';
import { type Engine, openEngine } from './engine.ts';
import { LABEL } from './labels.ts';

/** Who makes it, and where. */
export interface Made {
  readonly engine: Engine;
  readonly run: string;
  readonly clock: Clock;
  readonly log: Log;
}

export type MadeRole = 'node' | 'links' | 'network' | 'volume' | 'helper';

export interface MadeContext {
  readonly runId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly undo: UndoRegistry;
}

/**
 * From now on whatever the run makes is removed if the harness dies. To be disposed of when all of
 * it is removed; what is left then is left to the watchdog. Throws `engine-failed`.
 */
export async function beginMaking({
  runId,
  clock,
  log,
  undo,
}: MadeContext): Promise<Made & AsyncDisposable> {
  const engine = await openEngine(process.env);
  const withdraw = await undo.add(undoRun(engine, runId));
  return {
    engine,
    run: runId,
    clock,
    log,
    [Symbol.asyncDispose]: async () => {
      try {
        const found = await findMade(engine, clock, { run: runId });
        const left = found.filter(({ owner }) => owner === ownerLabel());
        if (left.length === 0) withdraw();
        else log.warn(`left on the container engine: ${countText(left)}`);
      } catch (error) {
        log.warn('nobody knows what is left on the container engine', { error: messageOf(error) });
      }
    },
  };
}

export function labelsOf(
  { run }: Pick<Made, 'run'>,
  role: MadeRole,
  node?: NodeName,
): Record<string, string> {
  return {
    [LABEL.run]: run,
    [LABEL.owner]: ownerLabel(),
    [LABEL.role]: role,
    ...(node !== undefined && { [LABEL.node]: node }),
  };
}
