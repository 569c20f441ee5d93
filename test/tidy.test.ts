/** The house rules that a compiler cannot check, each with what to do instead. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

interface Source {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function tracked(): string[] {
  const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  // One that was deleted is listed until that is committed.
  return listed.stdout.split('\n').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

const sources: readonly Source[] = tracked()
  .filter((path) => /\.(tsx?|mjs)$/.test(path))
  .map((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return { path, text, lines: text.split('\n') };
  });

/** Folder → folders of ours that it may import from; see ARCHITECTURE.md. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  harness: ['harness'],
  checkers: ['checkers', 'harness/core', 'harness/history', 'harness/protocols'],
  cluster: ['cluster', 'harness'],
  workloads: ['workloads', 'harness', 'checkers'],
  reports: ['reports', 'harness'],
};

interface Ban {
  readonly name: string;
  readonly pattern: RegExp;
  /** The files that may. */
  readonly except: RegExp;
  readonly instead: string;
}

const BANS: readonly Ban[] = [
  {
    name: 'time',
    pattern: /\b(Date\.now|performance\.now|process\.hrtime)\b|\bnew Date\(\)/,
    except: /^(harness\/core\/clock\.ts|scripts\/)/,
    instead: 'take a Clock and ask now()',
  },
  {
    name: 'timers',
    pattern: /\b(setTimeout|setInterval|setImmediate)\(|timers\/promises/,
    except: /^harness\/core\/clock\.ts$/,
    instead: 'take a Clock; sleep(clock, ms) or clock.timer(ms, ...)',
  },
  {
    name: 'chance',
    pattern: /\bMath\.random\b|\bcrypto\.random|\brandomInt\(|\brandomUUID\(/,
    except: /^harness\/core\/prng\.ts$/,
    instead: 'take a Random, a named stream of the seed',
  },
  {
    name: 'exit',
    pattern: /\bprocess\.exit\(/,
    except: /^(cli\/process\.ts|scripts\/)/,
    instead: 'return, throw, or set process.exitCode in cli/process.ts',
  },
  {
    name: 'default exports',
    pattern: /^export default /,
    except: /\.config\.ts$/,
    instead: 'export it by name',
  },
  {
    name: 'barrels',
    pattern: /^export \* from /,
    except: /^$/,
    instead: 'import from the file that has it',
  },
  {
    name: 'retries and skips in tests',
    // Where a statement begins: chaos tests have such marks, too, and texts speak of them.
    pattern: /^\s*(test|it|describe)\.(skip|only|todo)\b|\bretry: [1-9]/,
    except: /^$/,
    instead: 'make it pass, or take it out',
  },
  {
    name: 'shells',
    pattern: /\bshell: true\b|\bexecSync\(|[^.\w]exec\(/,
    except: /^$/,
    instead: 'pass a program and its arguments as a list',
  },
  {
    name: 'every interface',
    pattern: /['"`]0\.0\.0\.0['"`:]/,
    // In a network namespace of a run's own.
    except: /^cluster\/backends\/docker\/links-containers\.ts$/,
    instead: 'listen on 127.0.0.1',
  },
];

/** The line without comments and texts that merely name a banned thing. */
function code(line: string): string {
  return line.replace(/^\s*(\*|\/\/|\/\*).*$/, '').replace(/\s\/\/ .*$/, '');
}

describe('house rules', () => {
  test('there are sources to look at', () => {
    expect(sources.length).toBeGreaterThan(20);
  });

  test.each(BANS)('$name: only where they belong', ({ pattern, except, instead }) => {
    const found = sources
      .filter(({ path }) => !except.test(path) && path !== 'test/tidy.test.ts')
      .flatMap(({ path, lines }) =>
        lines.flatMap((line, at) =>
          pattern.test(code(line)) ? [`${path}:${at + 1}: ${line.trim()} → ${instead}`] : [],
        ),
      );
    expect(found).toEqual([]);
  });

  test('every ban bites: a line that breaks it is seen', () => {
    const breaking: Readonly<Record<string, string>> = {
      time: 'const t = Date.now();',
      timers: 'setTimeout(wake, 5);',
      chance: 'if (Math.random() < 0.5) return;',
      exit: 'process.exit(1);',
      'default exports': 'export default run;',
      barrels: "export * from './x.ts';",
      'retries and skips in tests': "test.skip('x', () => {});",
      shells: 'spawn(command, { shell: true });',
      'every interface': "server.listen(80, '0.0.0.0');",
    };
    const blind = BANS.filter(({ name, pattern }) => !pattern.test(code(breaking[name] ?? '')));
    expect(blind.map(({ name }) => name)).toEqual([]);
  });

  test('arrows between folders point the right way', () => {
    const wrong = sources.flatMap(({ path, lines }) => {
      const allowed = ARROWS[path.split('/')[0] ?? ''];
      if (allowed === undefined || /\.(test|prop\.test|proc\.test)\.ts$/.test(path)) return [];
      return lines.flatMap((line, at) => {
        const target = /(?:from|import\() ?'(\.[^']+)'/.exec(line)?.[1];
        if (target === undefined) return [];
        const resolved = normalize(join(dirname(path), target));
        const ok = allowed.some((folder) => resolved.startsWith(`${folder}/`));
        return ok
          ? []
          : [`${path}:${at + 1}: imports ${resolved}; it may only know ${allowed.join(', ')}`];
      });
    });
    expect(wrong).toEqual([]);
  });

  test('files stay under 500 lines, and lines under 120 columns', () => {
    const long = sources
      .filter(({ lines }) => lines.length > 500)
      .map(({ path, lines }) => `${path}: ${lines.length} lines → split it by idea`);
    const wide = sources.flatMap(({ path, lines }) =>
      lines.flatMap((line, at) => (line.length > 120 ? [`${path}:${at + 1}: ${line.length}`] : [])),
    );
    expect([...long, ...wide]).toEqual([]);
  });

  test('files are named in kebab-case', () => {
    const odd = sources
      .map(({ path }) => path)
      .filter((path) => !/^[a-z0-9./-]+$/.test(path.replace('.d.ts', '.ts')));
    expect(odd).toEqual([]);
  });

  test('every file in the kernel and every protocol is documented', () => {
    const bare = sources
      .filter(({ path }) => path.startsWith('harness/protocols/'))
      .filter(({ text }) => !text.includes('/**'))
      .map(({ path }) => path);
    expect(bare).toEqual([]);
  });

  test('nothing names a path of one machine or a package registry', () => {
    const patterns = [/(^|[^A-Za-z0-9_.])\/(home|Users)\//, /registry\.npmjs/, /deb\.debian\.org/];
    const leaks = tracked()
      .filter((path) => path !== 'package-lock.json' && path !== 'test/tidy.test.ts')
      .flatMap((path) => {
        const text = readFileSync(join(ROOT, path), 'utf8');
        return patterns.some((pattern) => pattern.test(text)) ? [path] : [];
      });
    expect(leaks).toEqual([]);
  });

  test('the lock file records no download addresses', () => {
    expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).not.toContain('"resolved"');
  });
});
