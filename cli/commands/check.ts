import { join } from 'node:path';
import { Command } from 'commander';
import { functionsOf, guessModel, requireKnown } from '../../checkers/check-history.ts';
import type { Model } from '../../checkers/models/model.ts';
import { realClock } from '../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { parseDurationMs } from '../../harness/core/units.ts';
import { FORMATS, type Format } from '../../harness/history/formats/format.ts';
import { KV_INIT } from '../../harness/history/formats/porcupine-kv.ts';
import type { History } from '../../harness/history/history.ts';
import { OF_STORE } from '../../harness/history/of-store.ts';
import type { Phase } from '../../harness/history/op.ts';
import type { PhaseSpan, RunManifest, RunResult } from '../../harness/protocols/run.ts';
import type { Workload } from '../../harness/protocols/workload.ts';
import { countOutcomes } from '../../harness/runner/counts.ts';
import { judgeRun } from '../../harness/runner/verdict.ts';
import { readRecord } from '../../harness/store/store.ts';
import { renderText } from '../../reports/text.ts';
import { eachOf, type Told, togetherOf } from '../check-several.ts';
import { CRITERION_NAMES, type CriterionName, findCriterion } from '../criteria.ts';
import { githubReporter } from '../github.ts';
import { judge, judgedBy, type ModelChoice } from '../judge.ts';
import { type Loaded, loadHistory, spooled } from '../load-history.ts';
import { findModel, MODEL_NAMES, modelsWith } from '../models.ts';
import { loadModules, modulesFor } from '../modules.ts';
import { bytesOf, promisesOf } from '../options.ts';
import type { Shell } from '../program.ts';
import { findWorkload } from '../registry.ts';
import { styleFor } from '../reporting.ts';
import { commandText } from '../shrink/words.ts';
import { completed, findSubject, type Subject, type SubjectFlags } from '../subject.ts';

