/** Made-up histories that look like real ones, for tests of reports. Not a simulation of a store. */
import type { JsonValue } from '../../harness/core/json.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { nanosFromMs } from '../../harness/core/units.ts';
import { type History, HistoryBuilder } from '../../harness/history/history.ts';
import type { OpDraft, Phase, ReadMode } from '../../harness/history/op.ts';
import type { FaultBand } from '../../harness/protocols/details.ts';
import type { FaultValue } from '../../harness/protocols/nemesis.ts';
import type { PhaseSpan } from '../../harness/protocols/run.ts';
import type { Role } from '../../harness/protocols/system.ts';

export interface FixtureOptions {
  readonly seconds: number;
  readonly clients: number;
  /** Per second. */
  readonly rate: number;
  readonly faults: boolean;
  /** Plants a read of a value that was overwritten half a second before. */
  readonly staleRead: boolean;
}

export interface Fixture {
  readonly history: History;
  readonly phases: readonly PhaseSpan[];
  readonly bands: readonly FaultBand[];
  /** Indices of the planted writes and the read, or empty. */
  readonly stale: readonly number[];
}

export const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'] as const;

interface Event {
  readonly ms: number;
  readonly draft: OpDraft;
  readonly planted?: boolean;
}

interface PlannedFault {
  readonly lane: string;
  readonly fault: string;
  readonly text: string;
  readonly targets: readonly string[];
  readonly beginMs: number;
  readonly endMs: number;
  readonly skipped?: string;
  readonly cut?: readonly string[];
}

/** Draws everything from one fixed seed: the same options give the same history. */
export function fixtureHistory(options: FixtureOptions): Fixture {
  const random = Random.stream(seedFrom(7), 'fixture');
  const plan = options.faults ? plannedFaults(options.seconds) : [];
  const phases = phasesOf(options.seconds);
  const events = [
    ...clientEvents(options, plan, random),
    ...plan.flatMap((fault, at) => faultEvents(fault, at)),
    ...roleEvents(options, plan),
    ...(options.staleRead ? plantedEvents(options.seconds * 600) : []),
  ];
  events.sort((a, b) => a.ms - b.ms);
  const builder = new HistoryBuilder();
  const stale: number[] = [];
  for (const { ms, draft, planted } of events) {
    const phase = phaseAt(phases, ms);
    const op = builder.append({ ...draft, phase }, nanosFromMs(ms));
    if (planted === true && op.type === 'invoke') stale.push(op.index);
  }
  const bands = plan.map((fault, at) => bandOf(fault, at));
  return { history: builder.build(), phases, bands, stale };
}

function phasesOf(seconds: number): readonly PhaseSpan[] {
  const shares: readonly (readonly [Phase, number])[] = [
    ['quiet', 0.05],
    ['main', 0.9],
    ['heal', 0.92],
    ['recover', 0.95],
    ['final', 1],
  ];
  let startNanos = 0;
  return shares.map(([phase, share]) => {
    const endNanos = nanosFromMs(share * seconds * 1000);
    const span = { phase, startNanos, endNanos };
    startNanos = endNanos;
    return span;
  });
}

function phaseAt(phases: readonly PhaseSpan[], ms: number): Phase {
  return phases.find(({ endNanos }) => ms * 1e6 < endNanos)?.phase ?? 'final';
}

