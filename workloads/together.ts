/** Several workloads on one cluster at the same time, each with its own clients and its own keys. */
import { HarnessError } from '../harness/core/errors.ts';
import { invariant } from '../harness/core/invariant.ts';
import type { Random } from '../harness/core/prng.ts';
import { concat } from '../harness/generator/combine.ts';
import type { Generator } from '../harness/generator/generator.ts';
import { passOn, pending } from '../harness/generator/rewrap.ts';
import { reserve } from '../harness/generator/route.ts';
import type { Op } from '../harness/history/op.ts';
import type { Checker } from '../harness/protocols/checker.ts';
import type { Client } from '../harness/protocols/client.ts';
import type { Apis } from '../harness/protocols/system.ts';
import type { Workload, WorkloadInstance, WorkloadOptions } from '../harness/protocols/workload.ts';

/** Between the names of the parts, and between a part's name and its key. */
const NAMES = '+';
const KEY = '/';

/**
 * All parts run side by side and see the same faults. Clients and rate are shared out evenly. A
 * part's keys begin with its name, `reads/k3`, so that none writes where another counts on being
 * alone. Every checker judges the whole history: it looks at what it knows, whoever asked.
 */
export function together(parts: readonly Workload[]): Workload {
  const [only] = parts;
  invariant(only !== undefined, 'a run has a workload');
  if (parts.length === 1) return only;
  return {
    name: parts.map(({ name }) => name).join(NAMES),
    summary: parts.map(({ name }) => name).join(' and '),
    parts: parts.length,
    needs: unique(parts.flatMap(({ needs }) => needs)),
    readModes: unique(parts.flatMap(({ readModes }) => readModes)),
    options: Object.assign({}, ...parts.map(({ options }) => options)) as Workload['options'],
    build: (options, random) => build(parts, options, random),
    checkers: (options) => checkersOf(parts, options),
  };
}

function build(
  parts: readonly Workload[],
  options: WorkloadOptions,
  random: Random,
): WorkloadInstance {
  const built = parts.map((part, at) => ({
    prefix: `${part.name}${KEY}`,
    clients: share(options.clients, parts.length, at),
    part: part.build(shareOf(options, part, parts.length, at), random.fork(part.name)),
  }));
  const [first] = built;
  const idle = built.some(({ clients }) => clients === 0);
  if (first === undefined || idle)
    throw new HarnessError(
      'bad-option',
      `--clients: ${parts.length} workloads need at least one client each`,
    );
  const mains = built.map(({ clients, prefix, part }) => {
    return [clients, prefixed(prefix, part.main)] as const;
  });
  const rest = mains.at(-1);
  invariant(rest !== undefined, 'there is at least one part');
  return {
    main: reserve(mains.slice(0, -1), rest[1]),
    final: (keys) =>
      concat(
        ...built.map(({ prefix, part }) => {
          const own = keys.filter((key) => key.startsWith(prefix));
          return prefixed(prefix, part.final(own.map((key) => key.slice(prefix.length))));
        }),
      ),
    probe: {
      ...first.part.probe,
      ...(first.part.probe.key !== undefined && { key: `${first.prefix}${first.part.probe.key}` }),
    },
    client: (apis) => clientOf(built, apis),
  };
}

/** An even part of the whole, in whole numbers: the first ones get what is left over. */
function share(whole: number, count: number, at: number): number {
  return Math.floor(whole / count) + (at < whole % count ? 1 : 0);
}

function shareOf(
  options: WorkloadOptions,
  part: Workload,
  count: number,
  at: number,
): WorkloadOptions {
  const own = Object.entries(options.own).filter(([name]) => Object.hasOwn(part.options, name));
  return {
    ...options,
    clients: share(options.clients, count, at),
    rate: options.rate / count,
    readModes: options.readModes.filter((mode) => part.readModes.includes(mode)),
    // Hashes are of the whole store: the last part, whose final reads end last, asks for all.
    capabilities: options.capabilities.filter((one) => one !== 'hash' || at === count - 1),
    own: Object.fromEntries(own),
  };
}

/** Its keys begin with `prefix` outside; itself it hears of them as it named them. */
function prefixed(prefix: string, gen: Generator): Generator {
  const again = (rest: Generator): Generator => prefixed(prefix, rest);
  const self: Generator = {
    next: (ctx) => {
      const next = gen.next(ctx);
      if (next === undefined) return undefined;
      const [offer, rest] = next;
      if (offer === 'pending') return pending(self, gen, rest, again);
      const named = offer.key === undefined ? offer : { ...offer, key: `${prefix}${offer.key}` };
      return [named, again(rest)];
    },
    update: (ctx, event) => {
      const isOwn = event.key?.startsWith(prefix) === true;
      const inner = isOwn ? { ...event, key: event.key.slice(prefix.length) } : event;
      return passOn(self, gen, again, ctx, inner);
    },
  };
  return self;
}

/** Each operation goes to the client of the part that its key names. */
function clientOf(
  built: readonly { readonly prefix: string; readonly part: WorkloadInstance }[],
  apis: Apis,
): Client {
  const clients = built.map(({ prefix, part }) => ({
    prefix,
    asks: part.asks ?? [],
    client: part.client(apis),
  }));
  return {
    invoke: (op: Op) => {
      // What is about no key is about the whole store: unless one part knows it, the last one does.
      const owner =
        op.key === undefined
          ? (clients.find(({ asks }) => asks.includes(op.f)) ?? clients.at(-1))
          : clients.find(({ prefix }) => op.key?.startsWith(prefix) === true);
      invariant(owner !== undefined, `no workload has the key '${op.key}'`);
      return owner.client.invoke(op);
    },
  };
}

function checkersOf(parts: readonly Workload[], options: WorkloadOptions): readonly Checker[] {
  const all = parts.flatMap((part, at) => part.checkers(shareOf(options, part, parts.length, at)));
  const times = Map.groupBy(all, ({ name }) => name);
  // What only one of them asks for is what it is there for: it comes first.
  return [...times.values()]
    .toSorted((a, b) => a.length - b.length)
    .flatMap(([checker]) => checker ?? []);
}

function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}
