/**
 * What a run must hold to, in the words of k6: a metric, with tags that say which part of it, and
 * expressions that must hold of it. `availability{window:none}` and `rate>0.999`.
 */
import { HarnessError } from '../../harness/core/errors.ts';
import { suggest } from '../../harness/core/suggest.ts';
import { parseDurationMs } from '../../harness/core/units.ts';

export type MetricName =
  | 'availability'
  | 'ops_failed'
  | 'ops_unknown'
  | 'throughput'
  | 'latency_ms'
  | 'longest_gap_ms'
  | 'recovery_ms'
  | 'staleness_ms'
  | 'faults_effective';
export type TagName = 'window' | 'kind' | 'mode' | 'fault';

/** `p`: the nearest-rank percentile. */
export type Aggregate =
  | 'rate'
  | 'count'
  | 'value'
  | 'min'
  | 'max'
  | 'avg'
  | 'med'
  | { readonly p: number };

export type Comparison = '<' | '<=' | '>' | '>=' | '==' | '!=';

export interface Threshold {
  /** As it is shown: the name with its tags, without spaces. */
  readonly metric: string;
  readonly name: MetricName;
  readonly tags: Readonly<Partial<Record<TagName, string>>>;
  /** As it is shown, without spaces. */
  readonly expression: string;
  readonly aggregate: Aggregate;
  readonly comparison: Comparison;
  readonly limit: number;
}

type Simple = Exclude<Aggregate, object>;
/** What may be asked of a metric, and the tags it takes. */
interface Metric {
  readonly aggregates: readonly (Simple | 'p(N)')[];
  readonly tags: readonly TagName[];
  /** Its `rate` lies between 0 and 1. */
  readonly isShare?: boolean;
}

const TREND = ['p(N)', 'max', 'avg', 'min', 'med'] as const;
const OF_OPERATIONS = ['window', 'kind', 'mode'] as const;

export const METRICS: Readonly<Record<MetricName, Metric>> = {
  availability: { aggregates: ['rate'], tags: OF_OPERATIONS, isShare: true },
  ops_failed: { aggregates: ['rate', 'count'], tags: OF_OPERATIONS, isShare: true },
  ops_unknown: { aggregates: ['rate', 'count'], tags: OF_OPERATIONS, isShare: true },
  throughput: { aggregates: ['rate'], tags: OF_OPERATIONS },
  latency_ms: { aggregates: TREND, tags: OF_OPERATIONS },
  longest_gap_ms: { aggregates: ['value'], tags: OF_OPERATIONS },
  recovery_ms: { aggregates: TREND, tags: ['fault'] },
  staleness_ms: { aggregates: TREND, tags: ['window', 'mode'] },
  faults_effective: { aggregates: ['count', 'rate'], tags: ['fault'], isShare: true },
};

/** Windows of the main phase, beside the kinds of fault; `recover`: after all faults were healed. */
const WINDOWS: readonly string[] = ['none', 'fault', 'recover'];
const MODES: readonly string[] = ['linearizable', 'serializable'];

const TEXT_MAX = 200;
const FLAG_MAX = 2000;

/** Names that people bring from elsewhere. */
const ALIASES: Readonly<Record<string, string>> = { median: 'med', mean: 'avg', average: 'avg' };

export interface ParseOptions {
  /** Where it stands, for messages: `schism.config.ts: thresholds`. */
  readonly place?: string;
  /** The kinds of fault there are; absent: any word is taken for one. */
  readonly faults?: readonly string[];
}

/** Throws `bad-option`, saying where, what there is, and what may have been meant. */
export function parseThreshold(
  metric: string,
  expression: string,
  options: ParseOptions = {},
): Threshold {
  const { place = 'thresholds' } = options;
  for (const text of [metric, expression])
    if (typeof text !== 'string' || text.length > TEXT_MAX)
      bad(`${place}: a metric or an expression is no text of at most ${TEXT_MAX} letters`);
  const { name, tags } = metricOf(metric, place, options.faults);
  const shown = metricText(name, tags);
  const found = expressionOf(expression, name, `${place}: ${shown}`);
  return { metric: shown, name, tags, ...found };
}

