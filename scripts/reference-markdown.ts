/** The few words of Markdown that generated pages are made of. */

/** A table; a bar or a line break in a cell cannot end it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function cell(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');
}

export function code(text: string): string {
  return `\`${text}\``;
}

export function codes(texts: readonly string[]): string {
  return texts.map(code).join(', ');
}

/** A page that says where it comes from; `parts` are paragraphs, headings and tables. */
export function page(title: string, parts: readonly string[]): string {
  const origin = '<!-- Made by `npm run docs` from the code. Change the code, not this page. -->';
  return `${[`# ${title}`, origin, ...parts].join('\n\n')}\n`;
}
