/** What became of findings, in words: for the end of a suite, its summary and its page. */
import type {
  Changes,
  Explored,
  FindingChange,
  FindingState,
} from '../../harness/protocols/suite.ts';
import { intervalText } from '../rate.ts';
import { clean, clipped, counted, countText, lengthText } from '../words.ts';

export const STATE_WORDS: Readonly<Record<FindingState, string>> = {
  new: '✗ new',
  ongoing: '✗ ongoing',
  rare: '? rare',
  resolved: '✓ resolved',
};

/** `Findings, beside those of 5 earlier suites`. */
export function changesTitle({ nights }: Changes): string {
  return nights === 0
    ? 'Findings; there is no earlier suite to compare with'
    : `Findings, beside those of ${counted(nights, 'earlier suite')}`;
}

/** `stale-read`, of at most three kinds. */
export function kindsText({ kinds, fingerprint }: FindingChange): string {
  const names = kinds.slice(0, 3).map((kind) => clipped(clean(kind), 40));
  return names.length === 0 ? clipped(clean(fingerprint), 16) : names.join(', ');
}

export function testsText({ tests }: FindingChange): string {
  const [first = ''] = tests;
  const more = tests.length > 1 ? ` and ${tests.length - 1} more` : '';
  return `${clipped(clean(first), 60)}${more}`;
}

/** `3 of 40`. */
export function foundText({ found, of }: FindingChange): string {
  return `${countText(found)} of ${countText(of)}`;
}

/** How sure one can be, in counts. */
export function changeNote(change: FindingChange): string {
  const { state, run, clean: since, needed, last } = change;
  const rate = `its rate was ${intervalText(change)}`;
  switch (state) {
    case 'new':
    case 'ongoing':
      return `${run === undefined ? '' : `run ${clipped(clean(run), 12)}, `}${rate}`;
    case 'rare':
      return (
        `not seen in ${counted(since, 'run')} since ${day(last)}; ` +
        `after ${countText(needed)} it would count as resolved`
      );
    case 'resolved':
      return `not seen in ${counted(since, 'run')} since ${day(last)}, where ${rate}`;
  }
}

/** `2026-11-21`. */
export function day(iso: string): string {
  return clean(iso).slice(0, 10);
}

/** `1 new, 2 ongoing`; the states that occur. */
export function changesTally({ findings }: Changes): string {
  const states: readonly FindingState[] = ['new', 'ongoing', 'rare', 'resolved'];
  const parts = states.flatMap((state) => {
    const count = findings.filter((one) => one.state === state).length;
    return count === 0 ? [] : [`${count} ${state}`];
  });
  return parts.join(', ') || 'none, tonight or before';
}

/** `1 204 runs in 12m 03s, 87 new of 1 310 situations, 2 findings`. */
export function exploredText(explored: Explored): string {
  const { runs, ms, fresh, situations, undecided, findings } = explored;
  return [
    `${counted(runs, 'run')} in ${lengthText(ms)}`,
    `${countText(fresh)} new of ${counted(situations, 'situation')}`,
    ...(undecided > 0 ? [`${counted(undecided, 'run')} undecided`] : []),
    counted(findings, 'finding'),
  ].join(', ');
}
