/**
 * Judges a history from anywhere, in one call. Nothing here or below needs Node.js, so that it runs
 * in a browser as well.
 */
import type { Clock } from '../harness/core/clock.ts';
import { HarnessError } from '../harness/core/errors.ts';
import type { JsonValue } from '../harness/core/json.ts';
import { NANOS_PER_MS, nanos } from '../harness/core/units.ts';
import type { Format, ReadOptions } from '../harness/history/formats/format.ts';
import { guessFormat, importHistory } from '../harness/history/formats/import.ts';
import { KV_INIT } from '../harness/history/formats/porcupine-kv.ts';
import type { History } from '../harness/history/history.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import { historyRounds } from './linearizable/judge.ts';
import type { JudgeOptions } from './linearizable/judgement.ts';
import { resultOf } from './linearizable/result.ts';
import { runHere } from './linearizable/rounds.ts';
import { appendRegister } from './models/append-register.ts';
import type { Model } from './models/model.ts';
import { register } from './models/register.ts';
import { checkOrder } from './sequential/check-order.ts';
import { checkPrefixConsistent } from './sequential/check-prefix.ts';
import { SEQUENTIAL } from './sequential/criteria.ts';
import { shown } from './text.ts';

export interface HistoryCheckOptions extends ReadOptions {
  /** Of a text; default: guessed from its beginning. */
  readonly format?: Format;
  /** Default: a register, with `append` if the history asks for it. */
  readonly model?: Model;
  /** Default: `linearizable`, of each key. The others judge the whole store. */
  readonly criterion?: 'linearizable' | 'sequential' | 'prefix';
  /** What every object holds at the start; default: the model's, or '' for `porcupine-kv`. */
  readonly init?: JsonValue;
  /** Needed for a time limit, as nothing here looks at the time by itself. */
  readonly clock?: Pick<Clock, 'now'>;
  /** Default: 60 s, if there is a clock. What is undecided by then is `unknown`. */
  readonly timeoutMs?: number;
  /** Of what the search remembers; default: 1 GiB. */
  readonly memoryBytes?: number;
}

export interface HistoryCheck extends CheckResult {
  /** The name of the model. */
  readonly model: string;
  /** Absent where the history was not a text. */
  readonly format?: Format;
  /** What was left out or decided while reading it. */
  readonly notes: readonly string[];
}

const MODES = ['linearizable', 'serializable'] as const;

/**
 * Is this history linearizable, or what weaker criterion was asked for? It is one of ours, or a text
 * in one of the known formats. Throws `bad-input`, with line and column, for a text that cannot be
 * read, and for operations that the model does not know.
 */
export function checkHistory(
  input: History | string,
  options: HistoryCheckOptions = {},
): HistoryCheck {
  const { clock, timeoutMs = 60_000, memoryBytes = 2 ** 30 } = options;
  const name = options.name ?? 'input';
  const format =
    typeof input === 'string' ? (options.format ?? guessFormat(input, name)) : undefined;
  const { history, notes } =
    typeof input === 'string'
      ? importHistory(input, format as Format, options)
      : { history: input, notes: [] };
  const functions = functionsOf(history);
  const chosen = options.model ?? guessModel(functions, name);
  requireFunctions(chosen, functions, history, name);
  const model = startingAt(
    chosen,
    options.init ?? (format === 'porcupine-kv' ? KV_INIT : undefined),
  );
  const limits = { timeoutMs, memoryBytes };
  const around = {
    model: model.name,
    ...(format !== undefined && { format }),
    notes,
  };
  const time = clock ?? { now: () => nanos(0) };
  if (options.criterion === 'sequential')
    return {
      ...checkOrder(history, { model, modes: MODES, criterion: SEQUENTIAL, clock: time, limits }),
      ...around,
    };
  if (options.criterion === 'prefix')
    return { ...checkPrefixConsistent(history, limits, { model, clock: time }), ...around };
  const deadline = clock === undefined ? Infinity : clock.now() + timeoutMs * NANOS_PER_MS;
  const budget: JudgeOptions = {
    model,
    clock: time,
    deadline: nanos(deadline),
    memoryBytes,
  };
  const judged = runHere(historyRounds(history, ['linearizable'], budget), budget);
  return { ...resultOf(history, judged, limits), ...around };
}

/** What the clients of a history asked for, in order of first use. */
export function functionsOf({ codes, length }: History): readonly string[] {
  return codes.functionCodes(length).map((f) => codes.nameText(f));
}

/**
 * The register that knows these functions. Throws `bad-input` where it takes another model: several
 * share their words, so that a guess could accuse wrongly.
 */
export function guessModel(functions: readonly string[], name: string): Model {
  const knows = (model: Model): boolean => functions.every((f) => model.functions.includes(f));
  const found = [register, appendRegister].find(knows);
  if (found !== undefined) return found;
  throw new HarnessError(
    'bad-input',
    `${name}: its operations are ${functions.join(', ')}, which are not those of a register; ` +
      'say which model to judge them by',
  );
}

/**
 * Throws `bad-input` for operations that the model would pass over or mistake in silence; over those
 * of `others` it may.
 */
export function requireKnown(
  model: Model,
  history: History,
  name: string,
  others: readonly string[] = [],
): void {
  requireFunctions(model, functionsOf(history), history, name, others);
}

function requireFunctions(
  model: Model,
  functions: readonly string[],
  history: History,
  name: string,
  others: readonly string[] = [],
): void {
  const unknown = functions.filter((f) => !model.functions.includes(f) && !others.includes(f));
  if (unknown.length === 0) {
    if (model.functions.includes('txn')) requireTransactions(model, history, name);
    return;
  }
  throw new HarnessError(
    'bad-input',
    `${name}: it has ${unknown.join(', ')}, which the model ${model.name} does not know ` +
      `(it knows ${model.functions.join(', ')}); judge it by another model, or leave them out`,
  );
}

/** Transactions in another form would be mistaken for ones that did something else. */
function requireTransactions(model: Model, history: History, name: string): void {
  const isMicro = (micro: JsonValue): boolean =>
    Array.isArray(micro) && ['r', 'w', 'read', 'write'].includes(String(micro[0]));
  const isList = (value: JsonValue): boolean => Array.isArray(value) && value.every(isMicro);
  const isKv = model.name === 'kv';
  const form = isKv
    ? '{"compare", "success", "failure"}'
    : 'a list of ["r", key, null] and ["w", key, value]';
  for (const { invoke } of history.operations()) {
    const { f, value } = invoke;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (f !== 'txn' || (isKv ? isObject : isList(value))) continue;
    throw new HarnessError(
      'bad-input',
      `${name}: a transaction is ${shown(value)}; the model ${model.name} knows only ${form}; ` +
        'judge it by another model',
    );
  }
}

/** The model with another first state. */
export function startingAt(model: Model, init: JsonValue | undefined): Model {
  return init === undefined || JSON.stringify(init) === JSON.stringify(model.init)
    ? model
    : { ...model, init };
}
