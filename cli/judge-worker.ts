/** Judges a stored history, one checker after another, and reports each result as it comes. */
import { parentPort, workerData } from 'node:worker_threads';
import { runChecker } from '../checkers/compose.ts';
import { messageOf } from '../harness/core/errors.ts';
import { invariant } from '../harness/core/invariant.ts';
import { checkersOf, codeOf, type JudgeMessage, type JudgeTask } from './judge.ts';
import { loadHistory } from './load-history.ts';

invariant(parentPort !== null, 'this file runs as a worker');
const port = parentPort;
const task = workerData as JudgeTask;
const tell = (message: JudgeMessage): void => {
  port.postMessage(message);
};

try {
  const code = await codeOf(task);
  const { history } = await loadHistory(task.historyPath, task.format);
  for (const checker of checkersOf(task, code)) {
    if (!task.checkers.includes(checker.name)) continue;
    tell({ kind: 'start', checker: checker.name });
    tell({ kind: 'result', result: await runChecker(checker, history, task.context) });
  }
} catch (error) {
  tell({ kind: 'failed', message: messageOf(error) });
}
