/**
 * Files of a run that only say again what its history and its result hold, in forms that `jq`,
 * `grep` and a shell read at once. They can be made anew at any time.
 */
import type { History } from '../../harness/history/history.ts';
import type { RunResult } from '../../harness/protocols/run.ts';
import { againCommand } from '../command.ts';
import { jobSummary } from '../github.ts';
import { clean } from '../words.ts';
import { clusterLines } from './cluster-lines.ts';
import { faultLines } from './fault-lines.ts';
import { metricLines } from './metric-lines.ts';

export interface DerivedFile {
  readonly name: string;
  /** `run`: lies in the run's own folder; `test`: in that of its test. */
  readonly place: 'run' | 'test';
  /** Empty: there is nothing to say, and no file. */
  text(result: RunResult, history: History): string;
}

export const DERIVED_FILES: readonly DerivedFile[] = [
  { name: 'faults.jsonl', place: 'test', text: (_, history) => jsonLines(faultLines(history)) },
  { name: 'cluster.jsonl', place: 'test', text: (_, history) => jsonLines(clusterLines(history)) },
  { name: 'metrics.jsonl', place: 'test', text: (_, history) => jsonLines(metricLines(history)) },
  { name: 'repro.sh', place: 'test', text: reproScript },
  { name: 'summary.md', place: 'run', text: (result, history) => jobSummary(result, history) },
];

function jsonLines(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** The command alone, for a person to read and start; every word of it is quoted for the shell. */
function reproScript({ manifest }: RunResult): string {
  const command = againCommand(manifest);
  if (command === '') return '';
  const how =
    manifest.config.backend === 'sim'
      ? 'The same again, from the seed alone, as'
      : 'The same choices again, at times that differ a little from those of';
  return `#!/bin/sh\n# ${how} run ${clean(manifest.run)}.\n${command}\n`;
}
