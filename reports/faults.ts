/** Fault events as the history holds them, paired to bands, with the matrices measured after them. */
import type { JsonValue } from '../harness/core/json.ts';
import type { NodeName } from '../harness/core/units.ts';
import type { Op } from '../harness/history/op.ts';
import type { FaultBand } from '../harness/protocols/details.ts';
import type { Evidence, FaultValue } from '../harness/protocols/nemesis.ts';
import { clean, clipped } from './words.ts';

/** The value of a completed fault event, or undefined when the entry is not one. */
export function faultValue(op: Op): FaultValue | undefined {
  if (op.process !== 'nemesis' || op.type !== 'info') return undefined;
  const { value } = op;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { stage, fault, text, targets, evidence } = value as Readonly<Record<string, JsonValue>>;
  const whole =
    (stage === 'begin' || stage === 'end') &&
    typeof fault === 'string' &&
    typeof text === 'string' &&
    Array.isArray(targets) &&
    typeof evidence === 'object' &&
    evidence !== null;
  return whole ? (value as unknown as FaultValue) : undefined;
}

/** One line: what the probe saw, or why there is nothing to see. */
export function evidenceText(evidence: Evidence, max = 160): string {
  if (evidence.result !== 'installed') return clipped(clean(evidence.why), max);
  return clipped(clean(probeText(evidence.probe)), max);
}

function probeText(probe: JsonValue): string {
  if (typeof probe === 'string') return probe;
  if (typeof probe !== 'object' || probe === null || Array.isArray(probe))
    return JSON.stringify(probe);
  return Object.entries(probe)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

/** Connectivity as measured right after a network fault began. */
export interface MeasuredMatrix {
  readonly timeNanos: number;
  readonly fault: string;
  readonly text: string;
  readonly nodes: readonly NodeName[];
  /** `n1>n2` mapped to `open`, `cut` or `unknown`. */
  readonly links: Readonly<Record<string, string>>;
}

export interface FaultView {
  readonly bands: readonly FaultBand[];
  readonly matrices: readonly MeasuredMatrix[];
}

/** Takes the entries of the nemesis in order. */
export class FaultBuilder {
  readonly #bands: { -readonly [K in keyof FaultBand]: FaultBand[K] }[] = [];
  readonly #open = new Map<string, { -readonly [K in keyof FaultBand]: FaultBand[K] }>();
  readonly #matrices: MeasuredMatrix[] = [];

  add(op: Op): void {
    const value = faultValue(op);
    if (value === undefined) return;
    const lane = op.lane ?? value.fault;
    const name = `${lane}\n${op.id ?? ''}`;
    if (value.stage === 'end') {
      const band = this.#open.get(name);
      if (band !== undefined) band.endNanos = op.time;
      this.#open.delete(name);
      return;
    }
    const cut = cutLinks(value.matrix);
    const band = {
      id: op.id ?? '',
      lane,
      fault: value.fault,
      text: value.text,
      targets: value.targets,
      beginNanos: op.time,
      result: value.evidence.result,
      evidence: evidenceText(value.evidence),
      ...(cut.length > 0 && { cut }),
    };
    this.#bands.push(band);
    this.#open.set(name, band);
    if (value.matrix !== undefined) this.#matrix(op, value, value.matrix);
  }

  #matrix(op: Op, { fault, text }: FaultValue, links: Readonly<Record<string, string>>): void {
    const nodes = [...new Set(Object.keys(links).flatMap((link) => link.split('>')))].toSorted();
    this.#matrices.push({ timeNanos: op.time, fault, text, nodes, links });
  }

  build(): FaultView {
    return { bands: this.#bands, matrices: this.#matrices };
  }
}

function cutLinks(matrix: FaultValue['matrix']): readonly string[] {
  return Object.entries(matrix ?? {}).flatMap(([link, state]) => (state === 'cut' ? [link] : []));
}
