/**
 * What the report's page gets of a run: a header in JSON and columns of numbers, compressed together.
 * `page-data.ts` writes it in Node, `page/decode.ts` reads it in the browser. Times are microseconds
 * since the start of the run; every text is clean.
 */

/** One number an operation in each, in this order; as varints (LEB128). */
export const COLUMNS = [
  /** Since the start of the operation before it. */
  'start',
  /** 0: it never completed; else the duration + 1. */
  'duration',
  'client',
  /** `4 * function + outcome`. */
  'kind',
  /** 0: no key; else its place in `keys` + 1. */
  'key',
  /** What was asked, see `valueCode`; of a cas: from. */
  'given',
  /** What came back; of a cas: to. */
  'got',
  /** 0: none; else its place in `nodes` + 1. */
  'node',
  /** 0: none; else its place in `errors` + 1. */
  'error',
  /** Entry of the invocation in the history, since the one before. */
  'entry',
] as const;

export type Column = (typeof COLUMNS)[number];

/** The lowest two bits of a kind. `open`: it never completed. */
export const OUTCOMES = ['ok', 'failed', 'unknown', 'open'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface PageFunction {
  readonly name: string;
  readonly mode: string;
  /** Its two values are one question: from and to. */
  readonly isPair: boolean;
}

/** A slice of the run; figures of latency are null where nothing ended ok. */
export interface PageBuckets {
  readonly start: readonly number[];
  readonly end: readonly number[];
  readonly ok: readonly number[];
  readonly failed: readonly number[];
  readonly unknown: readonly number[];
  readonly p50: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
  readonly max: readonly (number | null)[];
}

export interface PageBand {
  /** When it was begun; from `from` on its probe saw it. */
  readonly begun: number;
  readonly from: number;
  readonly to: number;
  /** False: it was still in effect when the history ended. */
  readonly ended: boolean;
  readonly lane: string;
  /** Which of the colours of faults, from 0. */
  readonly colour: number;
  readonly text: string;
  readonly result: 'installed' | 'skipped' | 'failed';
  readonly evidence: string;
  /** Directed links that were found cut: `n1>n2`. */
  readonly cut: readonly string[];
}

export interface PageSpan {
  readonly from: number;
  readonly to: number;
  readonly role: string;
  readonly term: number | null;
}

/** Several nodes that said at once that they lead. */
export interface PageRivals {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export interface PageViolation {
  readonly title: string;
  readonly text: string;
  readonly key: string;
  /** Entries of the invocations. */
  readonly entries: readonly number[];
  /** What must hold after some of them, by entry: `95 or newer`. */
  readonly steps: readonly (readonly [entry: number, text: string])[];
  /** Entry of the one that no order explains; -1: none stands out. */
  readonly culprit: number;
  readonly from: number;
  readonly to: number;
}

export interface PageLogLine {
  readonly time: number;
  readonly source: string;
  readonly level: string;
  readonly text: string;
}

export interface PageHeader {
  readonly format: 1;
  readonly end: number;
  /** Operations in the columns, and in the run. */
  readonly rows: number;
  readonly operations: number;
  /** How many clients worked at once; 0: not known. */
  readonly clients: number;
  readonly functions: readonly PageFunction[];
  readonly keys: readonly string[];
  readonly texts: readonly string[];
  readonly nodes: readonly string[];
  readonly errors: readonly string[];
  /** Bytes of each column. */
  readonly bytes: readonly number[];
  readonly buckets: PageBuckets;
  readonly bands: readonly PageBand[];
  readonly roles: readonly { readonly node: string; readonly spans: readonly PageSpan[] }[];
  readonly rivals: readonly PageRivals[];
  readonly phases: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  readonly violations: readonly PageViolation[];
  readonly logs: readonly PageLogLine[];
  /** Lines of logs that were left out. */
  readonly logsLeft: number;
}

/** Values as numbers: 0 is nothing, integers are odd, other values even and a place in `texts`. */
export function integerCode(value: number): number {
  return 1 + 2 * (value >= 0 ? 2 * value : -2 * value - 1);
}

export function textCode(place: number): number {
  return 2 + 2 * place;
}

export function valueOf(code: number, texts: readonly string[]): string {
  if (code === 0) return '';
  if (code % 2 === 0) return texts[code / 2 - 1] ?? '';
  const zigzag = (code - 1) / 2;
  return String(zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2);
}