/** All of a configuration, in its order. Throws as `parseThreshold` does. */
export function parseThresholds(
  spec: Readonly<Record<string, readonly string[]>>,
  options: ParseOptions = {},
): readonly Threshold[] {
  return Object.entries(spec).flatMap(([metric, expressions]) => {
    // It may come from a stored run, and so from anywhere.
    if (!Array.isArray(expressions))
      bad(
        `${options.place ?? 'thresholds'}: ${metric.slice(0, TEXT_MAX)} has no list of expressions`,
      );
    return expressions.map((expression) => parseThreshold(metric, expression, options));
  });
}

/**
 * `--threshold 'latency_ms{kind:read}: p(99)<250'`: the metric and its expression. Several
 * expressions are separated by commas. Throws `bad-option`.
 */
export function parseThresholdFlag(
  text: string,
  options: ParseOptions = {},
): readonly [metric: string, expressions: readonly string[]] {
  const { place = '--threshold' } = options;
  if (text.length > FLAG_MAX) bad(`${place}: it is longer than ${FLAG_MAX} letters`);
  const [, metric, rest] = /^\s*([^:{]*(?:\{[^}]*\})?)\s*:\s*(.+)$/s.exec(text) ?? [];
  if (metric === undefined || rest === undefined)
    bad(`${place}: '${text}' is not a metric and an expression; write 'availability: rate>0.99'`);
  const expressions = rest.split(',').map((expression) => expression.trim());
  const all = expressions.map((each) => parseThreshold(metric, each, { ...options, place }));
  return [all[0]?.metric ?? metric, all.map(({ expression }) => expression)];
}

function bad(message: string): never {
  throw new HarnessError('bad-option', message);
}

interface ParsedMetric {
  readonly name: MetricName;
  readonly tags: Threshold['tags'];
}

function metricOf(text: string, place: string, faults?: readonly string[]): ParsedMetric {
  const [, word, inside] = /^\s*([\w-]+)\s*(?:\{([^{}]*)\})?\s*$/.exec(text) ?? [];
  if (word === undefined)
    bad(`${place}: '${text}' is not a metric; write one such as availability{window:none}`);
  const names = Object.keys(METRICS);
  const name = names.find((each): each is MetricName => each === word);
  if (name === undefined)
    bad(`${place}: no metric '${word}'${suggest(word, names)}; there are: ${names.join(', ')}`);
  const tags: Partial<Record<TagName, string>> = {};
  const pairs = (inside ?? '').split(',').filter((pair) => pair.trim() !== '');
  for (const pair of pairs) {
    const [tag, value] = tagOf(pair, name, place, faults);
    if (tags[tag] !== undefined) bad(`${place}: ${text} says ${tag} twice`);
    tags[tag] = value;
  }
  return { name, tags };
}

function tagOf(
  pair: string,
  name: MetricName,
  place: string,
  faults: readonly string[] | undefined,
): readonly [TagName, string] {
  const [, word = '', value = ''] = /^\s*([\w-]+)\s*:\s*([\w.-]+)\s*$/.exec(pair) ?? [];
  if (word === '') bad(`${place}: '${pair.trim()}' is not a tag; write {window:none}`);
  const known = METRICS[name].tags;
  const tag = known.find((each) => each === word);
  if (tag === undefined)
    bad(
      `${place}: ${name} has no tag '${word}'${suggest(word, known)}; it has: ${known.join(', ')}`,
    );
  const values = valuesOf(tag, faults);
  if (values !== undefined && !values.includes(value))
    bad(
      `${place}: ${name}: no ${tag} '${value}'${suggest(value, values)}; ` +
        `there are: ${values.join(', ')}`,
    );
  return [tag, value];
}

/** Undefined: any word. */
function valuesOf(
  tag: TagName,
  faults: readonly string[] | undefined,
): readonly string[] | undefined {
  if (tag === 'mode') return MODES;
  if (tag === 'kind' || faults === undefined) return undefined;
  return tag === 'window' ? [...WINDOWS, ...faults] : faults;
}

