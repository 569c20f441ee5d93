/** Judges a stored history, one checker after another, and reports each result as it comes. */
import { parentPort, workerData } from 'node:worker_threads';
import { runChecker } from '../checkers/compose.ts';
import { messageOf } from '../harness/core/errors.ts';
import { invariant } from '../harness/core/invariant.ts';
import { readHistory } from '../harness/history/jsonl.ts';
import type { JudgeMessage, JudgeTask } from './judge.ts';
import { findWorkload } from './registry.ts';

invariant(parentPort !== null, 'this file runs as a worker');
const port = parentPort;
const task = workerData as JudgeTask;
const tell = (message: JudgeMessage): void => {
  port.postMessage(message);
};

try {
  const { history } = await readHistory(task.historyPath);
  const workload = findWorkload(task.workload);
  for (const checker of workload.checkers(task.workloadOptions)) {
    if (!task.checkers.includes(checker.name)) continue;
    tell({ kind: 'start', checker: checker.name });
    tell({ kind: 'result', result: await runChecker(checker, history, task.context) });
  }
} catch (error) {
  tell({ kind: 'failed', message: messageOf(error) });
}
