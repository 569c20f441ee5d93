/** Lines of at most so many columns: wrapping and tables. Text given here is already clean. */
import { clipped, widthOf } from './words.ts';

/** Breaks at spaces; a word that is longer than a line is cut. Never returns an empty list. */
export function wrap(text: string, width: number): readonly string[] {
  const room = Math.max(1, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    for (const piece of pieces(word, room)) {
      const joined = line === '' ? piece : `${line} ${piece}`;
      if (line !== '' && widthOf(joined) > room) {
        lines.push(line);
        line = piece;
      } else {
        line = joined;
      }
    }
  }
  lines.push(line);
  return lines;
}

/** Wrapped, with `indent` spaces before each line. */
export function paragraph(text: string, columns: number, indent: number): readonly string[] {
  const pad = ' '.repeat(indent);
  return wrap(text, columns - indent).map((line) => `${pad}${line}`);
}

/**
 * A command over several lines, to be pasted as it is: every line but the last ends in a backslash.
 * Words are never cut, so a long path may stand out.
 */
export function commandLines(command: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  // A flag stays with its value.
  for (const word of command.split(/ (?=-)/)) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (line !== '' && widthOf(joined) > width - 2) {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    } else {
      line = joined;
    }
  }
  return [...lines, line];
}

/** A label, then text that hangs to the right of it: `Why it is hard   38 operations ...`. */
export function hanging(
  label: string,
  text: string,
  columns: number,
  indent: { readonly label: number; readonly text: number },
): readonly string[] {
  const [first = '', ...rest] = wrap(text, columns - indent.text);
  const pad = ' '.repeat(indent.text);
  const head = `${' '.repeat(indent.label)}${label}`.padEnd(indent.text - 1);
  return [`${head} ${first}`, ...rest.map((line) => `${pad}${line}`)];
}

function pieces(word: string, room: number): readonly string[] {
  if (word.length <= room) return [word];
  const characters = Array.from(word);
  const out: string[] = [];
  for (let at = 0; at < characters.length; at += room)
    out.push(characters.slice(at, at + room).join(''));
  return out;
}

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** Takes what is left; its text wraps. At most one column. */
  readonly wraps?: boolean;
  /** Cells are clipped to this many columns. */
  readonly max?: number;
}

/** Heading and rows under each other, two spaces between columns, never wider than `columns`. */
export function table(
  heads: readonly Column[],
  rows: readonly (readonly string[])[],
  options: { readonly columns: number; readonly indent: number },
): readonly string[] {
  const texts = [heads.map(({ title }) => title), ...rows].map((row) =>
    heads.map(({ max }, at) => (max === undefined ? (row[at] ?? '') : clipped(row[at] ?? '', max))),
  );
  const widths = heads.map((_, at) => Math.max(...texts.map((row) => widthOf(row[at] ?? ''))));
  fit(heads, widths, options.columns - options.indent - 2 * (heads.length - 1));
  return texts.flatMap((row) => rowLines(heads, widths, row, options.indent));
}

/** Narrows the wrapping column, or else the widest ones, until a row fits. */
function fit(heads: readonly Column[], widths: number[], room: number): void {
  const total = (): number => widths.reduce((sum, width) => sum + width, 0);
  const wrapping = heads.findIndex(({ wraps }) => wraps === true);
  if (wrapping >= 0) {
    const over = total() - room;
    if (over > 0) widths[wrapping] = Math.max(12, (widths[wrapping] ?? 0) - over);
  }
  while (total() > room) {
    const widest = Math.max(...widths);
    if (widest <= 4) return;
    widths[widths.indexOf(widest)] = widest - 1;
  }
}

function rowLines(
  heads: readonly Column[],
  widths: readonly number[],
  row: readonly string[],
  indent: number,
): readonly string[] {
  const cells = heads.map(({ wraps }, at) => {
    const [text, width] = [row[at] ?? '', widths[at] ?? 0];
    return wraps === true ? wrap(text, width) : [clipped(text, width)];
  });
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) => {
    const parts = heads.map(({ align }, at) => {
      const text = cells[at]?.[line] ?? '';
      const gap = ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(text)));
      return align === 'right' ? `${gap}${text}` : `${text}${gap}`;
    });
    return `${' '.repeat(indent)}${parts.join('  ')}`.trimEnd();
  });
}
