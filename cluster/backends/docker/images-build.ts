/** Builds the images of the project through the engine's API: no other program is needed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Clock } from '../../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';
import type { Log } from '../../../harness/core/log.ts';
import { callEngine, type Engine } from './engine.ts';
import { inspectImage, pullImage } from './images.ts';
import { type LocalBase, makeLocalBase, planLocalBase } from './images-local.ts';
import { packageFiles, pickFiles } from './images-pick.ts';
import { followed } from './images-progress.ts';
import { sourceHash } from './images-stale.ts';
import { type ImageRecipe, PICKER, ROOT } from './images-table.ts';
import { LABEL } from './labels.ts';
import { type TarEntry, tarStream } from './tar.ts';

const LAST_LINES = 15;

export interface BuildOptions {
  /** An image, or `local`: made of this machine's files. Absent: the recipe's, or else local. */
  readonly base?: string;
  /** Builds what is up to date, too. */
  readonly force?: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly log: Log;
  /** One line, for people. */
  readonly say: (line: string) => void;
}

/**
 * Makes sure that the images are there, made of the sources as they are, and says what it did. Throws
 * `engine-failed` with the last lines of the build, or `binary-missing`.
 */
export async function buildImages(
  engine: Engine,
  recipes: readonly ImageRecipe[],
  options: BuildOptions,
): Promise<void> {
  if (!existsSync(join(ROOT, 'images')))
    throw new HarnessError('bad-input', `no images can be built: ${ROOT} has no folder images`);
  const unavailable = new Set<string>();
  for (const recipe of recipes) await buildImage(engine, recipe, { ...options, unavailable });
}

interface OneBuild extends BuildOptions {
  /** Bases that could not be had a moment ago. */
  readonly unavailable: Set<string>;
}

async function buildImage(engine: Engine, recipe: ImageRecipe, options: OneBuild): Promise<void> {
  const source = sourceHash(recipe);
  if (options.force !== true && (await isUpToDate(engine, recipe, options, source))) {
    options.say(`${recipe.tag} is up to date`);
    return;
  }
  const base = await findBase(engine, recipe, options);
  const labels = { [LABEL.role]: 'image', [LABEL.source]: source, [LABEL.base]: base.mark };
  const before = await inspectImage(engine, recipe.tag, options.clock);
  const said: string[] = [];
  try {
    await runBuild(engine, recipe, { base: base.image, labels, said });
  } finally {
    const made = idsIn(said);
    await removeUnnamed(engine, before === undefined ? made : [...made, before.id], options.clock);
  }
  options.say(`built ${recipe.tag} on ${base.image}`);
}

/** An image that was built on local files stays so until another base is asked for. */
async function isUpToDate(
  engine: Engine,
  { tag, programs }: ImageRecipe,
  { base, env, clock }: BuildOptions,
  source: string,
): Promise<boolean> {
  const labels = (await inspectImage(engine, tag, clock))?.labels;
  const built = labels?.[LABEL.base];
  if (labels?.[LABEL.source] !== source || built === undefined) return false;
  const isLocal = base === 'local' || (base === undefined && built.startsWith('local '));
  if (isLocal) return built === localMark(await planLocalBase(programs, env));
  return base === undefined || built === base;
}

interface Base {
  readonly image: string;
  /** What the image will say of it. */
  readonly mark: string;
}

async function findBase(engine: Engine, recipe: ImageRecipe, options: OneBuild): Promise<Base> {
  const { base, unavailable, clock, log, say } = options;
  const image = base ?? recipe.base;
  if (image === 'local' || unavailable.has(image)) return await localBase(engine, recipe, options);
  try {
    await pullImage(engine, image, clock, log);
    return { image, mark: image };
  } catch (error) {
    if (base !== undefined) throw error;
    unavailable.add(image);
    const made = await localBase(engine, recipe, options);
    say(`${messageOf(error)}; ${made.image} of this machine's own files serves instead`);
    return made;
  }
}

async function localBase(
  engine: Engine,
  { programs }: ImageRecipe,
  { env, clock }: BuildOptions,
): Promise<Base> {
  const plan = await planLocalBase(programs, env);
  const labels = (await inspectImage(engine, plan.tag, clock))?.labels;
  if (labels?.[LABEL.base] !== plan.hash) await makeLocalBase(engine, plan, clock);
  return { image: plan.tag, mark: localMark(plan) };
}

function localMark({ hash }: LocalBase): string {
  return `local ${hash}`;
}

interface Build {
  readonly base: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Takes what the engine says, line by line. */
  readonly said: string[];
}

async function runBuild(
  engine: Engine,
  recipe: ImageRecipe,
  { base, labels, said }: Build,
): Promise<void> {
  try {
    const stream = await engine.docker.buildImage(tarStream(contextOf(recipe)), {
      t: recipe.tag,
      dockerfile: recipe.dockerfile,
      buildargs: { BASE: base },
      labels: { ...labels },
      forcerm: true,
      // The names that this machine can look up, and its way through proxies.
      networkmode: 'host',
    });
    await followed(engine, stream, ({ stream: text = '' }) => {
      said.push(...stripVTControlCharacters(text).split('\n'));
    });
  } catch (error) {
    throw new HarnessError('engine-failed', `cannot build ${recipe.tag}: ${messageOf(error)}`, {
      details: said
        .filter((line) => line.trim() !== '')
        .slice(-LAST_LINES)
        .join('\n'),
      cause: error,
    });
  }
}

/** The beginnings of the ids of what a build made on its way. */
function idsIn(said: readonly string[]): string[] {
  return said.flatMap((line) => {
    const id = /^ ---> ([0-9a-f]{12})$/.exec(line)?.[1];
    return id === undefined ? [] : [`sha256:${id}`];
  });
}

/** No more than the build needs: what it picks would come to the same within all of the project. */
function contextOf({ dockerfile, entries }: ImageRecipe): TarEntry[] {
  const { files, packages } = pickFiles(ROOT, entries.length === 0 ? [] : [PICKER, ...entries]);
  const inside = packages.flatMap((folder) => packageFiles(ROOT, folder));
  return [dockerfile, ...files, ...inside].map((name) => ({
    kind: 'file',
    name,
    path: join(ROOT, name),
  }));
}

/**
 * What a build leaves: its first stage, and the image that had the tag before, unless it is used.
 * Others may be building, too: their stages have no names either.
 */
async function removeUnnamed(engine: Engine, made: readonly string[], clock: Clock): Promise<void> {
  const filters = { dangling: ['true'], label: [`${LABEL.role}=image`] };
  // A list that cannot be had must not hide why the build failed.
  const unnamed = await callEngine(clock, 'list images', () =>
    engine.docker.listImages({ filters }),
  ).catch(() => []);
  for (const { Id } of unnamed.filter((image) => made.some((id) => image.Id.startsWith(id))))
    await engine.docker
      .getImage(Id)
      .remove()
      .catch(() => undefined);
}