function plannedFaults(seconds: number): readonly PlannedFault[] {
  const at = (share: number): number => share * seconds * 1000;
  const isolated = ['n1', 'n2', 'n4', 'n5'].flatMap((node) => [`n3>${node}`, `${node}>n3`]);
  const halves = ['n1', 'n2'].flatMap((a) => ['n3', 'n4', 'n5'].map((b) => `${a}>${b}`));
  return [
    {
      lane: 'partition',
      fault: 'partition',
      text: 'isolate n3 (leader), both ways',
      targets: ['n3'],
      beginMs: at(0.15),
      endMs: at(0.27),
      cut: isolated,
    },
    {
      lane: 'kill',
      fault: 'kill',
      text: 'kill -9 n2',
      targets: ['n2'],
      beginMs: at(0.22),
      endMs: at(0.3),
    },
    {
      lane: 'pause',
      fault: 'pause',
      text: 'pause n5 (leader)',
      targets: ['n5'],
      beginMs: at(0.55),
      endMs: at(0.61),
    },
    {
      lane: 'partition',
      fault: 'partition',
      text: 'halves n1 n2 | n3 n4 n5, one way',
      targets: ['n1', 'n2'],
      beginMs: at(0.7),
      endMs: at(0.8),
      cut: halves,
    },
    {
      lane: 'kill',
      fault: 'kill',
      text: 'kill -9 n4',
      targets: ['n4'],
      beginMs: at(0.82),
      endMs: at(0.85),
      skipped: 'a majority is already hit: n1, n2 and n3 are cut off',
    },
  ];
}

function faultEvents(fault: PlannedFault, at: number): readonly Event[] {
  const links = NODES.flatMap((a) => NODES.flatMap((b) => (a === b ? [] : [`${a}>${b}`])));
  const matrix = Object.fromEntries(
    links.map((link) => [link, fault.cut?.includes(link) === true ? 'cut' : 'open']),
  );
  const value = (stage: 'begin' | 'end'): FaultValue => ({
    stage,
    fault: fault.fault,
    text: fault.text,
    targets: fault.targets,
    evidence:
      fault.skipped === undefined
        ? { result: 'installed', probe: evidenceOf(fault) }
        : { result: 'skipped', why: fault.skipped },
    ...(fault.cut !== undefined && stage === 'begin' && { matrix }),
  });
  const half = (type: 'invoke' | 'info', ms: number, stage: 'begin' | 'end'): Event => ({
    ms,
    draft: {
      process: 'nemesis',
      type,
      f: fault.fault,
      value: type === 'invoke' ? null : (value(stage) as unknown as JsonValue),
      phase: 'main',
      lane: fault.lane,
      id: `${fault.lane}/${at}`,
    },
  });
  return [
    half('invoke', fault.beginMs - 20, 'begin'),
    half('info', fault.beginMs, 'begin'),
    half('invoke', fault.endMs - 20, 'end'),
    half('info', fault.endMs, 'end'),
  ];
}

function evidenceOf(fault: PlannedFault): string {
  if (fault.cut !== undefined) return `${fault.cut.length} of 20 links cut`;
  return fault.fault === 'kill' ? 'the process is gone' : 'stopped, says the kernel';
}

function bandOf(fault: PlannedFault, at: number): FaultBand {
  return {
    id: `${fault.lane}/${at}`,
    lane: fault.lane,
    fault: fault.fault,
    text: fault.text,
    targets: fault.targets,
    beginNanos: nanosFromMs(fault.beginMs),
    endNanos: nanosFromMs(fault.endMs),
    result: fault.skipped === undefined ? 'installed' : 'skipped',
    evidence: fault.skipped ?? evidenceOf(fault),
    ...(fault.cut !== undefined && { cut: fault.cut }),
  };
}