/** `latency_ms{window:none,kind:read}`, tags always in one order. */
function metricText(name: MetricName, tags: Threshold['tags']): string {
  const pairs = METRICS[name].tags.flatMap((tag) =>
    tags[tag] === undefined ? [] : [`${tag}:${tags[tag]}`],
  );
  return pairs.length === 0 ? name : `${name}{${pairs.join()}}`;
}

type ParsedExpression = Pick<Threshold, 'expression' | 'aggregate' | 'comparison' | 'limit'>;

function expressionOf(text: string, name: MetricName, place: string): ParsedExpression {
  const match = /^\s*([a-z]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*([<>=!]+)\s*(\S(?:.*\S)?)\s*$/s.exec(
    text,
  );
  const [first] = METRICS[name].aggregates;
  const example = first === 'p(N)' ? 'p(95)<500' : `${first}>0.5`;
  if (match === null) bad(`${place}: '${text}' is not an expression; write one such as ${example}`);
  const [, word = '', argument, sign = '', figure = ''] = match;
  const aggregate = aggregateOf(word, argument, name, place);
  const comparison = comparisonOf(sign, `${place}: '${text}'`);
  const limit = limitOf(figure, name, aggregate, `${place}: '${text}'`);
  return {
    expression: `${aggregateText(aggregate)}${comparison}${figure.replaceAll(/\s+/g, '')}`,
    aggregate,
    comparison,
    limit,
  };
}

function aggregateOf(
  word: string,
  argument: string | undefined,
  name: MetricName,
  place: string,
): Aggregate {
  const { aggregates } = METRICS[name];
  const has = `${name} has: ${aggregates.join(', ')}`;
  if (word === 'p') {
    if (!aggregates.includes('p(N)')) bad(`${place}: ${name} has no percentiles; ${has}`);
    const p = /^\d{1,3}(\.\d+)?$/.test(argument ?? '') ? Number(argument) : Number.NaN;
    if (!(p >= 0 && p <= 100))
      bad(`${place}: p(${argument ?? ''}) is no percentile; write p(95), from 0 to 100`);
    return { p };
  }
  const found = aggregates.find(
    (each): each is Simple => each !== 'p(N)' && each === (ALIASES[word] ?? word),
  );
  if (found === undefined || argument !== undefined)
    bad(`${place}: no '${word}' of it${suggest(word, aggregates)}; ${has}`);
  return found;
}

const SIGNS: Readonly<Record<string, Comparison>> = {
  '<': '<',
  '<=': '<=',
  '=<': '<=',
  '>': '>',
  '>=': '>=',
  '=>': '>=',
  '==': '==',
  '===': '==',
  '=': '==',
  '!=': '!=',
  '!==': '!=',
};

function comparisonOf(sign: string, place: string): Comparison {
  return SIGNS[sign] ?? bad(`${place}: '${sign}' compares nothing; write <, <=, >, >=, == or !=`);
}

function limitOf(text: string, name: MetricName, aggregate: Aggregate, place: string): number {
  const isMs = name.endsWith('_ms');
  const isNumber = /^\d+(\.\d+)?$/.test(text);
  if (!isNumber && !isMs) bad(`${place}: '${text}' is not a number`);
  const limit = isNumber ? Number(text) : parseDurationMs(text, place);
  const { isShare } = METRICS[name];
  if (isShare === true && aggregate === 'rate' && limit > 1)
    bad(`${place}: a share is from 0 to 1; for 99.9 % write 0.999`);
  return limit;
}

export function aggregateText(aggregate: Aggregate): string {
  return typeof aggregate === 'string' ? aggregate : `p(${aggregate.p})`;
}

export function holds(
  value: number,
  { comparison, limit }: Pick<Threshold, 'comparison' | 'limit'>,
): boolean {
  switch (comparison) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '==':
      return value === limit;
    case '!=':
      return value !== limit;
  }
}
