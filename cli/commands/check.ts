import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { realClock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { parseDurationMs } from '../../harness/core/units.ts';
import type { History } from '../../harness/history/history.ts';
import { readHistory } from '../../harness/history/jsonl.ts';
import type { Phase } from '../../harness/history/op.ts';
import type { CheckContext } from '../../harness/protocols/checker.ts';
import type { PhaseSpan, RunConfig, RunManifest, RunResult } from '../../harness/protocols/run.ts';
import { countOutcomes } from '../../harness/runner/counts.ts';
import { judgeRun } from '../../harness/runner/verdict.ts';
import { testDir } from '../../harness/store/layout.ts';
import { findRun, readManifest, storedHistory } from '../../harness/store/store.ts';
import { renderText } from '../../reports/text.ts';
import { judge } from '../judge.ts';
import { bytesOf, promisesOf } from '../options.ts';
import type { Shell } from '../program.ts';
import { findWorkload } from '../registry.ts';
import { styleFor } from '../reporting.ts';
import { VERSION } from '../version.ts';

interface Flags {
  readonly output: string;
  readonly workload?: string;
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
    .description('judge a stored history again: a run, or a history.jsonl(.gz)')
    .argument(
      '[run]',
      'latest, latest-failed, -1, the beginning of an id, a folder, or a file',
      'latest',
    )
    .option('--workload <name>', 'for a bare file: what was asked (default: register)')
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
    .action(async (ref: string, flags: Flags) => {
      finish(await execute(shell, ref, flags));
    });
}

interface Subject {
  readonly historyPath: string;
  readonly manifest: RunManifest;
  readonly logs: CheckContext['logs'];
  readonly runPath?: string;
}

async function execute(shell: Shell, ref: string, flags: Flags): Promise<number> {
  const clock = realClock();
  const started = clock.wallMs();
  const found = await findSubject(ref, flags);
  const { history, torn } = await readHistory(found.historyPath);
  const phases = phasesOf(history);
  if (found.runPath !== undefined && !phases.some(({ phase }) => phase === 'final'))
    shell.err('schism: this run did not come to its end: nothing was read back after the faults\n');
  if (torn) shell.err('schism: the last line was cut off in mid-write, and left out\n');
  const manifest = withFlags(completed(found.manifest, history), flags);
  const { config } = manifest;
  const checks = await judge(
    {
      historyPath: found.historyPath,
      workload: config.workload,
      workloadOptions: config.workloadOptions,
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
    manifest,
    ...judgeRun(config, checks, []),
    checks,
    problems: [],
    phases,
    counts: countOutcomes(history),
    wallMs: clock.wallMs() - started,
  };
  if (flags.json === true) shell.out(`${JSON.stringify(result)}\n`);
  const say = flags.json === true ? shell.err : shell.out;
  say(
    renderText(result, history, {
      columns: shell.columns,
      style: styleFor(shell, flags.color && flags.json !== true),
      ...(found.runPath !== undefined && { runPath: found.runPath }),
    }),
  );
  return result.exitCode;
}

async function findSubject(ref: string, flags: Flags): Promise<Subject> {
  if (existsSync(ref) && statSync(ref).isFile())
    return {
      historyPath: ref,
      manifest: bareManifest(flags.workload ?? 'register', ref),
      logs: [],
    };
  if (/\.(jsonl|gz)$/.test(ref))
    throw new HarnessError('bad-input', `no file ${ref}; give a run or a history.jsonl(.gz)`);
  const dir = await findRun(flags.output, ref);
  const manifest = await readManifest(dir);
  const { workload, nodes } = manifest.config;
  const logs = nodes.flatMap((node) => logsIn(join(testDir(dir, workload), 'nodes', node), node));
  return { historyPath: storedHistory(dir, workload), manifest, logs, runPath: dir };
}

/** What a node wrote: the files that end in `.log` in its folder. */
function logsIn(dir: string, node: string): CheckContext['logs'] {
  if (!existsSync(dir)) return [];
  const names = readdirSync(dir).filter((name) => name.endsWith('.log'));
  return names.toSorted().map((name) => ({ node, path: join(dir, name) }));
}

/** What is assumed of a history that comes alone. */
function bareManifest(workload: string, path: string): RunManifest {
  const { name } = findWorkload(workload);
  const config: RunConfig = {
    system: 'memory',
    systemOptions: {},
    backend: 'memory',
    nodes: [],
    workload: name,
    workloadOptions: {
      clients: 1,
      nodes: [],
      rate: 0,
      clientTimeoutMs: 1000,
      readModes: ['linearizable', 'serializable'],
      own: {},
    },
    faults: [],
    requireFaults: false,
    seed: 0,
    durationMs: 0,
    quietMs: 0,
    faultIntervalMs: 0,
    faultDurationMs: 0,
    promises: { linearizable: 'linearizable', serializable: 'serializable' },
    checkLimits: { timeoutMs: 300_000, memoryBytes: 4 * 2 ** 30 },
    unknown: 'fail',
  };
  return {
    schism: 1,
    run: path,
    version: VERSION,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    argv: [],
    startedAt: '',
    config,
  };
}

/** A bare history names its own nodes. */
function completed(manifest: RunManifest, history: History): RunManifest {
  if (manifest.config.nodes.length > 0) return manifest;
  const nodes = new Set<string>();
  for (const { invoke } of history.operations()) if (invoke.node) nodes.add(invoke.node);
  return { ...manifest, config: { ...manifest.config, nodes: [...nodes].toSorted() } };
}

function withFlags(manifest: RunManifest, flags: Flags): RunManifest {
  const { config } = manifest;
  const { timeoutMs, memoryBytes } = config.checkLimits;
  const workload = findWorkload(config.workload);
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
