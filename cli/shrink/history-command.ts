/** `schism shrink --history`: reads, shrinks, writes, and has the result judged before it says so. */
import { mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { realClock } from '../../harness/core/clock.ts';
import { EXIT, HarnessError } from '../../harness/core/errors.ts';
import { unreachable } from '../../harness/core/invariant.ts';
import { parseDurationMs } from '../../harness/core/units.ts';
import { printJsonl } from '../../harness/history/formats/jsonl.ts';
import { printOps } from '../../harness/history/formats/ops.ts';
import type { History } from '../../harness/history/history.ts';
import type { RunConfig, RunResult } from '../../harness/protocols/run.ts';
import { writeWhole } from '../../harness/store/store.ts';
import { exportEdn } from '../../reports/export/edn.ts';
import { judgeable } from '../../reports/export/select.ts';
import { readRun } from '../../reports/reading.ts';
import { violationLines } from '../../reports/text/violation.ts';
import { checkCommand, chooseJudge } from '../commands/check.ts';
import type { ShrinkFlags } from '../commands/shrink.ts';
import { judgedBy, type ModelChoice } from '../judge.ts';
import { loadHistory, spooled } from '../load-history.ts';
import { loadModules, modulesFor } from '../modules.ts';
import type { Shell } from '../program.ts';
import { styleFor } from '../reporting.ts';
import { completed, findSubject, type Subject } from '../subject.ts';
import { type Shrunk, shrinkOffline } from './offline.ts';
import { countsOf, historyLines, type Small } from './text.ts';
import { commandText } from './words.ts';

const FORMS = ['jsonl', 'edn', 'ops'] as const;
type Form = (typeof FORMS)[number];

const BUDGET = '1m';

export async function shrinkStoredHistory(
  shell: Shell,
  ref: string,
  flags: ShrinkFlags,
): Promise<number> {
  const form = formOf(flags.to);
  const timeoutMs = parseDurationMs(flags.budget ?? BUDGET, '--budget');
  await using input = ref === '-' ? await spooled(shell.stdin()) : undefined;
  const name = input === undefined ? ref : 'stdin';
  const { workload = 'register' } = flags;
  const alone = { workload: workload.replaceAll(',', '+'), system: 'memory', faults: [] };
  const { catalogue } = await loadModules(await modulesFor(flags.config, alone));
  await using found = await findSubject(name, input?.path ?? ref, flags, catalogue);
  const clock = realClock();
  const started = clock.wallMs();
  const loaded = await loadHistory(found.historyPath, found.format);
  const chosen = chooseJudge(name, found, loaded, flags);
  const { config, timing } = completed(found.manifest, loaded.history);
  const modules = await modulesFor(flags.config, config);
  const shrunk = await shrinkOffline({
    history: loaded.history,
    ref: name,
    timeoutMs,
    task: {
      historyPath: found.historyPath,
      ...(found.format !== undefined && { format: found.format }),
      ...(chosen !== undefined && { model: chosen.model }),
      ...judgedBy(config, modules),
      context: {
        nodes: config.nodes,
        timing: timing ?? { heartbeatMs: 100, electionMs: 1000 },
        promises: config.promises,
        faults: config.faults,
        requireFaults: config.requireFaults,
        logs: [],
        limits: config.checkLimits,
      },
    },
  });
  const file = flags.out ?? join(flags.output, 'repro', `${nameOf(found, name)}.history.${form}`);
  await written(file, textOf(shrunk.small.history, form));
  const words = ['check', file, ...judgeWords(config, form, chosen?.model), ...configWords(flags)];
  const { result, holds } = await judgedAgain(shell, words, shrunk);
  if (!holds) {
    if (form !== 'jsonl') await rm(file, { force: true });
    throw notTheSame(form, file, shrunk);
  }
  const small: Small = {
    ...countsOf(loaded.history, shrunk),
    ref: found.runPath === undefined ? name : found.manifest.run,
    file,
    command: commandText(words),
    wallMs: clock.wallMs() - started,
  };
  if (flags.json === true) shell.out(`${JSON.stringify(documentOf(small, shrunk))}\n`);
  const style = styleFor(shell, flags.color && flags.json !== true);
  const columns = Math.min(100, Math.max(60, shell.columns));
  const { history } = shrunk.small;
  const page = { result, history, reading: readRun(result, history), style, columns };
  const checks = result.checks.filter(({ checker }) => checker === shrunk.checker);
  const ours = checks.map((check) => ({ ...check, anomalies: [shrunk.small.anomaly] }));
  const picture = ours.flatMap((check) => violationLines(check, page));
  const say = flags.json === true ? shell.err : shell.out;
  for (const line of historyLines(small, shrunk, picture, page)) say(`${line.trimEnd()}\n`);
  return EXIT.pass;
}

function formOf(text = 'jsonl'): Form {
  const form = FORMS.find((one) => one === text);
  if (form !== undefined) return form;
  throw new HarnessError('bad-option', `--to: '${text}'; it is one of ${FORMS.join(', ')}`);
}

/** The run's id, or of a file its name without what says its form. */
function nameOf({ runPath, manifest }: Subject, ref: string): string {
  if (runPath !== undefined) return manifest.run;
  return basename(ref).replace(/(\.history)?\.[a-z]+(\.gz)?$/, '') || 'history';
}

function textOf(history: History, form: Form): string {
  switch (form) {
    case 'jsonl':
      return `${[...printJsonl(history)].join('\n')}\n`;
    case 'ops':
      return `${[...printOps(judgeable(history).history)].join('\n')}\n`;
    case 'edn':
      return [...exportEdn(judgeable(history).history).text].join('');
    default:
      return unreachable(form);
  }
}

async function written(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeWhole(file, text);
}

/** Forms of other tools say nothing of workloads: they are judged by a model. */
function judgeWords(
  { workload, promises }: RunConfig,
  form: Form,
  model: ModelChoice | undefined,
): string[] {
  if (model !== undefined) {
    const { name, init, criterion } = model;
    return [
      '--model',
      name,
      ...(init === undefined ? [] : ['--init', JSON.stringify(init)]),
      ...(criterion === undefined ? [] : ['--criterion', criterion]),
    ];
  }
  if (form !== 'jsonl') return [];
  const others = Object.entries(promises).filter(([mode, promise]) => promise !== mode);
  return [
    '--workload',
    workload,
    ...others.flatMap(([mode, promise]) => ['--promise', `${mode}=${promise}`]),
  ];
}

function configWords({ config }: ShrinkFlags): string[] {
  return config === undefined ? [] : ['--config', config];
}

/** Runs the very command that is printed, and looks whether it finds the same. */
async function judgedAgain(
  shell: Shell,
  words: readonly string[],
  { checker, target }: Shrunk,
): Promise<{ readonly result: RunResult; readonly holds: boolean }> {
  let said = '';
  const silent: Shell = {
    ...shell,
    env: {},
    argv: words,
    out: (text) => {
      said += text;
    },
    err: () => undefined,
  };
  const command = checkCommand(silent, () => undefined).exitOverride();
  await command.parseAsync([...words.slice(1), '--json'], { from: 'user' });
  const result = JSON.parse(said) as RunResult;
  const check = result.checks.find((one) => one.checker === checker);
  const holds = check?.anomalies.some(({ kind }) => kind === target.kind) === true;
  return { result, holds };
}

function notTheSame(form: Form, file: string, { checker, target }: Shrunk): HarnessError {
  if (form !== 'jsonl')
    return new HarnessError(
      'bad-option',
      `--to ${form}: ${form} knows neither read modes nor revisions, and without them ${checker} ` +
        `does not find the ${target.kind}; leave out --to`,
    );
  return new HarnessError(
    'unsupported',
    `${file} was written, but \`schism check\` does not find the same in it: ${checker} needs ` +
      'more of the run than its operations',
  );
}

function documentOf(small: Small, { checker, target, small: { isMinimal } }: Shrunk): object {
  const { ref, file, command, operations, kept, removed } = small;
  return {
    schism: 1,
    shrunk: ref,
    check: checker,
    anomaly: target.kind,
    ...(target.key !== undefined && { key: target.key }),
    operations,
    kept,
    removed,
    minimal: isMinimal,
    file,
    command,
  };
}
