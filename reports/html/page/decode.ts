/** Reads what `page-data.ts` wrote. */
import {
  COLUMNS,
  type Column,
  OUTCOMES,
  type Outcome,
  type PageHeader,
  valueOf,
} from '../page-format.ts';

/** Operations as columns; a row is one operation, in order of invocation. Times: microseconds. */
export interface Operations {
  readonly length: number;
  readonly start: Float64Array;
  /** Of one that never completed, the end of the run. */
  readonly end: Float64Array;
  readonly client: Int32Array;
  readonly kind: Uint16Array;
  readonly key: Int32Array;
  readonly given: Float64Array;
  readonly got: Float64Array;
  readonly node: Uint16Array;
  readonly error: Uint16Array;
  readonly entry: Int32Array;
}

export interface RunData {
  readonly header: PageHeader;
  readonly ops: Operations;
}

/** Throws when the text is damaged. */
export async function decodePage(base64: string): Promise<RunData> {
  const packed = bytesOf(base64);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const json = new TextDecoder().decode(bytes.subarray(4, 4 + length));
  const header = JSON.parse(json) as PageHeader;
  return { header, ops: columnsOf(header, bytes, 4 + length) };
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const native = Uint8Array as unknown as {
    fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
  };
  if (native.fromBase64 !== undefined) return native.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  // A loop: `Uint8Array.from` with a function takes many times as long.
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

function columnsOf(header: PageHeader, bytes: Uint8Array, from: number): Operations {
  const { rows } = header;
  let at = from;
  const column = <T extends Int32Array | Uint16Array | Float64Array>(name: Column, out: T): T => {
    const size = header.bytes[COLUMNS.indexOf(name)] ?? 0;
    readVarints(bytes.subarray(at, at + size), out);
    at += size;
    return out;
  };
  const start = summed(column('start', new Float64Array(rows)));
  const end = column('duration', new Float64Array(rows));
  for (let row = 0; row < rows; row++) {
    const duration = end[row] as number;
    end[row] = duration === 0 ? header.end : (start[row] as number) + duration - 1;
  }
  return {
    length: rows,
    start,
    end,
    client: column('client', new Int32Array(rows)),
    kind: column('kind', new Uint16Array(rows)),
    key: column('key', new Int32Array(rows)),
    given: column('given', new Float64Array(rows)),
    got: column('got', new Float64Array(rows)),
    node: column('node', new Uint16Array(rows)),
    error: column('error', new Uint16Array(rows)),
    entry: summed(column('entry', new Int32Array(rows))),
  };
}

function readVarints(bytes: Uint8Array, out: Int32Array | Uint16Array | Float64Array): void {
  let at = 0;
  for (let row = 0; row < out.length; row++) {
    let value = 0;
    let factor = 1;
    let byte = bytes[at++] ?? 0;
    while (byte > 127) {
      value += (byte & 127) * factor;
      factor *= 128;
      byte = bytes[at++] ?? 0;
    }
    out[row] = value + byte * factor;
  }
}

function summed<T extends Int32Array | Float64Array>(steps: T): T {
  let sum = 0;
  for (let row = 0; row < steps.length; row++) {
    sum += steps[row] as number;
    steps[row] = sum;
  }
  return steps;
}

/** Outcome of a row. */
export function outcomeOf(ops: Operations, row: number): Outcome {
  return OUTCOMES[(ops.kind[row] as number) & 3] as Outcome;
}

/** `write 41`, `read → 41`, `cas 1 → 2`. */
export function textOf({ header, ops }: RunData, row: number): string {
  const call = header.functions[(ops.kind[row] as number) >> 2];
  const given = valueOf(ops.given[row] as number, header.texts);
  const got = valueOf(ops.got[row] as number, header.texts);
  const name = call?.name ?? '';
  if (call?.isPair === true) return `${name} ${given} → ${got}`;
  const asked = given === '' ? name : `${name} ${given}`;
  return got === '' ? asked : `${asked} → ${got}`;
}

export function modeOf({ header, ops }: RunData, row: number): string {
  return header.functions[(ops.kind[row] as number) >> 2]?.mode ?? '';
}

export function keyOf({ header, ops }: RunData, row: number): string {
  return header.keys[(ops.key[row] as number) - 1] ?? '';
}

export function nodeOf({ header, ops }: RunData, row: number): string {
  return header.nodes[(ops.node[row] as number) - 1] ?? '';
}

export function errorOf({ header, ops }: RunData, row: number): string {
  return header.errors[(ops.error[row] as number) - 1] ?? '';
}

/** The row with this entry, or -1 when the page does not hold it. */
export function rowOfEntry({ entry }: Operations, wanted: number): number {
  const at = firstAtLeast(entry, wanted, entry.length);
  return entry[at] === wanted ? at : -1;
}

/** The first place in sorted numbers that is not below `wanted`. */
export function firstAtLeast(
  sorted: Int32Array | Float64Array,
  wanted: number,
  length: number,
): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
