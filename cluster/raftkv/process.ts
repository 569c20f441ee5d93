/** The life of one node's process, from its flags to its exit code. */
import { realClock } from '../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import { Random, seedText } from '../../harness/core/prng.ts';
import { parseFlags, type Settings } from './flags.ts';
import { jsonLog, type NodeLog } from './json-log.ts';
import type { Node, NodeEnd } from './server/api.ts';
import { startNode } from './server/node.ts';
import { findCluster } from './server/tcp-find.ts';
import { tcpTransport } from './server/tcp-transport.ts';
import { openFileDisk } from './storage/file-disk.ts';
import { type MemberTls, readMemberTls, type TlsKeys, untimely } from './tls-files.ts';

const EXIT_FAILED = 1;
const EXIT_BAD_FLAGS = 2;
/** How long one that joins looks for those who are there; whoever started it sees why it ended. */
const FIND_MS = 10_000;

/** Sets `process.exitCode` and lets the process end; never throws for what is not a bug. */
export async function runProcess(args: readonly string[]): Promise<void> {
  // Before Node prints it its own way and ends the process: who reads logs looks for this word.
  process.on('uncaughtExceptionMonitor', (error) => {
    process.stderr.write(`panic: ${messageOf(error)}\n`);
  });
  const told = toldBy(args);
  if (told === undefined) return;
  const { settings } = told;
  const clock = realClock();
  const log = jsonLog(settings.logLevel, clock, (line) => process.stderr.write(line));
  try {
    await runMember(told, { clock, log });
  } catch (error) {
    fatal(log, 'cannot go on', error);
  }
}

interface Told {
  readonly settings: Settings;
  readonly tls: MemberTls<TlsKeys>;
}

function toldBy(args: readonly string[]): Told | undefined {
  try {
    const parsed = parseFlags(args);
    if (parsed.type === 'settings') {
      const { settings } = parsed;
      return { settings, tls: readMemberTls(settings.tls) };
    }
    process.stdout.write(parsed.text);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    process.stderr.write(`raftkv: ${error.message}\n`);
    process.exitCode = EXIT_BAD_FLAGS;
  }
  return undefined;
}

function fatal(log: NodeLog, message: string, error: unknown): void {
  const { details } = error instanceof HarnessError ? error : {};
  // What was foreseen explains itself; of anything else one wants to know where it came from.
  const stack = error instanceof HarnessError ? undefined : (error as { stack?: unknown })?.stack;
  log.fatal(`${message}: ${messageOf(error)}`, { details, stack });
  process.exitCode = EXIT_FAILED;
}

type End = NodeEnd | { readonly why: 'signal'; readonly signal: string };

async function runMember(
  { settings, tls }: Told,
  { clock, log }: { clock: ReturnType<typeof realClock>; log: NodeLog },
): Promise<void> {
  const { config, seed, listenPeer, listenClient, routes } = settings;
  const signalled = nextSignal();
  const peerTls = tls.peer === undefined ? {} : { tls: tls.peer };
  const ownUrls = config.initialCluster.find(({ name }) => name === config.name)?.peerUrls ?? [];
  // Loads while the node recovers what its disk has.
  const loading = import('./grpc/server.ts');
  log.info('starting', { name: config.name, pid: process.pid, seed: seedText(seed) });
  if (config.bugs !== undefined && config.bugs.size > 0)
    log.warn('this member is wrong on purpose: --bug', { bugs: [...config.bugs] });
  for (const warning of [...settings.tls.warnings, ...untimely(tls, clock.wallMs())])
    log.warn(warning);
  await using stack = new AsyncDisposableStack();
  const disk = stack.use(await openFileDisk(settings.dataDir));
  const node = stack.use(
    await startNode(config, {
      clock,
      log,
      random: Random.stream(seed, `node-${config.name}/life/${clock.wallMs()}`),
      disk,
      openTransport: tcpTransport({ listen: listenPeer, routes, clock, log, ...peerTls }),
      findCluster: () =>
        findCluster(settings.others, {
          clock,
          log,
          timeoutMs: FIND_MS,
          routes,
          ...peerTls,
          peerUrls: ownUrls,
        }),
    }),
  );
  const over: Promise<End> = Promise.race([node.ended, signalled]);
  const first = await Promise.race([node.serving.then(() => 'serving' as const), over]);
  if (first === 'serving') {
    const { serveGrpc } = await loading;
    const { electionMs, maxRequestBytes, maxTxnOps } = config;
    const { progressNotifyMs } = settings;
    const listen = listenClient;
    stack.use(
      await serveGrpc(node.api, {
        listen,
        clock,
        log,
        electionMs,
        maxRequestBytes,
        maxTxnOps,
        progressNotifyMs,
        ...(config.bugs !== undefined && { bugs: config.bugs }),
        ...(tls.client !== undefined && { tls: tls.client }),
      }),
    );
    log.info('ready to serve client requests', { ...ready(node), ...listenClient });
  }
  say(log, first === 'serving' ? await over : first);
}

function ready({ api }: Node): Readonly<Record<string, unknown>> {
  const { member, cluster } = api.header();
  return { member, cluster };
}

function say(log: NodeLog, end: End): void {
  switch (end.why) {
    case 'signal':
      log.info('stopping', { signal: end.signal });
      break;
    case 'removed':
      log.warn('this member was removed from its cluster, for good: it ends');
      break;
    case 'disk-failed':
      fatal(log, 'the disk failed, and nobody knows what is on it', end.error);
      break;
    case 'disposed':
      break;
  }
}

/** A second signal ends the process at once. */
function nextSignal(): Promise<End> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => resolve({ why: 'signal', signal }));
  });
}
