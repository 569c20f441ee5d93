/**
 * The turns of one lane: `begin` and `end` strictly alternate, for the lane's own thread. The `f`
 * of both is the kind of fault, the value's `stage` says which it is, and a begin carries
 * everything that was asked for, so that a history can be turned back into a schedule.
 */
import { invariant, unreachable } from '../../harness/core/invariant.ts';
import type { Nanos } from '../../harness/core/units.ts';
import type { Context, Generator, Next, Offer } from '../../harness/generator/generator.ts';
import type { Op } from '../../harness/history/op.ts';
import type { FaultOptions } from './options.ts';

/** One fault to come. */
export interface Planned {
  readonly options: FaultOptions;
  /** When it may begin, given the schedule's start and the end of the fault before it. */
  beginDue(start: Nanos, free: Nanos): Nanos;
  /** When it ends, given the schedule's start and the moment it had begun. */
  endDue(start: Nanos, begun: Nanos): Nanos;
}

/** An immutable list of faults, finite or not. */
export interface Plans {
  first(): readonly [Planned, Plans] | undefined;
}

/** Offers the faults of `plans`, all of one kind, in turn; exhausted when they are. */
export function laneSchedule(lane: string, plans: Plans, kind: string = lane): Generator {
  return laneGenerator({ lane, kind, plans, count: 0, step: { at: 'new' } });
}

/**
 * `new`: never asked. `rest`: no fault; `free` is when the last one had ended. `beginning` and
 * `ending`: offered and not yet completed. `hold`: between the two.
 */
type Step =
  | { readonly at: 'new' }
  | { readonly at: 'rest'; readonly start: Nanos; readonly free: Nanos }
  | { readonly at: 'beginning'; readonly start: Nanos; readonly planned: Planned }
  | { readonly at: 'hold'; readonly start: Nanos; readonly due: Nanos }
  | { readonly at: 'ending'; readonly start: Nanos };

interface LaneState {
  readonly lane: string;
  readonly kind: string;
  /** Faults after the current one. */
  readonly plans: Plans;
  /** Faults begun; the current one's number. */
  readonly count: number;
  readonly step: Step;
}

function laneGenerator(state: LaneState): Generator {
  const self: Generator = {
    next: (ctx) => nextOf(self, state, ctx),
    update: (_ctx, event) => {
      const step = stepAfter(state, event);
      return step === state.step ? self : laneGenerator({ ...state, step });
    },
  };
  return self;
}

function nextOf(self: Generator, state: LaneState, ctx: Context): Next {
  const { lane, step } = state;
  if (!ctx.isFree(`nemesis:${lane}`)) return ['pending', self];
  switch (step.at) {
    case 'new': {
      // The start is when this is first asked; a pending move is kept, an offer ahead would not be.
      const started = { at: 'rest', start: ctx.time, free: ctx.time } as const;
      return ['pending', laneGenerator({ ...state, step: started })];
    }
    case 'rest':
      return nextBegin(state, step, ctx);
    case 'hold': {
      const offer = offerOf(state, ctx, step.due, { stage: 'end' });
      const ending = { at: 'ending', start: step.start } as const;
      return [offer, laneGenerator({ ...state, step: ending })];
    }
    case 'beginning':
    case 'ending':
      return ['pending', self];
    default:
      return unreachable(step);
  }
}

function nextBegin(state: LaneState, step: Step & { readonly at: 'rest' }, ctx: Context): Next {
  const { start, free } = step;
  const first = state.plans.first();
  if (first === undefined) return undefined;
  const [planned, plans] = first;
  const begun: LaneState = {
    ...state,
    plans,
    count: state.count + 1,
    step: { at: 'beginning', start, planned },
  };
  const value = { ...planned.options, stage: 'begin' };
  return [offerOf(begun, ctx, planned.beginDue(start, free), value), laneGenerator(begun)];
}

function offerOf(state: LaneState, ctx: Context, due: Nanos, value: FaultOptions): Offer {
  const { lane, kind, count } = state;
  return {
    thread: `nemesis:${lane}`,
    process: 'nemesis',
    time: due > ctx.time ? due : ctx.time,
    f: kind,
    value,
    id: `${lane}-${count}`,
    lane,
  };
}

function stepAfter({ lane, step }: LaneState, event: Op): Step {
  if (event.lane !== lane || event.type === 'invoke') return step;
  if (step.at === 'ending') return { at: 'rest', start: step.start, free: event.time };
  if (step.at !== 'beginning') return step;
  const { start, planned } = step;
  // A fault that was not injected needs no time to last.
  const due = wasSkipped(event) ? event.time : planned.endDue(start, event.time);
  invariant(start <= event.time, `lane ${lane}: a fault began before its schedule`);
  return { at: 'hold', start, due };
}

function wasSkipped({ value }: Op): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { evidence } = value as FaultOptions;
  if (typeof evidence !== 'object' || evidence === null || Array.isArray(evidence)) return false;
  return (evidence as FaultOptions)['result'] === 'skipped';
}
