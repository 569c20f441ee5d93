import { describe, expect, test } from 'vitest';
import { etcd } from '../../cluster/systems/etcd.ts';
import type { System } from '../../harness/protocols/system.ts';
import { BUILT_IN, type Catalogue } from '../registry.ts';
import { Here } from './here.ts';
import { parseRegression, type Regression } from './regression.ts';

const FILE = {
  'schism-regression': 1,
  name: 'some',
  system: 'etcd',
  version: '3.4.23',
  versions: ['3.4.20 - 3.4.41', '3.5.0 - 3.5.27'],
  backend: 'process',
  options: { workload: 'reads' },
  seed: 1,
  expect: { verdict: 'fail' },
};

function regression(more = {}): Regression {
  return parseRegression({ ...FILE, ...more }, '/somewhere/some.json', 'some.json');
}

/** An etcd that says it is of this version; `asked` holds what was looked at. */
function catalogue(version: string | undefined, asked: string[] = []): Catalogue {
  const system: System = {
    ...etcd,
    available: (_, backend) => {
      asked.push(backend);
      return Promise.resolve(version === 'none' ? 'it is not installed' : true);
    },
    version: () => Promise.resolve(version),
  };
  return { ...BUILT_IN, systems: [system] };
}

describe('a regression can be played here', () => {
  test.each(['3.4.23', '3.5.27'])('where the store is %s, which has it', async (version) => {
    expect(await new Here(catalogue(version)).whyNot(regression())).toBeUndefined();
  });

  test('where it asks for no version, or nobody can have the store: whoever plays it will say', async () => {
    expect(await new Here(catalogue('9.9.9')).whyNot(regression({ versions: [] }))).toBeUndefined();
    expect(await new Here(catalogue('none')).whyNot(regression({ system: 'x' }))).toBeDefined();
    const elsewhere = regression({ system: 'x', versions: [] });
    expect(await new Here(catalogue('none')).whyNot(elsewhere)).toBeUndefined();
  });
});

describe('a regression cannot be played here', () => {
  test.each([
    ['3.4.42', 'it is of etcd 3.4.20 - 3.4.41, 3.5.0 - 3.5.27, and here is 3.4.42'],
    [undefined, /and here nobody can tell which version it is$/],
    ['none', 'it is not installed'],
  ])('where the store is %s', async (version, why) => {
    expect(await new Here(catalogue(version)).whyNot(regression())).toMatch(why);
  });
});

test('a store is asked once, however many regressions it has', async () => {
  const asked: string[] = [];
  const here = new Here(catalogue('3.4.23', asked));
  await Promise.all([here.whyNot(regression()), here.whyNot(regression())]);
  expect(asked).toEqual(['process']);
});
