import {
  parseThreshold,
  parseThresholdFlag,
  parseThresholds,
} from '../../checkers/thresholds/parse.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';

type Thresholds = NonNullable<RunConfig['thresholds']>;

/**
 * What the config asks of each metric, but for those that `--threshold` names: of them only that.
 * `faults`: the kinds there are. Undefined where nothing is asked. Throws `bad-option`.
 */
export function thresholdsOf(
  config: Thresholds = {},
  texts: readonly string[] = [],
  faults: readonly string[],
): Thresholds | undefined {
  parseThresholds(config, { place: 'thresholds', faults });
  const given = new Map<string, readonly string[]>();
  for (const text of texts) {
    const [metric, expressions] = parseThresholdFlag(text, { faults });
    given.set(metric, [...(given.get(metric) ?? []), ...expressions]);
  }
  const kept = Object.entries(config).filter(
    ([metric, [any]]) => any === undefined || !given.has(parseThreshold(metric, any).metric),
  );
  const all = [...kept, ...given].filter(([, expressions]) => expressions.length > 0);
  return all.length === 0 ? undefined : Object.fromEntries(all);
}
