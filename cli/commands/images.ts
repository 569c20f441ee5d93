import { Command } from 'commander';
import { openEngine } from '../../cluster/backends/docker/engine.ts';
import { inspectImage, statusOf } from '../../cluster/backends/docker/images.ts';
import { buildImages } from '../../cluster/backends/docker/images-build.ts';
import { isStale } from '../../cluster/backends/docker/images-stale.ts';
import { type ImageRecipe, RECIPES } from '../../cluster/backends/docker/images-table.ts';
import { realClock } from '../../harness/core/clock.ts';
import { EXIT, messageOf } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import type { Shell } from '../program.ts';
import { findNamed } from '../registry.ts';

type Finish = (code: number) => void;

/** `schism images`: the images that clusters in containers are made of. */
export function imagesCommand(shell: Shell, finish: Finish): Command {
  return new Command('images')
    .description('build, list and remove the container images of the project')
    .addCommand(buildCommand(shell, finish))
    .addCommand(listCommand(shell, finish))
    .addCommand(removeCommand(shell, finish));
}

function buildCommand(shell: Shell, finish: Finish): Command {
  return withOnly(new Command('build'))
    .description('build what is missing or older than its sources')
    .option(
      '--base <image>',
      "what to build on; local: made of this machine's files " +
        '(default: node:24-slim and debian:12-slim, or local where they cannot be had)',
    )
    .option('--force', 'build what is up to date, too')
    .action(async (flags: { base?: string; only?: string; force?: boolean }) => {
      const recipes = chosen(flags.only);
      const engine = await openEngine(shell.env);
      const say = (line: string): void => {
        shell.out(`${line}\n`);
      };
      await buildImages(engine, recipes, {
        ...(flags.base !== undefined && { base: flags.base }),
        force: flags.force === true,
        env: shell.env,
        clock: realClock(),
        log: spoken(shell),
        say,
      });
      finish(EXIT.pass);
    });
}

function listCommand(shell: Shell, finish: Finish): Command {
  return new Command('ls')
    .description('which are built, and whether their sources changed since')
    .action(async () => {
      const engine = await openEngine(shell.env);
      for (const { tag } of RECIPES) {
        const image = await inspectImage(engine, tag, realClock());
        const state =
          image === undefined
            ? 'not built'
            : `${Math.round(image.bytes / 1e6)} MB, ` +
              (isStale(tag, image.labels) ? 'stale: schism images build' : 'up to date');
        shell.out(`${tag.padEnd(32)} ${state}\n`);
      }
      finish(EXIT.pass);
    });
}

function removeCommand(shell: Shell, finish: Finish): Command {
  return withOnly(new Command('rm'))
    .description('remove them, with the bases that were made here')
    .action(async (flags: { only?: string }) => {
      const tags = chosen(flags.only).map(({ tag }) => tag);
      const engine = await openEngine(shell.env);
      if (flags.only === undefined) tags.push('schism/base-node:local', 'schism/base-etcd:local');
      let failed = false;
      for (const tag of tags) {
        try {
          await engine.docker.getImage(tag).remove();
          shell.out(`removed ${tag}\n`);
        } catch (error) {
          if (statusOf(error) === 404) continue;
          failed = true;
          shell.err(`schism: ${tag} stays: ${messageOf(error)}\n`);
        }
      }
      finish(failed ? EXIT.infrastructure : EXIT.pass);
    });
}

function withOnly(command: Command): Command {
  const names = RECIPES.map(({ name }) => name).join(',');
  return command.option('--only <names>', `some of ${names} (default: all)`);
}

/** Throws `bad-option` with the nearest name for an unknown one. */
function chosen(names: string | undefined): readonly ImageRecipe[] {
  if (names === undefined) return RECIPES;
  return names.split(',').map((name) => findNamed('image', RECIPES, name.trim()));
}

/** Pulls take long: people should see that something moves. */
function spoken({ err }: Shell): Log {
  const line = (message: string): void => {
    err(`${message}\n`);
  };
  return { info: line, warn: line, error: line };
}
