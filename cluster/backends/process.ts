/** The `process` backend: each node is a child process of this one, and nothing more is known. */
import type { NodeName } from '../../harness/core/units.ts';
import { type ChildContext, type ChildSpec, type Exit, startChild } from './child.ts';
import { type Life, type LifePlan, type LivesContext, startLives } from './lives.ts';
import type { RunningNodes } from './nodes.ts';

/** A program with everything it needs, so that it can be started again and again. */
export type ProcessSpec = Omit<ChildSpec, 'name'>;
export type NodePlan = Omit<LifePlan<ProcessSpec>, 'logPath'>;
export type LocalProcesses = RunningNodes<ProcessSpec>;

export interface ProcessesContext extends ChildContext {
  /** Asked when a node ends by itself: true, and it is no crash. */
  readonly mayEnd?: LivesContext<ProcessSpec>['mayEnd'];
}

/** Starts the nodes in their order. When one cannot be started, none is left. */
export function startProcesses(
  plans: readonly NodePlan[],
  context: ProcessesContext,
): Promise<LocalProcesses> {
  const { clock, log, mayEnd } = context;
  return startLives(
    plans.map((plan) => ({ ...plan, logPath: plan.spec.logPath })),
    {
      start: (node, spec) => startLife(node, spec, context),
      clock,
      log,
      ...(mayEnd !== undefined && { mayEnd }),
    },
  );
}

async function startLife(
  node: NodeName,
  spec: ProcessSpec,
  context: ProcessesContext,
): Promise<Life> {
  const child = await startChild({ ...spec, name: node }, context);
  const signal = (name: 'SIGSTOP' | 'SIGCONT'): Promise<void> => {
    child.signal(name);
    return Promise.resolve();
  };
  return {
    ended: child.exited.then(exitText),
    kill: async () => {
      await child[Symbol.asyncDispose]();
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    state: () => Promise.resolve(child.state()),
  };
}

export function exitText({ code, signal }: Exit): string {
  return signal === undefined ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`;
}
