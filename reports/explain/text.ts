import { againCommand, shrinkCommand, titleOf } from '../command.ts';
import { bySeverity } from '../details.ts';
import { commandLines, hanging, paragraph, table } from '../layout.ts';
import { readRun } from '../reading.ts';
import { parametersOf } from '../stored/parameters.ts';
import { plainStyle } from '../style.ts';
import type { Lines, Page } from '../text/page.ts';
import { unknownLines } from '../text/unknown.ts';
import { violationLines } from '../text/violation.ts';
import { clean, lengthText, RUN_WORDS } from '../words.ts';
import { claimLines, type Explained } from './claims.ts';

const INDENT = { label: 1, text: 16 };
const PROBLEMS_MAX = 5;

/**
 * What a run found, said again from what it stored, with what became of its claims and all it
 * depended on. Plain text; 60 to 120 columns.
 */
export function renderExplanation(explained: Explained, wanted: number): string {
  const columns = Math.min(120, Math.max(60, wanted));
  const { result, ref, fingerprint } = explained;
  const { manifest } = result;
  const said = (label: string, text: string): Lines => hanging(label, text, columns, INDENT);
  const [first, ...rest] = claimLines(explained.claims);
  const isShrinkable = shrinkCommand(result) !== '';
  const commands = [
    ['Judge again', checkText(ref)],
    ['Run again', againCommand(manifest)],
    ['Make it small', isShrinkable ? `npx schism shrink ${quotedRef(ref)}` : ''],
  ].filter(([, text]) => text !== '');
  const lines = [
    headline(explained),
    ...storyLines(explained, columns),
    '',
    ...(first === undefined ? [] : said('Re-checked', first)),
    ...rest.flatMap((line) => said('', line)),
    ...(fingerprint === undefined
      ? []
      : said('Fingerprint', `${fingerprint}, the same for runs that fail in the same way`)),
    ...commands.flatMap(([label = '', text = '']) =>
      commandLines(text, columns - INDENT.text).map(
        (line, at) => ` ${at === 0 ? label : ''}`.padEnd(INDENT.text) + line,
      ),
    ),
    '',
    ' Parameters',
    ...table(
      [{ title: '' }, { title: '', wraps: true }],
      parametersOf(manifest).map(([...row]) => row),
      {
        columns,
        indent: 3,
      },
    ).slice(1),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function headline({ result }: Explained): string {
  const { symbol, word } = RUN_WORDS[result.verdict];
  const { manifest, wallMs } = result;
  return ` ${symbol} ${word}  ${titleOf(manifest)}   run ${clean(manifest.run)}   ${lengthText(wallMs)}`;
}

/** Judges what is stored again, always to the same verdict. */
export function checkText(ref: string): string {
  return `npx schism check ${quotedRef(ref)}`;
}

function quotedRef(ref: string): string {
  const safe = clean(ref);
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(safe)
    ? safe
    : `'${safe.replaceAll("'", String.raw`'\''`)}'`;
}

/** The sentences: of violations, of what could not be decided, of what went wrong. */
export function storyLines({ result, history }: Explained, columns: number): Lines {
  const reading = readRun(result, history);
  const page: Page = { result, history, reading, style: plainStyle, columns };
  const fatal = bySeverity(result.problems).filter(({ severity }) => severity === 'fatal');
  const lines = [
    ...result.checks
      .filter(({ verdict }) => verdict === 'invalid')
      .flatMap((check) => violationLines(check, page)),
    ...fatal
      .slice(0, PROBLEMS_MAX)
      .flatMap(({ step, message }) => [
        '',
        ...paragraph(`✗ ${clean(step)}: ${clean(message)}`, columns, 1),
      ]),
    ...result.checks
      .filter(({ verdict }) => verdict === 'unknown')
      .flatMap((check) => unknownLines(check, page)),
  ];
  if (lines.length > 0) return lines;
  const nothing =
    result.verdict === 'pass'
      ? 'No violation was found in what ran, so there is nothing to explain. It is not a proof.'
      : clean(result.reasons[0] ?? 'Nothing was checked.');
  return ['', ...paragraph(nothing, columns, 3)];
}
