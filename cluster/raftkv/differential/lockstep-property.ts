/** The property that raftkv answers as etcd, whatever is asked, and its shortest counterexample. */
import fc from 'fast-check';
import type { Seed } from '../../../harness/core/prng.ts';
import type { Surroundings } from './compare-systems.ts';
import { openPair, type Pair } from './lockstep.ts';
import { type Command, commandArbitrary } from './lockstep-commands.ts';

const COMMANDS_MAX = 40;

export interface LockstepOptions {
  readonly sequences: number;
  readonly seed: Seed;
  /** How often, of ten thousand commands, both are killed and started again. */
  readonly restarts: number;
  /** Of raftkv's node, to see that what is wrong is found. */
  readonly flags?: readonly string[];
  /** Whether a counterexample is made as short as it can be, as by default. */
  readonly isShortened?: boolean;
  readonly onSequence?: () => void;
  /** Told of the first difference before its counterexample is shortened, which takes a while. */
  readonly onDifference?: (text: string) => void;
}

export interface LockstepReport {
  /** As they were drawn, without those that shortened a counterexample. */
  readonly sequences: number;
  readonly commands: number;
  /** So many times something was asked of both, to see what the commands did as well. */
  readonly asked: number;
  /** Where the answers differed, and the shortest sequence after which they do. */
  readonly difference: string | undefined;
}

/** The two go on from sequence to sequence; after a difference others take their place. */
export async function playInLockstep(
  options: LockstepOptions,
  surroundings: Surroundings,
): Promise<LockstepReport> {
  const { sequences, seed, restarts, flags, isShortened = true } = options;
  const { onSequence, onDifference } = options;
  let pair: Pair | undefined;
  let [played, commands, asked] = [0, 0, 0];
  const part = async (): Promise<void> => {
    asked += pair?.asked ?? 0;
    await pair?.[Symbol.asyncDispose]();
    pair = undefined;
  };
  let isFound = false;
  const property = fc.asyncProperty(
    fc.array(commandArbitrary(restarts), { minLength: 1, maxLength: COMMANDS_MAX, size: 'max' }),
    async (list) => {
      pair ??= await openPair(surroundings, flags);
      try {
        await pair.play(list);
      } catch (error) {
        if (!isFound) onDifference?.(textOf(error));
        isFound = true;
        await part();
        throw error;
      }
      if (isFound) return;
      played++;
      commands += list.length;
      onSequence?.();
    },
  );
  try {
    const details = await fc.check(property, {
      numRuns: sequences,
      seed: seed | 0,
      endOnFailure: !isShortened,
    });
    await part();
    if (!details.failed) return { sequences: played, commands, asked, difference: undefined };
    return { sequences: played, commands, asked, difference: counterexample(details) };
  } finally {
    await part();
  }
}

function counterexample(details: fc.RunDetails<[Command[]]>): string {
  const { counterexample: found, errorInstance, numShrinks, seed, counterexamplePath } = details;
  const [list = []] = found ?? [];
  return [
    ...list.map((command) => JSON.stringify(command)),
    `(shortened ${numShrinks} times; fast-check's seed ${seed}, path ${counterexamplePath ?? ''})`,
    textOf(errorInstance),
  ].join('\n');
}

/** With its line breaks. */
function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