interface Flags extends SubjectFlags {
  readonly config?: string;
  readonly model?: string;
  readonly init?: string;
  readonly criterion?: string;
  readonly promise: readonly string[];
  readonly checkTimeout?: string;
  readonly checkMemory?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

/** `schism check`: judge what was recorded; a pure function of the history and its configuration. */
export function checkCommand(shell: Shell, finish: (code: number) => void): Command {
  return new Command('check')
    .alias('analyze')
    .description('judge a history: of a run, or from a file of any known format')
    .argument(
      '[runs...]',
      'latest (default), latest-failed, -1, the beginning of an id, a folder, a file, an archive, or ' +
        '- for standard input; several are judged one after another',
    )
    .option('--workload <name>', 'for a bare history.jsonl: what was asked (default: register)')
    .option(
      '-c, --config <file>',
      'with workloads and tests of your own (default: that of the working folder, if the run has some)',
    )
    .option('--format <name>', `of a file: ${FORMATS.join(', ')} (default: by its content)`)
    .option('--model <name>', `judge by this model alone: ${MODEL_NAMES.join(', ')}`)
    .option(
      '--criterion <name>',
      `what its order must keep: ${CRITERION_NAMES.join(', ')} (default: linearizable)`,
    )
    .option('--init <json>', 'what each object holds at the start (default: as the model says)')
    .option(
      '--nil-reads <absent|any>',
      'of edn: whether a read of nil says anything (default: absent)',
    )
    .option('--keyed', 'of edn: values are [key value] (default: if they look like it)')
    .option('--no-keyed', 'of edn: values are what they are')
    .option(
      '--promise <mode=model>',
      'judge a read mode by another promise',
      (value: string, before: readonly string[]) => [...before, value],
      [],
    )
    .option('--check-timeout <time>', 'for each checker')
    .option('--check-memory <size>', 'for the checkers')
    .option('-o, --output <dir>', 'where runs are kept', '.schism')
    .option('--json', 'one JSON document on stdout')
    .option('--no-color', 'no colours')
    .action(async (refs: readonly string[], flags: Flags) => {
      finish(await execute(shell, refs, flags));
    });
}

async function isIncomplete(dir: string): Promise<boolean> {
  return (await readRecord(join(dir, 'verdict.json')))['incomplete'] === true;
}

/** By what a history is judged where it is not by the checkers of a workload. */
export interface Chosen {
  readonly model: ModelChoice;
  /** How the input was understood: in one line, and as data. */
  readonly said: string;
  readonly input: {
    readonly format: Format;
    readonly guessed: boolean;
    readonly model: string;
    readonly criterion: CriterionName;
    readonly notes: readonly string[];
  };
}

async function execute(shell: Shell, refs: readonly string[], flags: Flags): Promise<number> {
  const [ref = 'latest', ...others] = refs;
  const say = flags.json === true ? shell.err : shell.out;
  if (others.length === 0) {
    const { exitCode, document } = await judgedAt(shell, ref, flags);
    if (flags.json === true) shell.out(`${JSON.stringify(document)}\n`);
    return exitCode;
  }
  const all = await eachOf(
    refs,
    (each) => judgedAt(shell, each, flags),
    ({ message, details }) => {
      shell.err(`schism: ${message}\n${details === undefined ? '' : `${details}\n`}`);
    },
  );
  const { exitCode, lines } = togetherOf(all);
  if (flags.json === true) {
    const histories = all.map(({ document }) => document);
    shell.out(`${JSON.stringify({ schism: 1, exitCode, histories })}\n`);
  }
  say(lines);
  return exitCode;
}

async function judgedAt(shell: Shell, ref: string, flags: Flags): Promise<Told> {
  if (ref !== '-') return judged(shell, ref, ref, flags);
  await using input = await spooled(shell.stdin());
  return await judged(shell, 'stdin', input.path, flags);
}

/** `path` is where `ref` can be read, if it is a file. */
async function judged(shell: Shell, ref: string, path: string, flags: Flags): Promise<Told> {
  const clock = realClock();
  const started = clock.wallMs();
  const { workload = 'register' } = flags;
  const alone = { workload: workload.replaceAll(',', '+'), system: 'memory', faults: [] };
  const { catalogue } = await loadModules(await modulesFor(flags.config, alone));
  await using found = await findSubject(ref, path, flags, catalogue);
  const loaded = await loadHistory(found.historyPath, found.format);
  const { history, torn } = loaded;
  const phases = phasesOf(history);
  if (found.runPath !== undefined && !phases.some(({ phase }) => phase === 'final'))
    shell.err('schism: this run did not come to its end: nothing was read back after the faults\n');
  if (found.runPath !== undefined && (await isIncomplete(found.runPath)))
    shell.err('schism: the disk did not take all of this run: only its beginning is judged\n');
  if (torn) shell.err('schism: the last line was cut off in mid-write, and left out\n');
  const chosen = chooseJudge(ref, found, loaded, flags);
  const { config: stored } = found.manifest;
  const modules = await modulesFor(flags.config, stored);
  const code = await loadModules(modules, stored.test);
  const manifest = withFlags(
    completed(commanded(found, shell), history),
    flags,
    findWorkload(stored.workload, code.catalogue),
  );
  const { config } = manifest;
  const checks = await judge(
    {
      historyPath: found.historyPath,
      ...(found.format !== undefined && { format: found.format }),
      ...(chosen !== undefined && { model: chosen.model }),
      ...judgedBy(config, modules),
      context: {
        nodes: config.nodes,
        timing: manifest.timing ?? { heartbeatMs: 100, electionMs: 1000 },
        promises: config.promises,
        faults: config.faults,
        requireFaults: config.requireFaults,
        logs: found.logs,
        limits: config.checkLimits,
      },
    },
    clock,
  );
  const result: RunResult = {
    manifest: chosen === undefined ? manifest : ofModel(manifest, chosen.model),
    ...judgeRun(config, checks, []),
    checks,
    problems: [],
    phases,
    counts: countOutcomes(history),
    wallMs: clock.wallMs() - started,
  };
  const input = chosen === undefined ? {} : { input: chosen.input };
  const say = flags.json === true ? shell.err : shell.out;
  if (chosen !== undefined) say(` ${chosen.said}\n`);
  say(
    renderText(result, history, {
      columns: shell.columns,
      style: styleFor(shell, flags.color && flags.json !== true),
      ...(found.runPath !== undefined && { runPath: found.runPath }),
      ...otherwise(found, ref, flags),
    }),
  );
  await reportToGithub(shell, result, history, flags.json === true);
  return {
    exitCode: result.exitCode,
    verdict: result.verdict,
    document: { ...result, ...input },
  };
}

/** A summary that cannot be written is worth a line, and never the verdict. */
async function reportToGithub(
  shell: Shell,
  result: RunResult,
  history: History,
  json: boolean,
): Promise<void> {
  const github = githubReporter(shell, { json });
  github?.annotate(result);
  try {
    await github?.write(result, history);
  } catch (error) {
    shell.err(`schism: no job summary: ${messageOf(error)}\n`);
  }
}

/** The model that was asked for, or that a foreign history needs; undefined: the workload judges. */
export function chooseJudge(
  ref: string,
  found: Subject,
  loaded: Loaded,
  flags: Pick<Flags, 'model' | 'init' | 'criterion' | 'format'>,
): Chosen | undefined {
  const format = found.format?.format ?? 'jsonl';
  const criterion = flags.criterion === undefined ? undefined : findCriterion(flags.criterion);
  if (flags.model === undefined && criterion === undefined && format === 'jsonl') {
    if (flags.init !== undefined)
      throw new HarnessError('bad-option', '--init: say also which --model begins with it');
    return undefined;
  }
  const functions = functionsOf(loaded.history);
  const ofNodes = format === 'jsonl' ? functions.filter((f) => OF_STORE.has(f)) : [];
  const ofObjects = functions.filter((f) => !ofNodes.includes(f));
  const model = flags.model === undefined ? guessed(ofObjects, ref) : findModel(flags.model);
  requireKnown(model, loaded.history, ref, ofNodes);
  const begin = flags.init === undefined ? undefined : jsonOf(flags.init);
  const init = begin === undefined && format === 'porcupine-kv' ? KV_INIT : begin;
  const name = flags.model ?? model.name;
  const beginning = init === undefined ? '' : ` that begins with ${JSON.stringify(init)}`;
  const notes = [...loaded.notes, ...ofNodes.map((f) => `${f} says nothing of objects, left out`)];
  const asked = criterion === undefined ? '' : ` ${criterion.question}`;
  const isGuess = found.runPath === undefined && flags.format === undefined;
  const read = `${ref}: read as ${format}${isGuess ? ' (by its content)' : ''}`;
  return {
    model: {
      name,
      ...(init !== undefined && { init }),
      ...(criterion !== undefined && { criterion: criterion.name }),
    },
    said: [read, `judged as ${name}${beginning}${asked}`, ...notes].join('; '),
    input: {
      format,
      guessed: isGuess,
      model: name,
      criterion: criterion?.name ?? 'linearizable',
      notes,
    },
  };
}

/** A register, or a word about which models there are for what the history has. */
function guessed(functions: readonly string[], ref: string): Model {
  try {
    return guessModel(functions, ref);
  } catch (error) {
    const names = modelsWith(functions);
    if (names.length === 0 || !(error instanceof HarnessError)) throw error;
    throw new HarnessError(error.code, `${error.message}: --model ${names.join(', ')}`);
  }
}

/** JSON, or a text that is none. */
function jsonOf(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}

/** A history that came alone is judged again by the same words. */
function commanded({ manifest, runPath }: Subject, { argv }: Shell): RunManifest {
  return runPath === undefined ? { ...manifest, argv } : manifest;
}

/** A stored run is judged by other words than its own only if they are said again. */
function otherwise(
  { manifest, runPath }: Subject,
  ref: string,
  { promise, model, criterion, init, config, output }: Flags,
): { readonly judgedBy?: string } {
  const chosen = [
    ...promise.flatMap((one) => ['--promise', one]),
    ...Object.entries({ model, criterion, init }).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, value],
    ),
  ];
  if (runPath === undefined || ref === '-' || chosen.length === 0) return {};
  const named = /^(-\d+|latest|latest-failed)$/.test(ref) ? manifest.run : ref;
  const where = [
    ...(config === undefined ? [] : ['--config', config]),
    ...(output === '.schism' ? [] : ['-o', output]),
  ];
  return { judgedBy: commandText(['check', named, ...chosen, ...where]) };
}

