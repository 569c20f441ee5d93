/** Operators at work while clients are: now and then one acts on the whole store. */
import { HarnessError } from '../harness/core/errors.ts';
import { invariant } from '../harness/core/invariant.ts';
import type { JsonValue } from '../harness/core/json.ts';
import type { Random } from '../harness/core/prng.ts';
import { suggest } from '../harness/core/suggest.ts';
import { type Nanos, nanos, nanosFromMs } from '../harness/core/units.ts';
import type { Context, Generator, Next } from '../harness/generator/generator.ts';
import type { Op } from '../harness/history/op.ts';
import type { AdminApi } from '../harness/protocols/admin.ts';
import type { Client, Completion } from '../harness/protocols/client.ts';
import type { Apis, Outcome } from '../harness/protocols/system.ts';

/** What is asked of the whole store, through whatever node a client talks to. */
export const ACTS = ['compact', 'defragment', 'move-leader', 'backup'] as const;
export type Act = (typeof ACTS)[number];

/** How much of the past a compaction leaves: mostly nothing. */
const KEEPS: readonly number[] = [0, 0, 10, 100];
/** A new cluster has to start for it; still less than a run waits for what is under way at its end. */
const BACKUP_MS_MAX = 18_000;
/** A node blocks while it rewrites its file. */
const DEFRAGMENT_MS_MAX = 5_000;

export interface OperatorOptions {
  readonly acts: readonly Act[];
  /** Mean pause from the end of one act to the next. */
  readonly pauseMs: number;
}

/** Option `acts`: names separated by commas; throws `bad-option` for an unknown one, or for none. */
export function actsOption(own: Readonly<Record<string, string>>): readonly Act[] {
  const text = own['acts'];
  if (text === undefined) return ACTS;
  const names = text.split(',').map((name) => name.trim());
  const strange = names.find((name) => !isAct(name));
  if (strange === undefined) return [...new Set(names)].filter(isAct);
  throw new HarnessError(
    'bad-option',
    `workload option acts: there is no act '${strange}'${suggest(strange, ACTS)}; ` +
      `there are: ${ACTS.join(', ')}`,
  );
}

/**
 * All acts in a random order, then again in another one, never two at once, each on any free thread.
 * Endless.
 */
export function operator(options: OperatorOptions, random: Random): Generator {
  invariant(options.acts.length > 0, 'an operator has something to do');
  return operating({ options, random, left: [], due: undefined, isBusy: false });
}

interface Operating {
  readonly options: OperatorOptions;
  readonly random: Random;
  /** Of this round. */
  readonly left: readonly Act[];
  /** Undefined: nobody has asked for anything yet. */
  readonly due: Nanos | undefined;
  readonly isBusy: boolean;
}

function operating(state: Operating): Generator {
  const self: Generator = {
    next: (ctx) => offer(self, state, ctx),
    update: (_ctx, event) => learn(self, state, event),
  };
  return self;
}

function offer(self: Generator, state: Operating, ctx: Context): Next {
  const { due, isBusy, options } = state;
  if (due === undefined || isBusy || ctx.freeCount === 0) return ['pending', self];
  const random = state.random.clone();
  const thread = ctx.freeAt(random.int(0, ctx.freeCount - 1));
  const round = state.left.length > 0 ? state.left : options.acts;
  const act = random.pick(round);
  const left = round.filter((each) => each !== act);
  const value: JsonValue = act === 'compact' ? { keep: random.pick(KEEPS) } : null;
  const time = nanos(Math.max(due, ctx.time));
  return [
    { thread, process: ctx.processOf(thread), time, f: act, value },
    operating({ ...state, random, left, isBusy: true }),
  ];
}

function learn(self: Generator, state: Operating, { f, type, time }: Op): Generator {
  const isOwnEnd = type !== 'invoke' && state.options.acts.some((act) => act === f);
  if (state.due !== undefined && !isOwnEnd) return self;
  const random = state.random.clone();
  const pauseMs = state.options.pauseMs * (0.5 + random.float());
  const due = nanos(time + nanosFromMs(pauseMs));
  return operating({ ...state, random, due, isBusy: state.isBusy && !isOwnEnd });
}

/** A client that operates, too; whatever else is asked goes to `rest`. */
export function withOperator(rest: Client, { admin }: Apis, timeoutMs: number): Client {
  return {
    invoke: (op) => {
      if (!isAct(op.f)) return rest.invoke(op);
      invariant(admin !== undefined, 'the system can be operated, or the workload was refused');
      return perform(admin, op.f, op.value, timeoutMs);
    },
  };
}

async function perform(
  admin: AdminApi,
  act: Act,
  value: JsonValue,
  timeoutMs: number,
): Promise<Completion> {
  switch (act) {
    case 'compact':
      return completionOf(await admin.compact(keepOf(value), { timeoutMs }));
    case 'defragment':
      return completionOf(await admin.defragment({ timeoutMs: DEFRAGMENT_MS_MAX }));
    case 'move-leader':
      return completionOf(await admin.moveLeader({ timeoutMs }));
    case 'backup':
      return completionOf(await admin.backup({ timeoutMs: BACKUP_MS_MAX }));
  }
}

/** What interfaces describe is plain data, which becomes JSON as it is. */
function completionOf(outcome: Outcome<unknown>): Completion {
  return outcome.type === 'ok' ? { ...outcome, value: outcome.value as JsonValue } : outcome;
}

function keepOf(value: JsonValue): number {
  const { keep } = { ...(value as Readonly<Record<string, JsonValue>> | null) };
  return typeof keep === 'number' ? keep : 0;
}

function isAct(f: string): f is Act {
  return (ACTS as readonly string[]).includes(f);
}
