import { styleText } from 'node:util';

/** How a text is set off. Meaning never rests on it: every mark stands beside a word. */
export interface Style {
  readonly bad: Paint;
  readonly good: Paint;
  readonly warn: Paint;
  readonly dim: Paint;
  readonly strong: Paint;
}
type Paint = (text: string) => string;

const asIs = (text: string): string => text;

/** For pipes, files and `NO_COLOR`; the caller decides. */
export const plainStyle: Style = { bad: asIs, good: asIs, warn: asIs, dim: asIs, strong: asIs };

type Format = Parameters<typeof styleText>[0];

function coloured(format: Format): (text: string) => string {
  // The caller looked at the stream and the environment: nothing is guessed a second time here.
  return (text) => styleText(format, text, { validateStream: false });
}

export const ansiStyle: Style = {
  bad: coloured(['red', 'bold']),
  good: coloured('green'),
  warn: coloured('yellow'),
  dim: coloured('dim'),
  strong: coloured('bold'),
};
