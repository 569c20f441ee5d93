/** Whether two processes record the same from the same seeds, to the byte. */
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const MAIN = fileURLToPath(new URL('identity-main.ts', import.meta.url));

export interface Identity {
  readonly seeds: number;
  /** Entries of all histories of one process together. */
  readonly entries: number;
  /** Different histories: as many as seeds, if the seed matters. */
  readonly different: number;
  /** Seeds whose two histories differ. */
  readonly unequal: readonly number[];
}

/** `count` seeds from `first` on, each of two simulated seconds, once in each of two processes. */
export async function compareProcesses(first: number, count: number): Promise<Identity> {
  const play = async (): Promise<readonly string[]> => {
    const args = [MAIN, String(first), String(count)];
    const { stdout } = await execa(process.execPath, args, { lines: true });
    return stdout;
  };
  const [one, other] = await Promise.all([play(), play()]);
  const unequal = Array.from({ length: count }, (_, at) => first + at).filter(
    (seed, at) => one[at] === undefined || one[at] !== other[at] || !one[at].startsWith(`${seed} `),
  );
  return {
    seeds: count,
    entries: one.reduce((sum, line) => sum + Number(line.split(' ')[2]), 0),
    different: new Set(one.map((line) => line.split(' ')[1])).size,
    unequal,
  };
}
