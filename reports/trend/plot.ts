import { html, type Markup } from '../html/markup.ts';

const [WIDTH, HEIGHT, PAD] = [320, 72, 6];

interface Plot {
  readonly title: string;
  /** One for each value. */
  readonly days: readonly string[];
  /** Undefined: not measured; the line has a gap there. */
  readonly values: readonly (number | undefined)[];
  readonly text: (value: number) => string;
}

/** A line from night to night, from nothing to the greatest value, and in words what it shows. */
export function plot({ title, days, values, text }: Plot): Markup {
  const known = values.flatMap((value) => (value === undefined ? [] : [value]));
  const last = known.at(-1);
  if (last === undefined)
    return html`<figure><figcaption>${title}: <span class="muted">not measured</span></figcaption></figure>`;
  const most = Math.max(...known);
  const said = `${title}: now ${text(last)}, between ${text(Math.min(...known))} and ${text(most)}`;
  const place = (value: number, at: number): readonly [x: number, y: number] => [
    PAD + (values.length === 1 ? 0.5 : at / (values.length - 1)) * (WIDTH - 2 * PAD),
    HEIGHT - PAD - (most === 0 ? 0 : value / most) * (HEIGHT - 2 * PAD),
  ];
  const dots = values.flatMap((value, at) =>
    value === undefined ? [] : [{ at, place: place(value, at), value }],
  );
  const circles = dots.map(({ at, place: [x, y], value }) => {
    const hint = html`<title>${days[at] ?? ''}: ${text(value)}</title>`;
    return html`<circle class="dot" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2.5">${hint}</circle>`;
  });
  return html`<figure><figcaption>${said}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${said}">
<line class="base" x1="${PAD}" x2="${WIDTH - PAD}" y1="${HEIGHT - PAD}" y2="${HEIGHT - PAD}"/>
${strokes(dots).map((points) => html`<polyline class="line" points="${points}"/>`)}
${circles}
</svg></figure>`;
}

/** A line for each stretch of nights without a gap. */
function strokes(
  dots: readonly { readonly at: number; readonly place: readonly [number, number] }[],
): readonly string[] {
  const lines: string[][] = [];
  for (const [nth, { at, place }] of dots.entries()) {
    const point = place.map((part) => part.toFixed(1)).join(',');
    if (nth === 0 || dots[nth - 1]?.at !== at - 1) lines.push([point]);
    else lines.at(-1)?.push(point);
  }
  return lines.filter(({ length }) => length > 1).map((points) => points.join(' '));
}