/** The report names what judged, instead of a workload that nobody ran. */
function ofModel(manifest: RunManifest, { name }: ModelChoice): RunManifest {
  if (manifest.startedAt !== '') return manifest;
  return { ...manifest, config: { ...manifest.config, system: 'history', workload: name } };
}

function withFlags(manifest: RunManifest, flags: Flags, workload: Workload): RunManifest {
  const { config } = manifest;
  const { timeoutMs, memoryBytes } = config.checkLimits;
  return {
    ...manifest,
    config: {
      ...config,
      promises: promisesOf(flags.promise, config, workload),
      checkLimits: {
        timeoutMs:
          flags.checkTimeout === undefined
            ? timeoutMs
            : parseDurationMs(flags.checkTimeout, '--check-timeout'),
        memoryBytes: flags.checkMemory === undefined ? memoryBytes : bytesOf(flags.checkMemory),
      },
    },
  };
}

function phasesOf(history: History): PhaseSpan[] {
  const spans = new Map<Phase, { startNanos: number; endNanos: number }>();
  for (const { phase, time } of history.ops()) {
    const span = spans.get(phase);
    if (span === undefined) spans.set(phase, { startNanos: time, endNanos: time });
    else span.endNanos = time;
  }
  return [...spans].map(([phase, span]) => ({ phase, ...span }));
}
