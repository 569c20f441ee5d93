/**
 * What runs on virtual time must depend on the seed and on nothing else. This looks at every file
 * that such a run executes; what it cannot see, two runs that are compared byte by byte will.
 */
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** The node side, the client side, faults and workloads. Checkers run when the time has stopped. */
const ENTRIES = [
  'cluster/systems/raftkv-sim.ts',
  'harness/runner/play.ts',
  'cluster/nemeses/kill.ts',
  'cluster/nemeses/pause.ts',
  'cluster/nemeses/power.ts',
  'cluster/nemeses/partition.ts',
  'cluster/nemeses/link.ts',
  'cluster/nemeses/schedule.ts',
  'workloads/register.ts',
  'workloads/reads.ts',
  'workloads/together.ts',
];

const BANS: Readonly<Record<string, RegExp>> = {
  'time of the machine': /\bDate\.now\b|\bnew Date\(\)|\bperformance\b|\bhrtime\b/,
  'timers of the machine':
    /\bAbortSignal\.timeout\b|\bset(Immediate|Timeout|Interval)\b|\bnextTick\b|timers\/promises/,
  'chance of the machine': /\bMath\.random\b|\bcrypto\.random|\brandom(Int|UUID|Bytes)\b/,
  'an order of the language': /\blocaleCompare\b|\btoLocale\w+\b|\bIntl\./,
  'paths and lines of the code': /\.stack\b/,
  'what the garbage collector decides': /\bWeakRef\b|\bFinalizationRegistry\b/,
};

const CLOCK = 'harness/core/clock.ts';

/** Who may, because none of it reaches a history or decides anything. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  // The two places where time and chance come from; the virtual clock takes none of the machine's.
  [CLOCK]: ['time of the machine', 'timers of the machine'],
  'harness/core/prng.ts': ['chance of the machine'],
  // Of our own bugs, for the report.
  'harness/runner/play.ts': ['paths and lines of the code'],
  // Into the log of a node.
  'cluster/raftkv/json-log.ts': ['paths and lines of the code'],
};

/** Built-in modules that wait for nothing; `fs`: what is done with it is synchronous. */
const MODULES = ['node:crypto', 'node:fs', 'node:path', 'node:url', 'node:zlib'];
/** Packages that do no input or output of their own. */
const PACKAGES = /^(commander|pure-rand(\/.*)?|zod)$/;

interface Source {
  readonly path: string;
  readonly lines: readonly string[];
  readonly imports: readonly string[];
}

function code(line: string): string {
  return line.replace(/^\s*(\*|\/\/|\/\*).*$/, '').replace(/\s\/\/ .*$/, '');
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const imports = [...text.matchAll(/^(?:import|export)\b(?! type\b)[^;]*?from '([^']+)'/gm)];
  const dynamic = [...text.matchAll(/\bimport\(\s*'([^']+)'/g)];
  return {
    path,
    lines: text.split('\n'),
    imports: [...imports, ...dynamic].map(([, target = '']) => target),
  };
}

/** Every file that is loaded with the entries, checkers left out. */
function reachable(entries: readonly string[]): ReadonlyMap<string, Source> {
  const found = new Map<string, Source>();
  const open = [...entries];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path) || path.startsWith('checkers/')) continue;
    const source = read(path);
    found.set(path, source);
    for (const target of source.imports)
      if (target.startsWith('.')) open.push(normalize(join(dirname(path), target)));
  }
  return found;
}

const sources = [...reachable(ENTRIES).values()];

describe('what runs on virtual time', () => {
  test('is the real store, not a double of it', () => {
    const paths = sources.map(({ path }) => path);
    expect(paths).toContain('cluster/raftkv/server/node.ts');
    expect(paths).toContain('cluster/raftkv/raft/raft.ts');
    expect(paths).toContain('cluster/raftkv/storage/storage.ts');
    expect(paths).toContain('cluster/backends/sim/world.ts');
    expect(sources.length).toBeGreaterThan(100);
  });

  test.each(Object.entries(BANS))('knows nothing of %s', (name, pattern) => {
    const found = sources
      .filter(({ path }) => MAY[path]?.includes(name) !== true)
      .flatMap(({ path, lines }) =>
        lines.flatMap((line, at) =>
          pattern.test(code(line)) ? [`${path}:${at + 1}: ${line.trim()}`] : [],
        ),
      );
    expect(found).toEqual([]);
  });

  test('loads nothing of gRPC, of sockets, of processes, of files that are waited for', () => {
    const foreign = sources.flatMap(({ path, imports }) =>
      imports
        .filter((target) => !target.startsWith('.'))
        .filter((target) => !MODULES.includes(target) && !PACKAGES.test(target))
        // Of the machine's clock, which is in the same file.
        .filter((target) => !(path === CLOCK && target.startsWith('node:timers')))
        .map((target) => `${path}: ${target}`),
    );
    expect(foreign).toEqual([]);
    expect(MODULES.filter((name) => !builtinModules.includes(name.slice('node:'.length)))).toEqual(
      [],
    );
  });

  test('is looked at by rules that bite, and by no exception that nobody needs', () => {
    const needless = Object.entries(MAY).flatMap(([path, names]) => {
      const lines = sources.find((source) => source.path === path)?.lines ?? [];
      return names
        .filter((name) => !lines.some((line) => BANS[name]?.test(code(line))))
        .map((name) => `${path}: ${name}`);
    });
    expect(needless).toEqual([]);
    const real = reachable(['cluster/systems/raftkv-process.ts', 'cluster/raftkv/main.ts']);
    const foreign = [...real.values()].flatMap(({ imports }) => imports);
    expect(foreign).toEqual(expect.arrayContaining(['@grpc/grpc-js', 'node:net']));
  });
});
