import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { realClock } from '../../../harness/core/clock.ts';
import { silentLog } from '../../../harness/core/log.ts';
import { describeWith } from '../../../test/requires.ts';
import { type Engine, openEngine } from './engine.ts';
import { inspectImage } from './images.ts';
import { type BuildOptions, buildImages } from './images-build.ts';
import { type ImageRecipe, RECIPES } from './images-table.ts';
import { IMAGE, LABEL } from './labels.ts';

const clock = realClock();
const TAG = `schism/test-images-${process.pid}:local`;
const raftkv = RECIPES.find(({ name }) => name === 'raftkv') as ImageRecipe;
let engine: Engine;
const built: string[] = [];

async function build(recipe: ImageRecipe, options: Partial<BuildOptions> = {}): Promise<string[]> {
  const lines: string[] = [];
  await buildImages(engine, [recipe], {
    env: process.env,
    clock,
    log: silentLog,
    say: (line) => lines.push(line),
    ...options,
  });
  return lines;
}

/** What a program in a container of this image prints; the container is gone afterwards. */
async function printed(image: string, entrypoint: readonly string[]): Promise<string> {
  const container = await engine.docker.createContainer({
    Image: image,
    Entrypoint: [...entrypoint],
    Tty: true,
    Labels: { [LABEL.role]: 'helper' },
  });
  try {
    await container.start();
    await container.wait();
    return await text(await container.logs({ stdout: true, stderr: true, follow: true }));
  } finally {
    await container.remove({ force: true });
  }
}

async function unnamed(): Promise<readonly string[]> {
  const filters = JSON.stringify({ dangling: ['true'], label: [`${LABEL.role}=image`] });
  return (await engine.docker.listImages({ filters })).map(({ Id }) => Id);
}

describeWith('engine', 'the images', () => {
  beforeAll(async () => {
    engine = await openEngine(process.env);
  });
  afterAll(async () => {
    for (const tag of built) await engine.docker.getImage(tag).remove({ force: true });
  });

  test.each([
    [IMAGE.etcd, ['etcd', '--version'], 'etcd Version: 3.'],
    [IMAGE.raftkv, ['node', '/schism/cluster/raftkv/main.ts', '--help'], 'Usage: raftkv'],
    [
      IMAGE.links,
      ['sh', '-c', 'sleep 1 | node /schism/cluster/network/toxiproxy-server/main.ts'],
      '{"listening":"127.0.0.1:',
    ],
  ] as const)('%s runs its program', async (image, command, words) => {
    expect(await printed(image, command)).toContain(words);
  });

  test.each([IMAGE.etcd, IMAGE.raftkv, IMAGE.links])(
    'in %s nobody is root, and there is room for data and for files of the moment',
    async (image) => {
      const script = 'id -u; echo x > /tmp/x && cat /tmp/x; ls -d /etc/passwd; touch /x';
      const said = await printed(image, ['sh', '-c', script]);
      expect(said.split(/\r?\n/).slice(0, 3)).toEqual(['1000', 'x', '/etc/passwd']);
      expect(said).not.toContain('cannot create');
      expect((await engine.docker.getImage(image).inspect()).Config.User).toBe('1000:1000');
    },
  );

  test('an image is built once for its sources, and leaves nothing without a name', async () => {
    const recipe = { ...raftkv, tag: TAG };
    built.push(TAG);
    const before = await unnamed();
    const base = (await inspectImage(engine, IMAGE.raftkv, clock))?.labels[LABEL.base] ?? '';
    const on = base.startsWith('local ') ? 'local' : base;
    expect(await build(recipe, { base: on })).toEqual([expect.stringMatching(`^built ${TAG} on `)]);
    const first = await inspectImage(engine, TAG, clock);
    expect(first?.labels).toMatchObject({ [LABEL.role]: 'image', [LABEL.base]: base });
    expect(await build(recipe)).toEqual([`${TAG} is up to date`]);
    const changed = { ...recipe, entries: [...recipe.entries, 'tsconfig.json'] };
    expect(await build(changed, { base: on })).toEqual([expect.stringContaining(`built ${TAG}`)]);
    expect((await inspectImage(engine, TAG, clock))?.id).not.toBe(first?.id);
    expect((await unnamed()).filter((id) => !before.includes(id))).toEqual([]);
  });

  test('a build that fails says which step did, and with what words', async () => {
    const recipe = { ...raftkv, tag: `${TAG}-failing` };
    const before = await unnamed();
    await expect(build(recipe, { base: IMAGE.etcd })).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining('cannot build'),
      details: expect.stringContaining('images-pick-main.ts'),
    });
    expect((await unnamed()).filter((id) => !before.includes(id))).toEqual([]);
    await expect(build(raftkv, { base: 'nowhere.invalid/no:image' })).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining('cannot pull nowhere.invalid/no:image'),
    });
  });
});
