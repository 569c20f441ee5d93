/** Before the tests of containers: the images of nodes and links, made of the sources as they are. */
import { openEngine } from '../cluster/backends/docker/engine.ts';
import { buildImages } from '../cluster/backends/docker/images-build.ts';
import { RECIPES } from '../cluster/backends/docker/images-table.ts';
import { realClock } from '../harness/core/clock.ts';
import { silentLog } from '../harness/core/log.ts';
import { engineAnswers } from './requires.ts';

export async function setup(): Promise<void> {
  // Then the tests themselves say what is missing.
  if (!engineAnswers()) return;
  const engine = await openEngine(process.env);
  const recipes = RECIPES.filter(({ name }) => name !== 'schism');
  await buildImages(engine, recipes, {
    env: process.env,
    clock: realClock(),
    log: silentLog,
    say: (line) => {
      if (!line.endsWith('up to date')) process.stderr.write(`${line}\n`);
    },
  });
}
