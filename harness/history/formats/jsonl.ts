/** Our own `history.jsonl` as a text, for those who have no file: a browser, a test. */
import { decodeHeader, decodeLine, encodeOp, HEADER } from '../codec.ts';
import { type History, HistoryBuilder } from '../history.ts';
import { WellFormed } from '../well-formed.ts';
import { badInput, type Imported, linesOf, type Source } from './format.ts';

/** Throws `bad-input`, with the line. */
export function readJsonl(source: Source): Imported {
  const builder = new HistoryBuilder();
  const wellFormed = new WellFormed();
  let begun = false;
  for (const { line: text, number, at } of linesOf(source.text)) {
    const place = { file: source.name, line: number };
    if (!begun) {
      decodeHeader(text, place);
      begun = true;
      continue;
    }
    const op = decodeLine(text, place);
    const problem = wellFormed.problem(op);
    if (problem !== undefined)
      throw badInput(source, at, problem, 'the history is damaged; use another copy');
    builder.add(op);
  }
  if (!begun) throw badInput(source, 0, 'there is no header line', 'this is not a history of ours');
  return { history: builder.build(), notes: [] };
}

/** The inverse of `readJsonl`. */
export function* printJsonl(history: History): Generator<string> {
  yield HEADER;
  for (const op of history.ops()) yield encodeOp(op);
}
