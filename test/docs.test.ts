/** Links between the pages lead somewhere: to a file that is there, and to a heading in it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

interface Link {
  /** Below the root. */
  readonly page: string;
  readonly line: number;
  readonly target: string;
}

function pages(): string[] {
  const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed.stdout.split('\n').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

/** The lines of a page; those of code are empty, so that numbers stay right. */
function proseOf(text: string): string[] {
  let isCode = false;
  return text.split('\n').map((line) => {
    if (!line.trimStart().startsWith('```')) return isCode ? '' : line;
    isCode = !isCode;
    return '';
  });
}

function linksIn(page: string, text: string): Link[] {
  return proseOf(text).flatMap((line, at) =>
    [...line.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({
      page,
      line: at + 1,
      target,
    })),
  );
}

/** Headings as GitHub makes anchors of them; a second one of a name gets a number. */
function anchorsIn(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const line of proseOf(text)) {
    const heading = /^#{1,6} (.+)$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const base = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-');
    let anchor = base;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${base}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Undefined: it leads somewhere, or out of the repository. */
function wrongWith({ page, target }: Link): string | undefined {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(ROOT, file))) return `there is no ${file}`;
  if (anchor === undefined || !file.endsWith('.md')) return undefined;
  const anchors = anchorsIn(readFileSync(join(ROOT, file), 'utf8'));
  return anchors.has(anchor) ? undefined : `${file} has no heading #${anchor}`;
}

describe('the pages of the documentation', () => {
  test('link only to files and headings that are there', () => {
    const all = pages().flatMap((page) => linksIn(page, readFileSync(join(ROOT, page), 'utf8')));
    expect(all.length).toBeGreaterThan(50);
    const broken = all.flatMap((link) => {
      const wrong = wrongWith(link);
      return wrong === undefined ? [] : [`${link.page}:${link.line}: ${link.target}: ${wrong}`];
    });
    expect(broken).toEqual([]);
  });

  test('are all to be found from the contents', () => {
    const seen = new Set(['docs/README.md']);
    for (const page of seen)
      for (const { target } of linksIn(page, readFileSync(join(ROOT, page), 'utf8'))) {
        const file = normalize(join(dirname(page), target.split('#')[0] ?? ''));
        if (file.endsWith('.md') && file.startsWith('docs/')) seen.add(file);
      }
    const lost = pages().filter((page) => page.startsWith('docs/') && !seen.has(page));
    expect(lost).toEqual([]);
  });
});

test('a link that leads nowhere is seen', () => {
  const text =
    '# A `b` (c)\n\n[x](gone.md) [y](#a-b-c) [z](#d) `[w](no.md)`\n```\n[v](no.md)\n```\n';
  expect(linksIn('docs/p.md', text).map(({ target }) => target)).toEqual([
    'gone.md',
    '#a-b-c',
    '#d',
  ]);
  expect([...anchorsIn(text)]).toEqual(['a-b-c']);
  expect(wrongWith({ page: 'docs/p.md', line: 3, target: 'gone.md' })).toBe(
    'there is no docs/gone.md',
  );
  expect(wrongWith({ page: 'README.md', line: 1, target: '#no-such-heading' })).toBe(
    'README.md has no heading #no-such-heading',
  );
});
