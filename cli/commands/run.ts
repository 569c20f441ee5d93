import { relative } from 'node:path';
import { Command } from 'commander';
import { scripted } from '../../cluster/nemeses/schedule.ts';
import { type Clock, realClock, VirtualClock } from '../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import { Random, type Seed, seedText } from '../../harness/core/prng.ts';
import { suggest } from '../../harness/core/suggest.ts';
import { msFromNanos } from '../../harness/core/units.ts';
import type { RunConfig, RunManifest, RunResult } from '../../harness/protocols/run.ts';
import type { System } from '../../harness/protocols/system.ts';
import { noUndo } from '../../harness/protocols/undo.ts';
import { run } from '../../harness/runner/run.ts';
import { startWatchdog, type Watchdog } from '../../harness/runner/undo.ts';
import { manifestWithoutSecrets, storableEnv } from '../../harness/store/secrets.ts';
import { createRun } from '../../harness/store/store.ts';
import type { AttachConfig } from '../config/config.ts';
import { withConfig } from '../config/flags.ts';
import { loadConfig } from '../config/load.ts';
import { addRunFlags } from '../flags.ts';
import { githubReporter } from '../github.ts';
import { judge, judgeInMemory } from '../judge.ts';
import { openLog } from '../log.ts';
import { type RunFlags, resolveConfig } from '../options.ts';
import type { Shell } from '../program.ts';
import { findNamed, findWorkload, makeNemesis, SYSTEMS } from '../registry.ts';
import { fileReporters, progressFor, styleFor, textReporter } from '../reporting.ts';
import { VERSION } from '../version.ts';

export interface Flags extends RunFlags {
  readonly config?: string;
  readonly system: string;
  readonly workload: string;
  readonly output: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color: boolean;
  readonly printConfig?: boolean;
}

/** `schism run`: start a cluster, break it, judge what it did. */
export function runCommand(shell: Shell, finish: (code: number) => void): Command {
  return addRunFlags(
    new Command('run')
      .alias('test')
      .description('start a cluster, break it, record what it does, and judge it'),
  ).action(async (given: Flags, command: Command) => {
    const file = given.config === undefined ? {} : await loadConfig(given.config);
    const flags = withConfig(given, file, (name) => command.getOptionValueSource(name) === 'cli');
    finish(await execute(shell, flags, file.attach));
  });
}

async function execute(shell: Shell, flags: Flags, attach?: AttachConfig): Promise<number> {
  const system = chooseSystem(flags);
  const workload = findWorkload(flags.workload);
  const config = await resolveConfig(flags, system, workload, shell.env, attach);
  if (flags.printConfig === true) {
    shell.out(`${JSON.stringify(config, null, 2)}\n`);
    return 0;
  }
  const { result } = await runConfigured(shell, flags, config, attach);
  return result.exitCode;
}

/** A run that came to its end. */
export interface Ran {
  readonly result: RunResult;
  readonly dir: string;
}

/** Runs a resolved configuration, stores it, and says what came of it. */
export async function runConfigured(
  shell: Shell,
  flags: Pick<Flags, 'output' | 'json' | 'quiet' | 'color'>,
  config: RunConfig,
  attach?: AttachConfig,
): Promise<Ran> {
  const say = flags.json === true ? shell.err : shell.out;
  const system = findNamed('system', SYSTEMS, config.system);
  const workload = findWorkload(config.workload);
  const nemeses = config.faults.map((name) => makeNemesis(name));
  const available = await system.available(config.systemOptions, config.backend);
  if (available !== true)
    throw new HarnessError(
      config.backend === 'docker' ? 'engine-failed' : 'binary-missing',
      available,
    );

  const clock = realClock();
  const virtual = config.backend === 'sim' ? new VirtualClock() : undefined;
  const seed = config.seed as Seed;
  const folder = await createRun(flags.output, {
    startedAtMs: clock.wallMs(),
    random: Random.stream(seed, `run/${clock.wallMs()}`),
    test: workload.name,
  });
  const manifest = manifestOf(shell, config, folder.id, clock.wallMs());
  const shown = relative('', folder.dir);
  if (shell.isTty && flags.quiet !== true)
    say(
      `schism ${VERSION}  ${system.name} × ${config.nodes.length}  ${workload.name}  ` +
        `seed ${seedText(seed)}  run ${folder.id}  ${shown}\n`,
    );
  using log = openLog(folder.path('harness.log'), manifest);
  using interrupt = interruptible(shell, say, clock);
  const github = githubReporter(shell, { json: flags.json === true, runPath: shown });
  using group = flags.quiet === true ? undefined : github?.group(`schism run ${folder.id}`);
  const style = styleFor(shell, flags.color && flags.json !== true);
  using progress =
    flags.quiet === true
      ? undefined
      : progressFor(shell, { manifest, clock: shownClock(clock, virtual), style, say });
  // What is simulated leaves nothing behind.
  await using guard =
    virtual === undefined
      ? guarded(
          await startWatchdog({
            runId: folder.id,
            clock,
            log: log.log,
            logPath: folder.path('watchdog.log'),
          }),
          shell,
        )
      : undefined;
  const text = textReporter({
    columns: shell.columns,
    style,
    runPath: shown,
  });
  const result = await run({
    config,
    manifest,
    folder,
    system,
    ...(config.backend === 'attach' && attach !== undefined && { attach: attach.nodes }),
    workload,
    nemeses,
    schedule: (nemesis, cluster, random) =>
      config.schedule === undefined
        ? nemesis.schedule({
            random,
            timing: cluster.timing,
            intervalMs: config.faultIntervalMs,
            durationMs: config.faultDurationMs,
          })
        : scripted(nemesis.name, config.schedule),
    seed,
    clock,
    ...(virtual !== undefined && { virtual }),
    log: log.log,
    undo: guard?.undo ?? noUndo,
    interrupt: interrupt.signal,
    interruptedBy: () => interrupt.by,
    judge: (history, context) => {
      const { workloadOptions } = config;
      const task = { workload: workload.name, workloadOptions, context };
      if (history !== undefined) return judgeInMemory(history, task);
      return judge({ ...task, historyPath: folder.historyPath }, clock);
    },
    reporters: [...fileReporters(folder), ...(github === undefined ? [] : [github]), text],
    onOp: (op) => {
      progress?.onOp(op);
    },
    onPhase: (phase) => {
      progress?.onPhase(phase);
    },
  });
  progress?.end(result);
  group?.[Symbol.dispose]();
  try {
    if (result.verdict === 'pass') await folder.dropNodeData();
    await folder.finish(result);
  } catch (error) {
    // The verdict stands, whether or not it can be entered.
    shell.err(`schism: the run could not be entered into the index: ${messageOf(error)}\n`);
  }
  if (flags.json === true) shell.out(`${JSON.stringify(result)}\n`);
  say(text.text(result));
  github?.annotate(result);
  return { result, dir: folder.dir };
}