/** Each client in turn: half reads, half writes; slow and often unknown while a fault is on. */
function clientEvents(
  { seconds, clients, rate }: FixtureOptions,
  plan: readonly PlannedFault[],
  random: Random,
): readonly Event[] {
  const events: Event[] = [];
  const gapMs = (1000 * clients) / rate;
  let nextProcess = clients;
  for (let thread = 0; thread < clients; thread++) {
    let process = thread;
    let value = thread * 1_000_000;
    for (let ms = random.float() * gapMs; ms < seconds * 990; ) {
      const start = ms;
      const hit = plan.some(
        ({ beginMs, endMs, skipped }) => skipped === undefined && start >= beginMs && start < endMs,
      );
      const write = random.chance(0.5);
      const mode: ReadMode | undefined = write
        ? undefined
        : random.pick(['linearizable', 'serializable'] as const);
      const type = hit ? random.pick(['ok', 'ok', 'fail', 'info'] as const) : 'ok';
      const took = (hit ? 40 : 2) * (0.5 + 4 * random.float() ** 6) + (type === 'info' ? 900 : 0);
      const base = {
        process,
        f: write ? 'write' : 'read',
        key: `k${random.int(0, 31)}`,
        phase: 'main' as const,
        node: NODES[thread % NODES.length] ?? 'n1',
        ...(mode !== undefined && { mode }),
      };
      const invoked = write ? ++value : null;
      const end = Math.min(ms + took, seconds * 1000);
      events.push({ ms, draft: { ...base, type: 'invoke', value: invoked } });
      events.push({
        ms: end,
        draft: {
          ...base,
          type,
          value: write ? invoked : value,
          ...(type !== 'ok' && {
            error: {
              code: type === 'fail' ? 'no-leader' : 'request-timed-out',
              definite: type === 'fail',
            },
          }),
        },
      });
      if (type === 'info') process = nextProcess++;
      ms = Math.max(end + 0.01, ms + gapMs * (0.8 + 0.4 * random.float()));
    }
  }
  return events;
}

/** n3 leads, then n5 when n3 is cut off, then n1 when n5 is frozen; n3 believes on for a while. */
function roleEvents({ seconds }: FixtureOptions, plan: readonly PlannedFault[]): readonly Event[] {
  const events: Event[] = [];
  for (let ms = 50; ms < seconds * 1000; ms += 250) {
    const share = plan.length === 0 ? 0 : ms / (seconds * 1000);
    const [leader, term]: readonly [string, number] =
      share < 0.17 ? ['n3', 4] : share < 0.565 ? ['n5', 5] : ['n1', 6];
    const down = plan.filter(
      ({ fault, skipped, beginMs, endMs }) =>
        fault !== 'partition' && skipped === undefined && ms >= beginMs && ms < endMs,
    );
    const samples = NODES.map((node): JsonValue => {
      if (down.some(({ targets }) => targets.includes(node)))
        return { node, role: 'unknown', state: 'unreachable' };
      const believes = node === 'n3' && share >= 0.17 && share < 0.2;
      const electing = share > 0.15 && share < 0.17 && node === 'n5';
      const plain: Role = electing ? 'candidate' : 'follower';
      const role: Role = node === leader || believes ? 'leader' : plain;
      return { node, role, state: 'answered', term: believes ? 4 : term };
    });
    const draft: OpDraft = {
      process: 'observer',
      type: 'info',
      f: 'roles',
      value: samples,
      phase: 'main',
    };
    events.push({ ms, draft });
  }
  return events;
}

/** Two writes in turn and a read of the first, after the second was acknowledged. */
function plantedEvents(aroundMs: number): readonly Event[] {
  const entry = (
    process: number,
    node: string,
    type: 'invoke' | 'ok',
    ms: number,
    [f, value]: readonly [string, number | null],
  ): Event => ({
    ms: aroundMs + ms,
    planted: true,
    draft: {
      process,
      type,
      f,
      key: 'k99',
      value,
      phase: 'main',
      node,
      ...(f === 'read' && { mode: 'linearizable' as const }),
    },
  });
  return [
    entry(901, 'n3', 'invoke', -2957.1, ['write', 41]),
    entry(901, 'n3', 'ok', -2951.2, ['write', 41]),
    entry(902, 'n5', 'invoke', -517.3, ['write', 42]),
    entry(902, 'n5', 'ok', -506.1, ['write', 42]),
    entry(903, 'n3', 'invoke', 0, ['read', null]),
    entry(903, 'n3', 'ok', 4.7, ['read', 41]),
  ];
}
