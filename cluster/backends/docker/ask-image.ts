/** What a program in an image says, and what the image brings with it. */
import { readFile } from 'node:fs/promises';
import { createContainer } from './container.ts';
import { callEngine } from './engine.ts';
import { labelsOf, type Made } from './made.ts';

export interface Question {
  /** The image's id. */
  readonly image: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Takes what it says. */
  readonly logPath: string;
}

/** Runs a program to its end in a container of its own. Throws `engine-failed`. */
export async function askImage(
  made: Made,
  { image, program, args, logPath }: Question,
): Promise<{ readonly how: string; readonly output: string }> {
  const options = {
    name: `schism-${made.run}-asked`,
    Image: image,
    Entrypoint: [program],
    Cmd: [...args],
    Labels: labelsOf(made, 'helper'),
    HostConfig: { NetworkMode: 'none' },
  };
  await using container = await createContainer(made, options, logPath);
  const life = await container.start();
  const how = await life.ended;
  return { how, output: await readFile(logPath, 'utf8') };
}

/** The names of the variables that every program in the image finds set. */
export async function variablesOf(
  { engine, clock }: Made,
  image: string,
): Promise<readonly string[]> {
  const { Config } = await callEngine(clock, `look at image ${image}`, () =>
    engine.docker.getImage(image).inspect(),
  );
  return (Config.Env ?? []).map((line) => line.split('=', 1)[0] ?? '');
}
