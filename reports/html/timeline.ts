import { unreachable } from '../../harness/core/invariant.ts';
import type { FaultBand } from '../../harness/protocols/details.ts';
import { leaderText, type RoleLane, type RoleSpan } from '../cluster.ts';
import type { Reading } from '../reading.ts';
import { clean, clipped, counted, faultText, momentText } from '../words.ts';
import {
  type Box,
  bandTitle,
  ends,
  faultClass,
  faultKeys,
  keyEntry,
  LEFT,
  place,
  RIGHT,
  rect,
  timeAxis,
  timeScale,
  violationLines,
  WIDTH,
} from './axis.ts';
import { html, type Markup } from './markup.ts';
import { rivalText } from './rivals.ts';

const ROW = 24;
const TOP = 18;
/** About the width of a letter in the plots. */
const LETTER = 6;
const BANDS_MAX = 600;
const SPANS_MAX = 2000;
const RIVALS_MAX = 300;

interface Row {
  readonly label: string;
  draw(y: number): Markup;
}

/** Phases, one lane for each family of faults, one for each node, all over the same time. */
export function timelinePlot(reading: Reading, violations: readonly number[]): Markup {
  const rows = [
    ...phaseRow(reading),
    ...faultRows(reading),
    ...nodeRows(reading),
    ...rivalRows(reading),
  ];
  if (rows.length === 0) return html`<p class="muted">Nothing was observed over time.</p>`;
  const bottom = TOP + rows.length * ROW + 4;
  const x = timeScale(reading.endNanos);
  const marks = violations.slice(0, 20);
  const nodes = reading.cluster.lanes.length;
  const label =
    `Timeline of ${(reading.endNanos / 1e9).toFixed(1)} seconds: ` +
    `${counted(reading.bands.length, 'fault')}, roles of ${counted(nodes, 'node')}, ` +
    `${counted(violations.length, 'violation')}.`;
  return html`<figure><figcaption><strong>Timeline</strong>${faultKeys(reading)}${roleKeys(reading)}</figcaption>
<div class="scroll"><svg class="plot" viewBox="0 0 ${WIDTH} ${bottom + 22}" role="img" aria-label="${label}">
${timeAxis(reading, TOP, bottom)}
${rows.map((row, at) => {
  const y = TOP + 2 + at * ROW;
  return html`<text class="muted end" x="${LEFT - 8}" y="${y + 15}">${clipped(row.label, 13)}</text>
${row.draw(y)}`;
})}
<path class="axis" d="M${LEFT} ${TOP}V${bottom}H${WIDTH - RIGHT}"/>
${violationLines(marks, reading, [TOP - 4, bottom])}
${marks.map((time) => html`<text class="violation-mark middle" x="${x(time)}" y="${TOP - 6}">✗</text>`)}
</svg></div></figure>${rivalLines(reading)}`;
}

function phaseRow(reading: Reading): readonly Row[] {
  if (reading.phases.length === 0) return [];
  const x = timeScale(reading.endNanos);
  return [
    {
      label: 'phase',
      draw: (y) =>
        html`${reading.phases.map(({ phase, startNanos, endNanos }) => {
          const [from, to] = [x(startNanos), x(endNanos)];
          const room = to - from >= phase.length * LETTER + 4;
          const title = `${phase} ${momentText(startNanos)} to ${momentText(endNanos)} s`;
          return html`${rect('phase', { x: from, y: y + 2, width: to - from, height: 18 }, title)}${
            room &&
            html`<text class="muted middle" x="${place((from + to) / 2)}" y="${y + 15}">${phase}</text>`
          }`;
        })}`,
    },
  ];
}

function faultRows(reading: Reading): readonly Row[] {
  const lanes = Map.groupBy(reading.bands.slice(0, BANDS_MAX), ({ lane }) => lane);
  return [...lanes].map(([lane, bands]) => ({
    label: clean(lane),
    draw: (y) => html`${bands.map((band, at) => bandMark(band, bands[at + 1], reading, y))}`,
  }));
}

/** A bar with its words in it and beyond it, up to the next bar of the lane. */
function bandMark(
  band: FaultBand,
  next: FaultBand | undefined,
  reading: Reading,
  y: number,
): Markup {
  const x = timeScale(reading.endNanos);
  const [from, to] = ends(band, reading, x);
  const limit = next === undefined ? WIDTH - RIGHT : x(next.beginNanos);
  const letters = Math.floor((limit - from - 8) / LETTER);
  const took = band.result === 'installed';
  // The row already names the family.
  const text = band.lane === band.fault ? clean(band.text) : faultText(band);
  const words = took ? text : `${band.result}: ${text}`;
  const name = took ? `bar ${faultClass(reading, band.fault)}` : 'idle';
  const box = { x: from, y: y + 2, width: to - from, height: 18 };
  return html`${rect(name, box, bandTitle(band))}${
    letters >= 4 &&
    html`<text x="${place(from + 4)}" y="${y + 15}">${clipped(words, letters)}</text>`
  }`;
}

