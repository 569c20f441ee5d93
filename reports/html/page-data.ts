/** The data of the interactive page, as `page-format.ts` says. */
import { gzipSync } from 'node:zlib';
import type { History } from '../../harness/history/history.ts';
import type { RunResult } from '../../harness/protocols/run.ts';
import { shownOperations } from '../counterexample.ts';
import type { Reading } from '../reading.ts';
import { clean, clipped, faultText } from '../words.ts';
import { faultKinds } from './axis.ts';
import { ANOMALIES_MAX } from './counterexample-view.ts';
import { linesAround, type NodeLog } from './node-logs.ts';
import { chosenOperations, OPERATIONS_MAX } from './page-choice.ts';
import { ColumnWriter, micros } from './page-columns.ts';
import type { PageBuckets, PageHeader, PageViolation } from './page-format.ts';
import { rivalText } from './rivals.ts';
import { provenSteps } from './steps.ts';

const VIOLATIONS_MAX = 50;
const BANDS_MAX = 5000;
const SPANS_MAX = 5000;

export interface PageSource {
  readonly result: RunResult;
  readonly history: History;
  readonly reading: Reading;
  readonly logs: readonly NodeLog[];
  /** Operations that the columns hold at most. */
  readonly operationsMax?: number;
}

/** Header and columns: the header's length in four bytes, the header, the columns; gzip, base64. */
export function encodePage(source: PageSource): string {
  const { result, history, reading, logs } = source;
  const violations = violationsOf(result, history);
  const { endNanos } = reading;
  const chosen = chosenOperations(history, violations, {
    max: source.operationsMax ?? OPERATIONS_MAX,
    undecided: undecidedKeys(result),
  });
  const columns = new ColumnWriter(history);
  for (const index of chosen.invocations) columns.add(index);
  const { lines, left } = linesAround(logs, violations);
  const { body, bytes } = columns.body();
  const header: PageHeader = {
    format: 1,
    end: micros(endNanos),
    rows: chosen.invocations.length,
    operations: chosen.all,
    clients: result.manifest.config.workloadOptions.clients,
    ...columns.dictionaries(),
    bytes,
    buckets: bucketsOf(reading),
    bands: bandsOf(reading, history),
    roles: reading.cluster.lanes.map(({ node, spans }) => ({
      node: clean(node),
      spans: spans.slice(0, SPANS_MAX).map(({ startNanos, endNanos: to, role, term }) => ({
        from: micros(startNanos),
        to: micros(to),
        role,
        term: term ?? null,
      })),
    })),
    rivals: reading.cluster.rivals.slice(0, SPANS_MAX).map((rivals) => ({
      from: micros(rivals.startNanos),
      to: micros(rivals.endNanos),
      text: clipped(rivalText(rivals), 200),
    })),
    phases: result.phases.map((span) => ({
      name: span.phase,
      from: micros(span.startNanos),
      to: micros(span.endNanos),
    })),
    violations,
    logs: lines,
    logsLeft: left,
  };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return gzipSync(Buffer.concat([length, json, ...body])).toString('base64');
}

/** Keys of which the checker knows nothing: these operations are wanted, too. */
function undecidedKeys({ checks }: RunResult): readonly string[] {
  return checks.flatMap(({ details }) => {
    const unknown = details['unknown'];
    if (!Array.isArray(unknown)) return [];
    return (unknown as readonly { readonly key?: unknown }[]).flatMap(({ key }) =>
      typeof key === 'string' ? [key] : [],
    );
  });
}

function violationsOf({ checks }: RunResult, history: History): readonly PageViolation[] {
  const seen = new Set<string>();
  return checks
    .filter(({ verdict }) => verdict === 'invalid')
    .flatMap(({ checker, anomalies }) =>
      anomalies.slice(0, ANOMALIES_MAX).map((anomaly) => ({ checker, anomaly })),
    )
    .flatMap(({ checker, anomaly }) => {
      const operations = shownOperations(anomaly, history);
      const ends = operations.map(({ startNanos, endNanos }) => endNanos ?? startNanos);
      const entries = operations.map(({ index }) => index);
      // Two checks may name the same operations.
      if (operations.length === 0 || seen.has(entries.join())) return [];
      seen.add(entries.join());
      const culprit = operations.find((operation) => operation.culprit);
      return [
        {
          title: `${clean(checker)} · ${clean(anomaly.kind)}`,
          text: clipped(clean(anomaly.explanation), 2000),
          key: clean(anomaly.key ?? ''),
          entries,
          steps: provenSteps(anomaly, history).map(({ entry, after }) => [entry, after] as const),
          culprit: culprit?.index ?? -1,
          from: micros(Math.min(...operations.map(({ startNanos }) => startNanos))),
          to: micros(Math.max(...ends)),
        },
      ];
    })
    .slice(0, VIOLATIONS_MAX);
}

function bucketsOf({ buckets }: Reading): PageBuckets {
  const rounded = (value: number | null): number | null => (value === null ? null : micros(value));
  return {
    start: buckets.map(({ startNanos }) => micros(startNanos)),
    end: buckets.map(({ endNanos }) => micros(endNanos)),
    ok: buckets.map(({ ok }) => ok),
    failed: buckets.map(({ fail }) => fail),
    unknown: buckets.map(({ info }) => info),
    p50: buckets.map(({ p50 }) => rounded(p50)),
    p99: buckets.map(({ p99 }) => rounded(p99)),
    max: buckets.map(({ max }) => rounded(max)),
  };
}

function bandsOf(reading: Reading, history: History): PageHeader['bands'] {
  const kinds = faultKinds(reading);
  const begun = begunTimes(history);
  return reading.bands.slice(0, BANDS_MAX).map((band) => ({
    begun: micros(begun.get(`${band.lane}\n${band.id}`) ?? band.beginNanos),
    from: micros(band.beginNanos),
    to: micros(band.endNanos ?? reading.endNanos),
    ended: band.endNanos !== undefined,
    lane: clipped(clean(band.lane), 40),
    colour: kinds.indexOf(band.fault) % 6,
    text: clipped(faultText(band), 160),
    result: band.result,
    evidence: clipped(clean(band.evidence), 240),
    cut: (band.cut ?? []).slice(0, 400).map(clean),
  }));
}

/** When each fault was begun, by lane and id: a fault may act before its probe has seen it. */
function begunTimes(history: History): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const { type, lane, id, time } of history.faults()) {
    const name = `${lane ?? ''}\n${id ?? ''}`;
    if (type === 'invoke' && !times.has(name)) times.set(name, time);
  }
  return times;
}
