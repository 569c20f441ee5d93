/** Command lines as people paste them. */

/** For a POSIX shell: `npx schism`, then the words, quoted where they must be. */
export function commandText(words: readonly string[]): string {
  return ['npx schism', ...words.map(quoted)].join(' ');
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
