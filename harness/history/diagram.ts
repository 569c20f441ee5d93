/**
 * Histories as interval diagrams, for tests where it matters what overlaps. A line a process; an
 * operation reaches from `[` to `]`, and columns are time:
 *
 *     0  [write x 1    ]   [w x 2 !]
 *     1       [read x 1]
 *     2         [cas x 1>3      ?]
 *     3                      [r x 2 mode=serializable]  [r x ...
 *
 * Inside stand f, key, value and attributes as in `notation.ts`; `r`, `w` and `c` are short for read,
 * write and cas. A `!` before the end means fail, a `?` info, else it is ok; `...` never completes.
 * The value of a read belongs to its completion, as do `rev`, `mod`, `ver`, `term`, `err`, `seen`.
 * Where columns are equal, invocations come first. Several lines may show the same process.
 */
import { HarnessError } from '../core/errors.ts';
import type { History } from './history.ts';
import { parseHistory } from './notation.ts';

/** Throws `bad-input` saying which line is not a diagram. */
export function parseDiagram(text: string): History {
  const marks = text.split('\n').flatMap((line) => marksOf(line));
  const ordered = marks.toSorted(
    (a, b) => a.column - b.column || Number(b.isInvoke) - Number(a.isInvoke),
  );
  return parseHistory(ordered.map(({ entry }) => entry).join('\n'));
}

interface Mark {
  readonly column: number;
  readonly isInvoke: boolean;
  readonly entry: string;
}

const SHORT: Readonly<Record<string, string>> = { r: 'read', w: 'write', c: 'cas' };
const OF_COMPLETION = /^(rev|mod|ver|term|member|cluster|err|seen)=/;

function marksOf(line: string): Mark[] {
  const process = /^\s*(\S+)/.exec(line);
  if (process?.[1] === undefined || process[1].startsWith('#')) return [];
  if (!/^\d+$/.test(process[1])) throw bad(line, `'${process[1]}' is not a process`);
  const marks: Mark[] = [];
  let at = process[0].length;
  while (line.slice(at).trim() !== '') {
    const begin = line.indexOf('[', at);
    if (line.slice(at, begin < 0 ? undefined : begin).trim() !== '' || begin < 0)
      throw bad(line, `there is no operation at '${line.slice(at).trim()}'`);
    const isOpen = /^[^\]]*\.\.\.\s*$/.test(line.slice(begin));
    const end = isOpen ? line.length : line.indexOf(']', begin);
    if (end < 0) throw bad(line, `the operation '${line.slice(begin)}' has no end: ] or ...`);
    const inside = line.slice(begin + 1, end);
    if (inside.includes('[')) throw bad(line, 'an operation begins before the one before it ends');
    const words = inside
      .replace(/\.\.\.\s*$/, '')
      .trim()
      .split(/\s+/);
    marks.push(...operation(process[1], words, begin, isOpen ? undefined : end));
    at = end + 1;
  }
  return marks;
}

function operation(
  process: string,
  inside: readonly string[],
  begin: number,
  end: number | undefined,
): Mark[] {
  const mark = inside.at(-1);
  const type = mark === '!' ? 'fail' : mark === '?' ? 'info' : 'ok';
  const words = type === 'ok' ? inside : inside.slice(0, -1);
  const first = words.findIndex((word) => /^(@|\w+=)/.test(word));
  const [short = '', key = '-', value = '_'] = first < 0 ? words : words.slice(0, first);
  const attributes = first < 0 ? [] : words.slice(first);
  const f = SHORT[short] ?? short;
  const late = attributes.filter((word) => OF_COMPLETION.test(word));
  const early = attributes.filter((word) => !OF_COMPLETION.test(word));
  const asked = f === 'read' ? '_' : value;
  const invoke = [process, 'invoke', f, key, asked, ...early].join(' ');
  const marks: Mark[] = [{ column: begin, isInvoke: true, entry: invoke }];
  if (end === undefined) return marks;
  if (type !== 'ok' && !late.some((word) => word.startsWith('err=')))
    late.push(type === 'fail' ? 'err=failed!' : 'err=unknown?');
  const answered = type === 'ok' ? value : asked;
  const entry = [process, type, f, key, answered, ...late].join(' ');
  return [...marks, { column: end, isInvoke: false, entry }];
}

function bad(line: string, why: string): HarnessError {
  return new HarnessError('bad-input', `history diagram, '${line.trim()}': ${why}`);
}
