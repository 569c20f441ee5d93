/** Asks a cluster what a sequence says, with the stock etcdctl. */
import { execa } from 'execa';
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { HarnessError } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import { msFromNanos, type NodeName } from '../../../harness/core/units.ts';
import type { TestCluster } from '../testing.ts';
import type { Entry, Transcript } from './compare.ts';
import { Names } from './names.ts';
import { normaliseErrors, normaliseOutput } from './normalise.ts';
import {
  argumentsOf,
  type Command,
  type FinishStep,
  type RunStep,
  type Sequence,
  type StartStep,
  type Step,
} from './sequence.ts';

const PROGRAM: string = 'etcdctl';
const COMMAND_MS_MAX = 15_000;
const UNTIL_MS_MAX = 20_000;
const AGAIN_MS = 100;
/** How often the output of a command that goes on is looked at. */
const LOOK_MS = 10;

interface Ended {
  readonly exitCode?: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly step: StartStep;
  readonly title: string;
  readonly process: ReturnType<typeof launch>;
  readonly output: () => string;
  readonly isOver: () => boolean;
}

interface Session {
  readonly cluster: TestCluster;
  readonly clock: Clock;
  readonly names: Names;
  readonly placeholders: Map<string, string>;
  readonly running: Map<string, Running>;
}

/** Everything the commands of the sequence printed, with names instead of ids. */
export async function runSequence(
  sequence: Sequence,
  cluster: TestCluster,
  clock: Clock,
): Promise<Transcript> {
  const session = await openSession(cluster, clock);
  const entries: Entry[] = [];
  try {
    for (const step of sequence.steps) entries.push(...(await perform(step, session)));
  } finally {
    for (const { process } of session.running.values()) process.kill('SIGKILL');
  }
  invariant(session.running.size === 0, `${sequence.name}: a command was started, not finished`);
  return entries;
}

/** Names all there is before the first step, so that no name depends on an order of ids. */
async function openSession(cluster: TestCluster, clock: Clock): Promise<Session> {
  const names = new Names();
  const placeholders = new Map<string, string>();
  const address = (node: NodeName): void => {
    placeholders.set(`${node}.peer`, cluster.peerUrl(node));
    placeholders.set(`${node}.client`, `http://${cluster.address(node)}`);
    names.nameText(cluster.peerUrl(node).replace('http://', ''), `peer of ${node}`);
    names.nameText(cluster.address(node), `client of ${node}`);
  };
  for (const node of cluster.all) address(node);
  const [first = ''] = cluster.nodes;
  const reply = await cluster.client(first).memberList(COMMAND_MS_MAX);
  if (!reply.ok) throw new HarnessError('process-failed', `member list: ${String(reply.error)}`);
  names.nameId(BigInt(reply.value.header?.clusterId ?? 0), 'cluster');
  for (const { ID, name } of reply.value.members) {
    names.nameId(BigInt(ID), name);
    placeholders.set(name, BigInt(ID).toString(16));
  }
  return { cluster, clock, names, placeholders, running: new Map() };
}

async function perform(step: Step, session: Session): Promise<Entry[]> {
  if ('run' in step) return [await run(step, session)];
  if ('start' in step) {
    start(step, session);
    return [];
  }
  if ('finish' in step) return [await finish(step, session)];
  await session.cluster.join(step.join, step.members);
  return [];
}

async function run(step: RunStep, session: Session): Promise<Entry> {
  const { clock, names, placeholders } = session;
  const args = fill(step.run, placeholders);
  const deadlineMs = msFromNanos(clock.now()) + UNTIL_MS_MAX;
  let ended = await launch(args, step, session);
  while (step.until !== undefined && !step.until.test(ended.stdout + ended.stderr)) {
    if (msFromNanos(clock.now()) > deadlineMs) break;
    await sleep(clock, AGAIN_MS);
    ended = await launch(args, step, session);
  }
  for (const [name, pattern] of Object.entries(step.capture ?? {})) {
    const value = pattern.exec(ended.stdout)?.[1];
    if (value === undefined) continue;
    placeholders.set(name, value);
    names.nameId(BigInt(/[a-f]/.test(value) || value.length < 17 ? `0x${value}` : value), name);
  }
  return entryOf(titleOf(step.run, step.at, step.stdin), ended, names, step.unordered === true);
}

function start(step: StartStep, session: Session): void {
  const process = launch(fill(step.start, session.placeholders), step, session);
  let output = '';
  process.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString();
  });
  const title = titleOf(step.start, undefined, step.stdin);
  let isOver = false;
  void process.finally(() => {
    isOver = true;
  });
  session.running.set(step.as, {
    step,
    title,
    process,
    output: () => output,
    isOver: () => isOver,
  });
}

async function finish(step: FinishStep, session: Session): Promise<Entry> {
  const { finish: as, until, signal = 'SIGKILL' } = step;
  const { clock, names, running } = session;
  const command = running.get(as);
  invariant(command !== undefined, `'${as}' was never started`);
  const { process, output, isOver, title } = command;
  if (until !== undefined) {
    const deadlineMs = msFromNanos(clock.now()) + UNTIL_MS_MAX;
    while (!until.test(output()) && !isOver()) {
      if (msFromNanos(clock.now()) > deadlineMs) break;
      await sleep(clock, LOOK_MS);
    }
    process.kill(signal);
  }
  const ended = await process;
  running.delete(as);
  return entryOf(`${title} (finished)`, ended, names, false);
}

function launch(
  args: readonly string[],
  { stdin, at }: { readonly stdin?: string; readonly at?: NodeName },
  { cluster }: Session,
) {
  const nodes = at === 'all' ? cluster.nodes : [at ?? 'n1'];
  const endpoints = nodes.map((node) => cluster.address(node)).join(',');
  const { PATH } = process.env;
  return execa(PROGRAM, [`--endpoints=${endpoints}`, ...args], {
    env: { ETCDCTL_API: '3', ...(PATH !== undefined && { PATH }) },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    input: stdin ?? '',
    timeout: COMMAND_MS_MAX,
  });
}

function fill(command: Command, placeholders: ReadonlyMap<string, string>): string[] {
  return argumentsOf(command).map((argument) =>
    argument.replaceAll(/\{([\w.]+)\}/g, (_, name: string) => {
      const value = placeholders.get(name);
      // The step that should have captured it differs already, and that is what to look at.
      return value ?? 'not-captured';
    }),
  );
}

function titleOf(command: Command, at: NodeName | undefined, stdin: string | undefined): string {
  const words = argumentsOf(command).map((word) => (/^[^\s']+$/.test(word) ? word : `'${word}'`));
  const where = at === undefined ? '' : ` (at ${at})`;
  const input = stdin === undefined ? '' : ` <<< ${JSON.stringify(stdin)}`;
  return `etcdctl ${words.join(' ')}${where}${input}`;
}

function entryOf(title: string, ended: Ended, names: Names, unordered: boolean): Entry {
  const output = normaliseOutput(ended.stdout, names, unordered);
  const errors = normaliseErrors(ended.stderr, names, unordered);
  const lines = (label: string, text: string): string[] =>
    text === ''
      ? []
      : text
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => `${label}: ${line}`);
  return {
    title,
    seen: [
      `exit: ${ended.exitCode ?? 'killed'}`,
      ...lines('stdout', output),
      ...lines('stderr', errors),
    ],
  };
}
