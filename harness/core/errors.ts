/**
 * Operating errors: what the machine, the configuration or an outside program did.
 * What the system under test answers is never an error here: it is data in the history.
 */
export type HarnessErrorCode =
  /** A flag, option or configuration that cannot be used. */
  | 'bad-option'
  /** A history, run or schedule file that cannot be read. */
  | 'bad-input'
  /** A program that should be on PATH is not. */
  | 'binary-missing'
  /** The container engine does not answer, refused, or has no such image. */
  | 'engine-failed'
  /** An address that should be free is taken. */
  | 'port-in-use'
  /** A node or helper process ended or never became ready. */
  | 'process-failed'
  /** The link layer refused or did not answer. */
  | 'network-failed'
  /** A fault or shape that this backend or system cannot do. */
  | 'unsupported'
  /** A phase or a step took longer than its deadline. */
  | 'deadline'
  /** The run store could not be written or read. */
  | 'store-failed'
  /** Nothing was selected to run. */
  | 'nothing-selected';

/** Exit codes; where several apply, `worstExit` decides. Follows Jepsen where it has one. */
export const EXIT = {
  pass: 0,
  violation: 1,
  unknown: 2,
  infrastructure: 3,
  nothingSelected: 4,
  interrupted: 130,
  terminated: 143,
  badArguments: 254,
  bug: 255,
} as const;

/** One clear line: what was tried, what was seen, what to do. */
export class HarnessError extends Error {
  override readonly name = 'HarnessError';
  readonly code: HarnessErrorCode;
  /** Longer evidence, such as the last lines of a program's stderr; printed below the line. */
  readonly details: string | undefined;
  constructor(
    code: HarnessErrorCode,
    message: string,
    options: { readonly details?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }
}

const EXIT_OF: Readonly<Partial<Record<HarnessErrorCode, number>>> = {
  'bad-option': EXIT.badArguments,
  'bad-input': EXIT.badArguments,
  'nothing-selected': EXIT.nothingSelected,
};

/** The exit code for an operating error: infrastructure, unless the user must change something. */
export function exitCodeOf(code: HarnessErrorCode): number {
  return EXIT_OF[code] ?? EXIT.infrastructure;
}

/** The text of anything thrown, on one line, for people. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}

/** The `code` of a Node.js system error (`ENOENT`, `EADDRINUSE`), if there is one. */
export function systemCodeOf(error: unknown): string | undefined {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    return error.code;
  return undefined;
}
