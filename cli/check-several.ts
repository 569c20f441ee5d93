/** Several histories judged by one command. */
import { exitCodeOf, HarnessError } from '../harness/core/errors.ts';
import type { RunVerdict } from '../harness/protocols/checker.ts';
import { worstExit } from '../harness/runner/verdict.ts';
import { counted } from '../reports/words.ts';

/** What came of one of them; `document` is what `--json` says of it. */
export interface Told {
  readonly exitCode: number;
  /** Absent: it could not be judged. */
  readonly verdict?: RunVerdict;
  readonly document: object;
}

/** One after another: what cannot be read is told by `complain`, and costs only itself. */
export async function eachOf(
  refs: readonly string[],
  judge: (ref: string) => Promise<Told>,
  complain: (error: HarnessError) => void,
): Promise<readonly Told[]> {
  const all: Told[] = [];
  for (const ref of refs) {
    try {
      const told = await judge(ref);
      all.push({ ...told, document: { input: ref, ...told.document } });
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      complain(error);
      const exitCode = exitCodeOf(error.code);
      all.push({ exitCode, document: { input: ref, exitCode, error: error.message } });
    }
  }
  return all;
}

/** How many of each, and the exit code of all of them. */
export function togetherOf(all: readonly Told[]): {
  readonly exitCode: number;
  readonly lines: string;
} {
  const exitCode = worstExit(all.map((told) => told.exitCode));
  const number = (verdict: RunVerdict | undefined): number =>
    all.filter((told) => told.verdict === verdict).length;
  const counts = [
    `${number('fail')} failed`,
    `${number('pass')} passed`,
    `${number('unknown')} unknown`,
    `${number('error')} errors`,
    ...(number(undefined) === 0 ? [] : [`${number(undefined)} not judged`]),
  ];
  const histories = all.length === 1 ? '1 history' : `${all.length} histories`;
  const why = reasonOf(exitCode, number);
  return { exitCode, lines: `\n ${histories}: ${counts.join(', ')}\n exit ${exitCode}: ${why}\n` };
}

function reasonOf(exitCode: number, count: (verdict: RunVerdict | undefined) => number): string {
  if (exitCode === 0) return 'no violation found';
  const found = [
    [count('fail'), counted(count('fail'), 'violation')],
    [count(undefined), `${count(undefined)} could not be judged`],
    [count('error'), counted(count('error'), 'error')],
    [count('unknown'), `${count('unknown')} unknown`],
  ] as const;
  return found.find(([howMany]) => howMany > 0)?.[1] ?? 'it did not pass';
}
