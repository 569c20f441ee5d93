/** The flags of what a member does to stay well: etcd's names, defaults and rules. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { HarnessError } from '../../harness/core/errors.ts';
import type { AutoCompactionConfig } from './server/auto-compaction.ts';
import type { NodeConfig } from './server/config.ts';

/** As commander hands them over. */
export interface UpkeepValues {
  readonly quotaBackendBytes: number;
  readonly autoCompactionMode: AutoCompactionConfig['mode'];
  readonly autoCompactionRetention: string;
  readonly experimentalInitialCorruptCheck: boolean;
  readonly experimentalCorruptCheckTime: number;
}

export type UpkeepConfig = Pick<
  NodeConfig,
  'quotaBytes' | 'autoCompaction' | 'corruptCheckMs' | 'checksCorruptionAtStart'
>;

const GIB = 1_073_741_824;
const QUOTA_DEFAULT = 2 * GIB;
/** What etcd warns of; here all of it is in memory. */
const QUOTA_MAX = 8 * GIB;
const HOUR_MS = 3_600_000;

export function upkeepFlags(command: Command, parseBoolean: (text: string) => boolean): Command {
  return command
    .option(
      '--quota-backend-bytes <n>',
      'from which size on nothing is added; 0: 2 GiB, negative: no limit',
      parseQuota,
      0,
    )
    .addOption(
      new Option('--auto-compaction-mode <mode>', 'what the retention counts')
        .choices(['periodic', 'revision'])
        .default('periodic'),
    )
    .option(
      '--auto-compaction-retention <n>',
      'kept by auto-compaction: hours or a duration (periodic), revisions (revision); 0: it is off',
      '0',
    )
    .option(
      '--experimental-initial-corrupt-check [bool]',
      'compare the data with that of the others before taking part',
      parseBoolean,
      false,
    )
    .option(
      '--experimental-corrupt-check-time <duration>',
      'how often the leader compares what the members hold; 0: never',
      parseTime,
      0,
    );
}

/** Throws `bad-option`. */
export function upkeepConfig(values: UpkeepValues): UpkeepConfig {
  const { quotaBackendBytes, experimentalCorruptCheckTime: corruptCheckMs } = values;
  const autoCompaction = autoCompactionOf(values);
  return {
    ...(quotaBackendBytes >= 0 && { quotaBytes: quotaBackendBytes || QUOTA_DEFAULT }),
    ...(autoCompaction !== undefined && { autoCompaction }),
    ...(corruptCheckMs > 0 && { corruptCheckMs }),
    ...(values.experimentalInitialCorruptCheck && { checksCorruptionAtStart: true }),
  };
}

function autoCompactionOf({
  autoCompactionMode: mode,
  autoCompactionRetention: text,
}: UpkeepValues): AutoCompactionConfig | undefined {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (mode === 'revision') {
    if (count === undefined)
      throw bad(`'${text}' is not a number of revisions, as mode revision needs`);
    return count === 0 ? undefined : { mode, retention: count };
  }
  const retentionMs = count === undefined ? goDurationMs(text) : count * HOUR_MS;
  if (retentionMs === undefined)
    throw bad(`'${text}' is neither a number of hours nor a duration such as 30m`);
  return retentionMs === 0 ? undefined : { mode, retentionMs };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: HOUR_MS,
};
const PART = /(?<count>\d{1,12}(?:\.\d{1,9})?)(?<unit>ns|us|µs|ms|s|m|h)/g;

/** As Go reads them, `1h30m` and a bare `0` too; undefined: it would not. */
export function goDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  if (text === '' || text.replace(PART, '') !== '') return undefined;
  let ms = 0;
  for (const { groups } of text.matchAll(PART))
    ms += Number(groups?.['count']) * (UNIT_MS[groups?.['unit'] ?? ''] ?? 0);
  return ms;
}

function parseTime(text: string): number {
  const ms = goDurationMs(text);
  if (ms === undefined) throw new InvalidArgumentError('Write a duration such as 500ms or 1h30m.');
  return ms;
}

function parseQuota(text: string): number {
  const bytes = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(bytes <= QUOTA_MAX))
    throw new InvalidArgumentError(`Write a number of bytes, at most ${QUOTA_MAX} (8 GiB).`);
  return bytes;
}

function bad(why: string): HarnessError {
  return new HarnessError('bad-option', `--auto-compaction-retention: ${why}`);
}
