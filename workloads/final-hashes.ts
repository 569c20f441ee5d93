/** After the final reads: every node's hash of its state, so that replicas can be compared. */
import { invariant } from '../harness/core/invariant.ts';
import { type Nanos, type NodeName, nanos, nanosFromMs } from '../harness/core/units.ts';
import { andThen } from '../harness/generator/combine.ts';
import type { Context, Generator, Next, Thread } from '../harness/generator/generator.ts';
import type { Op } from '../harness/history/op.ts';
import type { Client, Completion } from '../harness/protocols/client.ts';
import type { HashApi } from '../harness/protocols/maintenance.ts';
import type { Apis } from '../harness/protocols/system.ts';
import type { WorkloadOptions } from '../harness/protocols/workload.ts';

/** Between two questions to one node that was not there yet. */
const ASK_EVERY_MS = 50;
/** A node that has not come so far after this many questions never will: it stays without a hash. */
const QUESTIONS_MAX = 60;

/** What a node has still to be asked. */
interface Asked {
  /** Absent: its first answer, at whatever revision it is, is still to come. */
  readonly newest?: number;
  readonly answered: ReadonlySet<number>;
  /** Revisions that it does not keep any more. */
  readonly refused: ReadonlySet<number>;
  readonly questions: number;
  readonly due: Nanos;
}

/** `reads`, then the hashes if the system has any. */
export function thenHashes(reads: Generator, options: WorkloadOptions): Generator {
  return canHash(options) ? andThen(reads, finalHashes(options.nodes)) : reads;
}

export function canHash({ capabilities }: Pick<WorkloadOptions, 'capabilities'>): boolean {
  return capabilities.includes('hash');
}

/**
 * Each node says its hash where it is, then at the lowest and at the highest of these revisions: a
 * replica that lacks a change stays below the others for ever, and can be compared only there.
 * Ends when all have said so, or after a few seconds: some node may never get there.
 */
export function finalHashes(nodes: readonly NodeName[]): Generator {
  const fresh: Asked = { answered: new Set(), refused: new Set(), questions: 0, due: nanos(0) };
  return asking(new Map(nodes.map((node) => [node, fresh])));
}

function asking(all: ReadonlyMap<NodeName, Asked>): Generator {
  const self: Generator = {
    next: (ctx) => offer(self, all, ctx),
    update: (_ctx, event) => {
      const node = event.node === undefined ? undefined : all.get(event.node);
      if (event.node === undefined || node === undefined || event.f !== 'hash') return self;
      const after = learned(node, event);
      return after === node ? self : asking(new Map([...all, [event.node, after]]));
    },
  };
  return self;
}

function learned(node: Asked, event: Op): Asked {
  if (event.type === 'ok') {
    const revision = revisionOf(event.value);
    if (revision === undefined) return node;
    const newest = Math.max(node.newest ?? 0, revision);
    return { ...node, newest, answered: new Set([...node.answered, revision]) };
  }
  if (event.type !== 'fail' || event.error?.code !== 'compacted') return node;
  return { ...node, refused: new Set([...node.refused, Number(event.value)]) };
}

function revisionOf(value: Op['value']): number | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { revision } = value as Readonly<Record<string, Op['value']>>;
  return typeof revision === 'number' ? revision : undefined;
}

function offer(self: Generator, all: ReadonlyMap<NodeName, Asked>, ctx: Context): Next {
  const wanted = wantedOf([...all.values()]);
  let first: { readonly name: NodeName; readonly node: Asked; readonly due: Nanos } | undefined;
  let isOver = true;
  for (const [name, node] of all) {
    const thread = threadAt(name, ctx);
    if (thread === undefined || questionOf(node, wanted) === undefined) continue;
    isOver = false;
    if (ctx.isFree(thread) && (first === undefined || node.due < first.due))
      first = { name, node, due: node.due };
  }
  if (first === undefined) return isOver ? undefined : ['pending', self];
  const { name, node } = first;
  const thread = threadAt(name, ctx) as Thread;
  const time = nanos(Math.max(node.due, ctx.time));
  const due = nanos(time + nanosFromMs(ASK_EVERY_MS));
  const value = questionOf(node, wanted) as number | null;
  const rest = asking(new Map([...all, [name, { ...node, questions: node.questions + 1, due }]]));
  return [{ thread, process: ctx.processOf(thread), time, f: 'hash', value }, rest];
}

/** The one thread that asks a node, so that it is asked one thing at a time. */
function threadAt(node: NodeName, ctx: Context): Thread | undefined {
  return ctx.threads.find((thread) => ctx.nodeOf(thread) === node);
}

/** The lowest and the highest that nodes are at, as far as they have said so. */
function wantedOf(all: readonly Asked[]): readonly number[] {
  const newest = all.flatMap(({ newest: revision }) => (revision === undefined ? [] : [revision]));
  return newest.length === 0 ? [] : [Math.min(...newest), Math.max(...newest)];
}

/** What to ask a node next: null for its newest; undefined: nothing any more. */
function questionOf(node: Asked, wanted: readonly number[]): number | null | undefined {
  if (node.questions >= QUESTIONS_MAX) return undefined;
  if (node.newest === undefined) return null;
  return wanted.find((revision) => !node.answered.has(revision) && !node.refused.has(revision));
}

/** A client that says hashes too; whatever else is asked goes to `rest`. */
export function withHashes(rest: Client, { hash }: Apis, timeoutMs: number): Client {
  return {
    invoke: (op) => (op.f === 'hash' ? askHash(hash, op, timeoutMs) : rest.invoke(op)),
  };
}

async function askHash(api: HashApi | undefined, op: Op, timeoutMs: number): Promise<Completion> {
  invariant(api !== undefined, 'the system says hashes, or the workload would not ask for them');
  const { value } = op;
  const outcome = await api.hash(typeof value === 'number' ? value : 0, { timeoutMs });
  return outcome.type === 'ok' ? { ...outcome, value: { ...outcome.value } } : outcome;
}
