/**
 * A history as Jepsen's `history.edn`: what Knossos, Elle and `jepsen.history` read, and
 * `schism check` too.
 *
 * Values of operations with a key are tuples `[key value]`, as `jepsen.independent` writes them. Both
 * events of a fault are `:info` of `:nemesis`; what the observer saw has no place. Indices are
 * counted anew: readers expect them without gaps.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import { edn } from '../../harness/history/formats/edn.ts';
import type { History } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import type { Exported } from './exported.ts';

export function exportEdn(history: History): Exported {
  return { text: lines(history), notes: [] };
}

function* lines(history: History): Generator<string> {
  let index = 0;
  for (const op of history.ops()) {
    if (op.process === 'observer') continue;
    yield `${op.process === 'nemesis' ? faultLine(op, index) : clientLine(op, index)}\n`;
    index++;
  }
}

function clientLine(op: Op, index: number): string {
  const value = op.key === undefined ? edn(op.value) : `[${edn(op.key)} ${edn(op.value)}]`;
  return (
    `{:index ${index}, :time ${op.time}, :process ${op.process}, :type :${op.type}, ` +
    `:f ${keyword(op.f)}, :value ${value}${errorOf(op)}${fieldsOf(op)}}`
  );
}

/** `:start-pause` and `:stop-pause`, as the nemesis packages of Jepsen name them. */
function faultLine(op: Op, index: number): string {
  const { stage } = { ...(op.value as { readonly stage?: JsonValue } | null) };
  const verb = stage === 'end' ? 'stop' : 'start';
  return (
    `{:index ${index}, :time ${op.time}, :process :nemesis, :type :info, ` +
    `:f ${keyword(`${verb}-${op.f}`)}, :value ${edn(op.value)}}`
  );
}

function errorOf({ error }: Op): string {
  if (error === undefined) return '';
  const code = keyword(error.code);
  return `, :error ${error.message === undefined ? code : `[${code} ${edn(error.message)}]`}`;
}

function fieldsOf({ node, mode }: Op): string {
  return (
    (node === undefined ? '' : `, :node ${edn(node)}`) +
    (mode === undefined ? '' : `, :mode :${mode}`)
  );
}

/** A text where the name would not be read back as one keyword. */
function keyword(name: string): string {
  return /^[A-Za-z*!_?$%&=<>][\w*!?$%&=<>.-]*$/.test(name) ? `:${name}` : JSON.stringify(name);
}
