import { hanging, paragraph } from '../layout.ts';
import type { Lines } from '../text/page.ts';
import { clipped, widthOf } from '../words.ts';

/** Between the columns of a table, after a label, around bars. */
const APART = / {2,}/;
const BARS = / {2,}├[─╌]*┤?$/;
const BARS_NOTE = 'bars show the order of the ends, not lengths';
/** `How often     1 of 64 keys`: what follows the label hangs to the right of it. */
const LABELLED = /^ (?<label>[A-Z][a-z ]*?) {2,}(?<text>\S.*)$/;
const LABEL_WIDTH = 15;

/**
 * A text that was laid out for other columns, made to fit: paragraphs flow anew, rows lose their
 * bars and then their ends. Commands stay whole, as in the text itself.
 */
export function refitted(lines: Lines, columns: number): Lines {
  if (lines.every((line) => widthOf(line) <= columns)) return lines;
  const isBarred = lines.some((line) => BARS.test(line) && widthOf(line) > columns);
  const bare = isBarred
    ? lines
        .map((line) => line.replace(BARS, ''))
        .filter((line, at) => line.trim() !== BARS_NOTE && lines[at + 1]?.trim() !== BARS_NOTE)
    : lines;
  const out: string[] = [];
  let flow: string[] = [];
  let isCommand = false;
  const flush = (): void => {
    if (flow.length > 0) out.push(...flowing(flow, columns));
    flow = [];
  };
  for (const line of bare) {
    const { label, text = line.trim() } = LABELLED.exec(line)?.groups ?? {};
    // What is to be pasted goes on after a backslash.
    isCommand = isPasted(text) || (isCommand && (out.at(-1) ?? '').endsWith('\\'));
    const isProse = !isCommand && text !== '' && !APART.test(text);
    if (!isProse || label !== undefined || !isNextOf(flow[0], line)) flush();
    if (isProse) flow.push(line);
    else out.push(isCommand ? line : clipped(line, columns));
  }
  flush();
  return out;
}

function isPasted(text: string): boolean {
  return text.startsWith('npx schism ') || (text.includes('/') && !text.includes(' '));
}

/** Whether a line goes on with what began in another. */
function isNextOf(first: string | undefined, line: string): boolean {
  if (first === undefined) return true;
  return indentOf(line) === (LABELLED.test(first) ? LABEL_WIDTH : indentOf(first));
}

function flowing(lines: Lines, columns: number): Lines {
  const [first = '', ...rest] = lines;
  if (lines.every((line) => widthOf(line) <= columns)) return lines;
  const { label, text = first.trim() } = LABELLED.exec(first)?.groups ?? {};
  const whole = [text, ...rest.map((line) => line.trim())].join(' ');
  return label === undefined
    ? paragraph(whole, columns, Math.min(indentOf(first), 20))
    : hanging(label, whole, columns, { label: 1, text: LABEL_WIDTH });
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
