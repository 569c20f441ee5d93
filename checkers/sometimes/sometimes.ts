import { HarnessError } from '../../harness/core/errors.ts';
import { suggest } from '../../harness/core/suggest.ts';
import { secondsText } from '../../harness/core/units.ts';
import type { History } from '../../harness/history/history.ts';
import type { CheckContext, Checker, CheckResult } from '../../harness/protocols/checker.ts';
import type { SometimesDetails, SometimesRow } from '../../harness/protocols/details.ts';
import { counted } from '../text.ts';
import { faultDuringElection } from './fault-during-election.ts';
import { indefiniteWriteCommitted } from './indefinite-write-committed.ts';
import { leaderChangedUnderLoad } from './leader-changed-under-load.ts';
import { leaseExpired } from './lease-expired.ts';
import { minorityHadWritesInFlight } from './minority-had-writes-in-flight.ts';
import { type Material, materialOf, type Property } from './property.ts';
import { readOverlappedElection } from './read-overlapped-election.ts';
import { restartedNodeAnswered } from './restarted-node-answered.ts';
import { snapshotInstalled } from './snapshot-installed.ts';
import { twoLeadersBelieved } from './two-leaders-believed.ts';

/** All that a run can be asked to reach. */
export const PROPERTIES: readonly Property[] = [
  leaderChangedUnderLoad,
  indefiniteWriteCommitted,
  readOverlappedElection,
  faultDuringElection,
  twoLeadersBelieved,
  minorityHadWritesInFlight,
  restartedNodeAnswered,
  snapshotInstalled,
  leaseExpired,
];

/**
 * Which properties of a good run were reached, how often, and when first. Only those in `asked` count:
 * one that was never reached makes the verdict unknown, since what was meant to be tested was not.
 * It never accuses.
 */
export function sometimes(asked: readonly string[]): Checker {
  return { name: 'sometimes', check: (history, ctx) => resultOf(asked, history, ctx) };
}

/** Throws `bad-option`, beginning with `place`, for a name that is unknown or refused. */
export function requireProperties(names: readonly string[], place: string): void {
  const known = PROPERTIES.filter(({ refused }) => refused === undefined).map(({ name }) => name);
  for (const name of names) {
    const found = PROPERTIES.find((each) => each.name === name);
    if (found?.refused !== undefined)
      throw new HarnessError('bad-option', `${place}: ${name} cannot be asked: ${found.refused}`);
    if (found === undefined)
      throw new HarnessError(
        'bad-option',
        `${place}: there is no property '${name}'${suggest(name, known)}; ` +
          `there are: ${known.join(', ')}`,
      );
  }
}

async function resultOf(
  asked: readonly string[],
  history: History,
  ctx: CheckContext,
): Promise<CheckResult> {
  const material = materialOf(history);
  const rows: SometimesRow[] = [];
  for (const property of PROPERTIES)
    if (property.refused === undefined) rows.push(await rowOf(property, asked, material, ctx));
  const details: SometimesDetails = { rows };
  const unmet = rows.filter((row) => row.asked && row.count === 0);
  const base = {
    checker: 'sometimes',
    anomalies: [],
    covered: coveredText(rows),
    details: details as unknown as CheckResult['details'],
  };
  return unmet.length === 0
    ? { ...base, verdict: 'valid' }
    : { ...base, verdict: 'unknown', reason: unmet.map(sentenceOf).join(' ') };
}

async function rowOf(
  property: Property,
  asked: readonly string[],
  material: Material,
  ctx: CheckContext,
): Promise<SometimesRow> {
  const base = { property: property.name, asked: asked.includes(property.name) };
  const found = await property.find(material, ctx);
  return 'nothing' in found ? { ...base, count: 0, why: found.nothing } : { ...base, ...found };
}

/** What was not reached, and what to change: for people who see only this. */
function sentenceOf({ property, why }: SometimesRow): string {
  if (why !== undefined) return `${property} was asked for, and cannot be told: ${why}.`;
  const { advice = '' } = PROPERTIES.find(({ name }) => name === property) ?? {};
  return `${property} was asked for, and never happened: ${advice}.`;
}

function coveredText(rows: readonly SometimesRow[]): string {
  const reached = rows.filter(({ count }) => count > 0);
  const parts = reached.map(({ property, count, first }) => {
    const when =
      first?.timeNanos === undefined ? '' : ` (first at ${secondsText(first.timeNanos)} s)`;
    return `${property} ${counted(count, 'time')}${when}`;
  });
  const head = `${reached.length} of ${rows.length} reached`;
  return parts.length === 0 ? head : `${head}: ${parts.join(', ')}`;
}
