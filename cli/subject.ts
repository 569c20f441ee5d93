/** What `schism check` is to judge: a run that was stored, or a history that comes alone. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessError } from '../harness/core/errors.ts';
import type { Format } from '../harness/history/formats/format.ts';
import { parseFormat } from '../harness/history/formats/import.ts';
import type { History } from '../harness/history/history.ts';
import type { CheckContext } from '../harness/protocols/checker.ts';
import type { RunConfig, RunManifest } from '../harness/protocols/run.ts';
import type { Workload } from '../harness/protocols/workload.ts';
import { isArchive } from '../harness/store/archive.ts';
import { testDir } from '../harness/store/layout.ts';
import { openRun } from '../harness/store/run-ref.ts';
import { readManifest, storedHistory } from '../harness/store/store.ts';
import { formatOf, type HistoryFormat } from './load-history.ts';
import { BUILT_IN, type Catalogue, findWorkload } from './registry.ts';
import { VERSION } from './version.ts';

/** The flags that say where it is and how to read it. */
export interface SubjectFlags {
  readonly output: string;
  readonly workload?: string;
  readonly format?: string;
  readonly nilReads?: string;
  readonly keyed?: boolean;
}

/** What was unpacked for it is gone when it is disposed. */
export interface Subject extends AsyncDisposable {
  readonly historyPath: string;
  /** Of a file that is no run. */
  readonly format?: HistoryFormat;
  readonly manifest: RunManifest;
  readonly logs: CheckContext['logs'];
  readonly runPath?: string;
}

/**
 * Throws `bad-input` or `bad-option`. `path` is where `ref` can be read, if it is a file; `catalogue`
 * holds the workload of a history that comes alone.
 */
export async function findSubject(
  ref: string,
  path: string,
  flags: SubjectFlags,
  catalogue: Catalogue = BUILT_IN,
): Promise<Subject> {
  const isFile = existsSync(path) && statSync(path).isFile();
  if (isFile && !(await isArchive(path))) {
    const format = await formatFlags(ref, path, flags);
    const manifest = bareManifest(findWorkload(flags.workload ?? 'register', catalogue), ref);
    const dispose = (): Promise<void> => Promise.resolve();
    return { historyPath: path, format, manifest, logs: [], [Symbol.asyncDispose]: dispose };
  }
  if (!isFile && /\.(jsonl|edn|log|gz|txt|json|zip)$/.test(ref))
    throw new HarnessError('bad-input', `no file ${ref}; give a run or a file with a history`);
  if (flags.format !== undefined)
    throw new HarnessError('bad-option', `--format: ${ref} is not a file; runs have one format`);
  const run = await openRun(flags.output, path);
  try {
    const manifest = await readManifest(run.dir);
    const dispose = (): PromiseLike<void> => run[Symbol.asyncDispose]();
    return { ...storedSubject(run.dir, manifest), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await run[Symbol.asyncDispose]();
    throw error;
  }
}

function storedSubject(
  dir: string,
  manifest: RunManifest,
): Omit<Subject, typeof Symbol.asyncDispose> {
  const { workload, nodes } = manifest.config;
  const logs = nodes.flatMap((node) => logsIn(join(testDir(dir, workload), 'nodes', node), node));
  return { historyPath: storedHistory(dir, workload), manifest, logs, runPath: dir };
}

async function formatFlags(ref: string, path: string, flags: SubjectFlags): Promise<HistoryFormat> {
  const { nilReads, keyed } = flags;
  if (nilReads !== undefined && nilReads !== 'absent' && nilReads !== 'any')
    throw new HarnessError('bad-option', `--nil-reads: '${nilReads}'; it is absent or any`);
  return {
    format: await formatFlag(ref, path, flags.format),
    ...(ref !== path && { name: ref }),
    ...(nilReads !== undefined && { nilReads }),
    ...(keyed !== undefined && { keyed }),
  };
}

function formatFlag(ref: string, path: string, flag: string | undefined): Format | Promise<Format> {
  if (flag !== undefined) return parseFormat(flag);
  // What we named ourselves is ours, however damaged.
  return /(^|[/\\])history\.jsonl(\.gz)?$/.test(path) ? 'jsonl' : formatOf(path, ref);
}

/** What a node wrote: the files that end in `.log` in its folder. */
function logsIn(dir: string, node: string): CheckContext['logs'] {
  if (!existsSync(dir)) return [];
  const names = readdirSync(dir).filter((name) => name.endsWith('.log'));
  return names.toSorted().map((name) => ({ node, path: join(dir, name) }));
}

/** What is assumed of a history that comes alone. */
function bareManifest({ name }: Workload, path: string): RunManifest {
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
      capabilities: ['register', 'hash'],
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
export function completed(manifest: RunManifest, history: History): RunManifest {
  if (manifest.config.nodes.length > 0) return manifest;
  const nodes = new Set<string>();
  for (const { invoke } of history.operations()) if (invoke.node) nodes.add(invoke.node);
  return { ...manifest, config: { ...manifest.config, nodes: [...nodes].toSorted() } };
}
