/** Which links between nodes are cut or slowed now, as far as fault events say. */
import type { JsonValue } from '../harness/core/json.ts';
import type { FaultValue } from '../harness/protocols/nemesis.ts';
import { NETWORK_ABILITIES } from '../harness/protocols/network.ts';
import { clean } from './words.ts';

const ON_LINKS: ReadonlySet<string> = new Set([
  'partition',
  'link',
  'unplug',
  'drop-packets',
  ...NETWORK_ABILITIES,
]);

/** Whether the fault is one of the network. */
export function isOnLinks(fault: string): boolean {
  return ON_LINKS.has(fault);
}

/** Follows the fault events of a run in order. */
export class LinkWatch {
  /** The newest measurement tells of the faults of all lanes. */
  #matrix: Readonly<Record<string, string>> | undefined;
  readonly #active = new Map<string, FaultValue>();

  /** Whether any event has told of links. */
  get isTold(): boolean {
    return this.#matrix !== undefined || this.#active.size > 0;
  }

  add(lane: string, value: FaultValue): void {
    const { stage, fault, evidence, matrix } = value;
    if (matrix !== undefined) this.#matrix = matrix;
    if (stage === 'end') {
      const wasOnLinks = this.#active.delete(lane);
      // Healed, and not measured: what was measured before is no longer so.
      if (wasOnLinks && matrix === undefined && evidence.result !== 'failed')
        this.#matrix = undefined;
    } else if (evidence.result !== 'skipped' && (matrix !== undefined || isOnLinks(fault)))
      this.#active.set(lane, value);
  }

  /** `n1|n3 n2→n4 cut   n1→n2 slow`, where `|` means both directions; `all up` when nothing is. */
  text(): string {
    const links = Object.entries(this.#matrix ?? {});
    const cut = links.flatMap(([link, state]) => (state === 'cut' ? [link] : []));
    const parts = [
      ...(cut.length === 0 ? [] : [`${cut.length === links.length ? 'all' : pairsText(cut)} cut`]),
      ...[...this.#active.values()].flatMap((value) => besideCut(value, cut.length > 0)),
    ];
    if (parts.length > 0) return parts.join('   ');
    // Nobody can tell whether bytes reach a node that is down.
    return links.some(([, state]) => state === 'unknown') ? 'none cut' : 'all up';
  }
}

/** What a fault does to links beyond the cuts that are measured, if any are. */
function besideCut({ text, evidence, matrix }: FaultValue, isCut: boolean): readonly string[] {
  if (evidence.result !== 'installed') return [`${clean(text)} (not proven)`];
  const { slower, silent, readBack } = fieldsOf(evidence.probe);
  if (slower !== undefined) {
    const links = [...Object.keys(fieldsOf(slower)), ...namesIn(silent)];
    return links.length === 0 ? [clean(text)] : [`${pairsText(links)} slow`];
  }
  const isMeasured = isCut && matrix !== undefined && readBack === undefined;
  return isMeasured ? [] : [clean(text)];
}

function fieldsOf(value: JsonValue): Readonly<Record<string, JsonValue>> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, JsonValue>>) : {};
}

function namesIn(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}

/** `n1|n2` for both directions, `n1→n2` for one. */
function pairsText(links: readonly string[]): string {
  const all = new Set(links);
  const texts = [...all].flatMap((link) => {
    const [from = '', to = ''] = link.split('>');
    if (!all.has(`${to}>${from}`)) return [`${from}→${to}`];
    return from < to ? [`${from}|${to}`] : [];
  });
  return clean(texts.toSorted().join(' '));
}
