import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

let built: string | undefined;

/**
 * The program of the page, as `npm run build:page` makes it of `page/`; empty where that was not
 * done: then reports are without it.
 */
export function pageScript(): string {
  built ??= read();
  return built;
}

function read(): string {
  try {
    return readFileSync(new URL('./built/page.js', import.meta.url), 'utf8');
  } catch {
    return '';
  }
}

/** What a script element may hold: nothing in it ends the element or begins another. */
export function scriptText(source: string): string {
  return source.replaceAll('</script', String.raw`<\/script`).replaceAll('<!--', String.raw`<\!--`);
}

/** For a Content-Security-Policy that allows this very script. */
export function scriptHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