/** Shows the time of the run, as often as the machine's time says. */
function shownClock(clock: Clock, virtual: VirtualClock | undefined): Clock {
  return virtual === undefined ? clock : { ...clock, now: () => virtual.now() };
}

/** A watchdog that does not say goodbye is worth a line, and never the verdict. */
function guarded(watchdog: Watchdog, shell: Shell): { readonly undo: Watchdog } & AsyncDisposable {
  return {
    undo: watchdog,
    [Symbol.asyncDispose]: async () => {
      try {
        await watchdog[Symbol.asyncDispose]();
      } catch (error) {
        shell.err(`schism: ${messageOf(error)}; see \`schism doctor\`\n`);
      }
    },
  };
}

/** `auto`: the first there is; with `--bug` the first that can be wrong in all those ways. */
function chooseSystem({ system, bug }: Pick<Flags, 'system' | 'bug'>): System {
  if (system !== 'auto') return findNamed('system', SYSTEMS, system);
  const asked = bug === undefined ? [] : bug.split(',').map((name) => name.trim());
  const found = SYSTEMS.find(({ bugs = [] }) => asked.every((name) => bugs.includes(name)));
  if (found !== undefined) return found;
  const wrong = SYSTEMS.flatMap(({ name, bugs = [] }) =>
    bugs.length === 0 ? [] : [`${name} has: ${bugs.join(', ')}`],
  );
  const known = SYSTEMS.flatMap(({ bugs = [] }) => bugs);
  throw new HarnessError(
    'bad-option',
    `--bug: no system has '${bug}'${suggest(asked[0] ?? '', known)}; ${wrong.join('; ')}`,
  );
}

function manifestOf(shell: Shell, config: RunConfig, id: string, wallMs: number): RunManifest {
  return manifestWithoutSecrets({
    schism: 1,
    run: id,
    version: VERSION,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    argv: shell.argv,
    env: storableEnv(shell.env),
    startedAt: new Date(wallMs).toISOString(),
    config,
  });
}

interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
  readonly by: 'SIGINT' | 'SIGTERM' | undefined;
}

/** A terminal signals the whole group, and npm or the launcher passes it on: one press, not two. */
const SAME_PRESS_MS = 300;

/** The first signal ends the load; the second leaves the undoing to the watchdog. */
function interruptible(shell: Shell, say: (text: string) => void, clock: Clock): Interrupt {
  const controller = new AbortController();
  let by: 'SIGINT' | 'SIGTERM' | undefined;
  let atMs = 0;
  const subscription = shell.onSignal((name) => {
    const nowMs = msFromNanos(clock.now());
    if (by !== undefined) {
      if (nowMs - atMs >= SAME_PRESS_MS) shell.die(name === 'SIGINT' ? 130 : 143);
      return;
    }
    by = name;
    atMs = nowMs;
    say(
      '\nstopping: healing the faults and judging what was recorded; once more to quit at once\n',
    );
    controller.abort();
  });
  return {
    signal: controller.signal,
    get by() {
      return by;
    },
    [Symbol.dispose]: () => {
      subscription[Symbol.dispose]();
    },
  };
}
