/** What is asked of both systems, as data. */
import type { NodeName } from '../../../harness/core/units.ts';

/**
 * A command as one would type it, cut at blanks; a list where an argument is empty or has blanks.
 * `{...}` stands for what a system itself said or chose: `{n1}` for a member's id in hex, `{n1.peer}`
 * and `{n1.client}` for its URLs, `{name}` for what a step captured under that name.
 */
export type Command = string | readonly string[];

export interface RunStep {
  readonly run: Command;
  readonly stdin?: string;
  /** Asked of this node, or with all as endpoints (`all`); of `n1` by default. */
  readonly at?: NodeName;
  /** A name for the first group of a pattern in the output; differences speak of it by that name. */
  readonly capture?: Readonly<Record<string, RegExp>>;
  /** Again until the output matches, since both need time for it; only the last time counts. */
  readonly until?: RegExp;
  /** The order of lines is not promised, since it follows from ids. */
  readonly unordered?: boolean;
}

/** A command that goes on beside those that follow. */
export interface StartStep {
  readonly start: Command;
  readonly as: string;
  readonly stdin?: string;
}

/** Waits until what `as` wrote matches, ends it if it does not end by itself, and compares. */
export interface FinishStep {
  readonly finish: string;
  /** By default: until it ends by itself. */
  readonly until?: RegExp;
  /** By default SIGKILL. */
  readonly signal?: 'SIGINT';
}

/** Starts a spare that was added to the members. */
export interface JoinStep {
  readonly join: NodeName;
  /** All there are by now, itself too. */
  readonly members: readonly NodeName[];
}

export type Step = RunStep | StartStep | FinishStep | JoinStep;

export interface Sequence {
  readonly kind: 'commands';
  readonly name: string;
  /** For something that takes its time, so it can well run beside others of its kind. */
  readonly isMostlyWaiting?: boolean;
  /** It has a fresh cluster of so many nodes, of which n1 leads; 1 by default. */
  readonly nodes?: number;
  /** Nodes that may join. */
  readonly spares?: number;
  readonly steps: readonly Step[];
}

/** Each command once, in the plain format. */
export function plain(...commands: readonly Command[]): RunStep[] {
  return commands.map((run) => ({ run }));
}

/** Each command once, as JSON, which shows the header and every field. */
export function json(...commands: readonly Command[]): RunStep[] {
  return commands.map((run) => ({ run: withFormat(run, 'json') }));
}

/** Commands that change nothing, each in the plain format, as JSON and as fields. */
export function shown(...commands: readonly Command[]): RunStep[] {
  return commands.flatMap((run) => [
    { run },
    { run: withFormat(run, 'json') },
    { run: withFormat(run, 'fields') },
  ]);
}

function withFormat(command: Command, format: string): readonly string[] {
  return [...argumentsOf(command), '-w', format];
}

export function argumentsOf(command: Command): readonly string[] {
  return typeof command === 'string' ? command.split(' ') : command;
}
