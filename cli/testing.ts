/** The command line without a process of its own, for tests. */
import { main, type Shell } from './program.ts';

export interface Around extends Partial<Pick<Shell, 'env' | 'argv' | 'isTty' | 'columns'>> {
  /** What standard input holds. */
  readonly input?: string;
}

/** A shell that nobody sits at: it keeps what is said, and no signal ever comes. */
export function fakeShell({ input, ...more }: Around = {}): {
  readonly shell: Shell;
  readonly said: { out: string; err: string };
} {
  const said = { out: '', err: '' };
  const shell: Shell = {
    env: {},
    argv: [],
    stdin: () =>
      (async function* () {
        if (input !== undefined) yield Buffer.from(input);
      })(),
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    isTty: false,
    columns: 100,
    onSignal: () => ({ [Symbol.dispose]: () => undefined }),
    die: (code) => {
      throw new Error(`ended with ${code}`);
    },
    ...more,
  };
  return { shell, said };
}

/** A command within this process: for those that load no code of the user's. */
export async function called(
  argv: readonly string[],
  around: Omit<Around, 'argv'> = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const { shell, said } = fakeShell({ ...around, argv });
  return { code: await main(shell), ...said };
}