function nodeRows(reading: Reading): readonly Row[] {
  return reading.cluster.lanes.map(({ node, spans }: RoleLane) => ({
    label: clean(node),
    draw: (y) => html`${spans.slice(0, SPANS_MAX).map((span) => spanMark(span, reading, y))}`,
  }));
}

function rivalRows(reading: Reading): readonly Row[] {
  const rivals = reading.cluster.rivals.slice(0, RIVALS_MAX);
  if (rivals.length === 0) return [];
  const x = timeScale(reading.endNanos);
  return [
    {
      label: '⚠ leaders',
      draw: (y) =>
        html`${rivals.map((span, at) => {
          const [from, to] = [x(span.startNanos), x(span.endNanos)];
          const next = rivals[at + 1];
          const limit = next === undefined ? WIDTH - RIGHT : x(next.startNanos);
          const letters = Math.floor((limit - from - 8) / LETTER);
          const text = rivalText(span);
          const box = { x: from, y: y + 4, width: Math.max(1, to - from), height: 14 };
          return html`${rect('rivals', box, text)}${
            letters >= 4 &&
            html`<text x="${place(from + 4)}" y="${y + 15}">${clipped(text, letters)}</text>`
          }`;
        })}`,
    },
  ];
}

function spanMark(span: RoleSpan, reading: Reading, y: number): Markup {
  const x = timeScale(reading.endNanos);
  const [from, to] = [x(span.startNanos), x(span.endNanos)];
  const width = place(Math.max(span.role === 'leader' ? 1 : 0.2, to - from));
  const term = span.term === undefined ? '' : ` t${span.term}`;
  const role = span.role === 'unreachable' ? 'no answer' : span.role;
  const times = `${momentText(span.startNanos)} to ${momentText(span.endNanos)} s`;
  const title = `${role}${term}, ${times}`;
  const box = (top: number, height: number): Box => ({ x: from, y: y + top, width, height });
  const letters = Math.floor((width - 8) / LETTER);
  const words = [`${role}${term}`, term.trim()].find(
    (text) => text !== '' && text.length <= letters,
  );
  switch (span.role) {
    case 'leader':
      return html`${rect('leader', box(2, 18), title)}${
        words !== undefined &&
        html`<text class="on-leader" x="${place(from + 4)}" y="${y + 15}">${words}</text>`
      }`;
    case 'candidate':
      return rect('candidate', box(5, 12), title);
    case 'unreachable':
    case 'unknown':
      return html`${rect('gone', box(5, 12))}${rect('hatch-gone', box(5, 12), title)}`;
    case 'follower':
    case 'learner':
      return rect(span.role, box(9, 4), title);
    default:
      return unreachable(span.role);
  }
}

function roleKeys({ cluster }: Reading): readonly Markup[] {
  const roles = new Set(cluster.lanes.flatMap(({ spans }) => spans.map(({ role }) => role)));
  const swatch = (name: string, y: number, height: number): Markup =>
    rect(name, { x: 1, y, width: 16, height });
  const swatches: readonly (readonly [RoleSpan['role'], string, Markup])[] = [
    ['leader', 'leader', swatch('leader', 1, 10)],
    ['follower', 'follower', swatch('follower', 4, 4)],
    ['learner', 'learner', swatch('learner', 4, 4)],
    ['candidate', 'candidate', swatch('candidate', 2, 8)],
    ['unreachable', 'no answer', html`${swatch('gone', 1, 10)}${swatch('hatch-gone', 1, 10)}`],
  ];
  return swatches
    .filter(([role]) => roles.has(role) || (role === 'unreachable' && roles.has('unknown')))
    .map(([, word, drawn]) => keyEntry(drawn, word));
}

/** Leaders side by side, in words: the plot shows them, but one has to look for it. */
function rivalLines({ cluster }: Reading): Markup {
  return html`${cluster.rivals.slice(0, 5).map(
    ({ leaders, startNanos, endNanos }) =>
      html`<p class="small">⚠ ${leaders.map(leaderText).join(' and ')} said at the same time that they
lead, as observed from ${momentText(startNanos)} to ${momentText(endNanos)} s.</p>`,
  )}`;
}
