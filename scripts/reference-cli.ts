/** The help of every command, as the command line itself prints it. */
import { main, type Shell } from '../cli/program.ts';
import { page } from './reference-markdown.ts';

export async function cliPage(): Promise<string> {
  const top = await helpOf([]);
  const parts = ['In a checkout: `npx schism ...`.', fenced(top)];
  for (const name of commandsIn(top)) {
    const help = await helpOf([name]);
    parts.push(`## schism ${name}`, fenced(help));
    for (const inner of commandsIn(help))
      parts.push(`### schism ${name} ${inner}`, fenced(await helpOf([name, inner])));
  }
  parts.push(
    'Exit codes: [Verdicts and exit codes](../exit-codes.md). Names that other tools use are understood: ' +
      '`--nemesis` (`--fault`), `--time-limit` (`--duration`), `--concurrency` (`--clients`), ' +
      '`--test-count` (`--repeat-each`).',
  );
  return page('The command line', parts);
}

function commandsIn(help: string): string[] {
  const list = /\nCommands:\n([\s\S]*)$/.exec(help)?.[1] ?? '';
  const names = [...list.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name);
  return names.filter((name) => name !== 'help');
}

/** What `schism WORDS --help` prints, 80 columns wide. */
export async function helpOf(words: readonly string[]): Promise<string> {
  let out = '';
  const shell: Shell = {
    env: {},
    argv: [...words, '--help'],
    stdin: () => process.stdin,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      out += text;
    },
    isTty: false,
    columns: 80,
    onSignal: () => ({ [Symbol.dispose]: () => undefined }),
    die: (exit) => {
      throw new Error(`--help ended with ${exit}`);
    },
  };
  // Commander asks the process itself how wide its terminal is.
  const { isTTY } = process.stdout;
  process.stdout.isTTY = false;
  try {
    await main(shell);
  } finally {
    process.stdout.isTTY = isTTY;
  }
  return out.trimEnd();
}

const fenced = (text: string): string => `\`\`\`\n${text}\n\`\`\``;
