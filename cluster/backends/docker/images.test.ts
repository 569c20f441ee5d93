import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../harness/core/clock.ts';
import type { Log } from '../../../harness/core/log.ts';
import type { Engine } from './engine.ts';
import { type ResolvedImage, type ResolveOptions, resolveImage } from './images.ts';
import { sourceHash } from './images-stale.ts';
import { type ImageRecipe, RECIPES } from './images-table.ts';
import { IMAGE, LABEL } from './labels.ts';

interface FakeEngine {
  readonly engine: Engine;
  /** By name; what is pulled comes to be here. */
  readonly images: Map<string, Readonly<Record<string, string>>>;
  readonly pulled: string[];
}

/** `registry`: what can be pulled, or how a pull fails. */
function fakeEngine(registry: readonly string[] | 'unreachable' | 'silent'): FakeEngine {
  const images = new Map<string, Readonly<Record<string, string>>>();
  const pulled: string[] = [];
  const docker = {
    getImage: (name: string) => ({
      inspect: async () => {
        await Promise.resolve();
        const labels = images.get(name);
        if (labels === undefined)
          throw Object.assign(new Error('no such image'), { statusCode: 404 });
        return { Id: `sha256:${name}`, Size: 1, Created: '', Config: { Labels: labels } };
      },
    }),
    pull: async (name: string) => {
      await Promise.resolve();
      pulled.push(name);
      if (registry === 'unreachable') throw new Error('no such host');
      if (registry === 'silent') return await Promise.withResolvers<never>().promise;
      const known = registry.includes(name);
      if (known) images.set(name, {});
      return Readable.from([known ? { status: 'Done' } : { error: 'manifest unknown' }]);
    },
    modem: {
      followProgress: async (stream: Readable, done: (error: null, told: unknown[]) => void) => {
        done(null, await stream.toArray());
      },
    },
  };
  const engine = { docker, version: '1', host: 'localhost', isLocal: true } as unknown as Engine;
  return { engine, images, pulled };
}

const raftkv = RECIPES.find(({ tag }) => tag === IMAGE.raftkv) as ImageRecipe;

async function resolve(
  { engine }: FakeEngine,
  options: Partial<ResolveOptions>,
): Promise<ResolvedImage & { readonly warnings: readonly string[] }> {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const log: Log = {
    info: () => undefined,
    warn: (message) => warnings.push(message),
    error: () => undefined,
  };
  const resolved = await clock.run(
    resolveImage(engine, { built: IMAGE.raftkv, clock, log, ...options }),
  );
  return { ...resolved, warnings };
}

describe('which image is used', () => {
  test('the one that was asked for, and no other', async () => {
    const fake = fakeEngine([]);
    fake.images.set('mine:1', {}).set(IMAGE.raftkv, {});
    expect(await resolve(fake, { asked: 'mine:1' })).toMatchObject({
      name: 'mine:1',
      id: 'sha256:mine:1',
      how: 'asked for',
    });
    expect(fake.pulled).toEqual([]);
    await expect(resolve(fake, { asked: 'other:1' })).rejects.toThrow(
      'cannot pull other:1: manifest unknown',
    );
  });

  test('the one that was built here, before the official one', async () => {
    const fake = fakeEngine(['official:1']);
    fake.images.set(IMAGE.raftkv, { [LABEL.source]: sourceHash(raftkv) });
    const { name, how, warnings } = await resolve(fake, { official: 'official:1' });
    expect({ name, how, warnings }).toEqual({
      name: IMAGE.raftkv,
      how: 'built here',
      warnings: [],
    });
    expect(fake.pulled).toEqual([]);
  });

  test('one that is older than its sources is used with a warning', async () => {
    const fake = fakeEngine([]);
    fake.images.set(IMAGE.raftkv, { [LABEL.source]: 'of last week' });
    const { how, warnings } = await resolve(fake, {});
    expect(how).toBe('built here, stale');
    expect(warnings).toEqual([
      `image ${IMAGE.raftkv} is older than its sources: schism images build`,
    ]);
  });

  test('one that was built by hand is never called stale', async () => {
    const fake = fakeEngine([]);
    fake.images.set(IMAGE.raftkv, {});
    expect(await resolve(fake, {})).toMatchObject({ how: 'built here', warnings: [] });
  });

  test('the official one where none was built; it is pulled only once', async () => {
    const fake = fakeEngine(['official:1']);
    const first = await resolve(fake, { official: 'official:1' });
    expect(first).toMatchObject({ name: 'official:1', how: 'official, pulled' });
    expect(await resolve(fake, { official: 'official:1' })).toMatchObject({ how: 'official' });
    expect(fake.pulled).toEqual(['official:1']);
  });

  test('a name without a tag is pulled as latest, and not with every tag there is', async () => {
    const fake = fakeEngine([]);
    await expect(resolve(fake, { asked: 'host:5000/mine' })).rejects.toThrow('manifest unknown');
    expect(fake.pulled).toEqual(['host:5000/mine:latest']);
  });

  test.each([
    ['unreachable', 'no such host'],
    ['silent', 'nothing heard for 20 s'],
  ] as const)('where the registry is %s, one line says what was tried', async (registry, seen) => {
    await expect(resolve(fakeEngine(registry), { official: 'official:1' })).rejects.toMatchObject({
      code: 'engine-failed',
      message:
        `no image: ${IMAGE.raftkv} is not built (schism images build), ` +
        `and cannot pull official:1: ${seen}`,
    });
    await expect(resolve(fakeEngine(registry), {})).rejects.toThrow(
      `no image: ${IMAGE.raftkv} is not built (schism images build)`,
    );
  });
});
