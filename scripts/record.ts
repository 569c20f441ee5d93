/** The track record: tables between marks in pages that are otherwise written by hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadRegressions, OWN_REGRESSIONS } from '../cli/regressions/load.ts';
import type { Regression, Sighting } from '../cli/regressions/regression.ts';
import { faultsText, wordsOf } from '../cli/regressions/words.ts';
import { PACKAGE_ROOT } from '../cli/version.ts';
import { code, table } from './reference-markdown.ts';

const DOCS = join(PACKAGE_ROOT, 'docs');

/** Pages below `docs/` with tables of the record, each with its whole text. */
export async function recordPages(): Promise<ReadonlyMap<string, string>> {
  const all = await loadRegressions(OWN_REGRESSIONS);
  return new Map([
    ['planted-bugs.md', filled('planted-bugs.md', plantedTables(all))],
    ['regressions.md', filled('regressions.md', { 'real stores': realTable(all) })],
  ]);
}

/** What stands between `<!-- NAME: ... -->` and `<!-- end of NAME -->` is made anew. */
function filled(page: string, parts: Readonly<Record<string, string>>): string {
  let text = readFileSync(join(DOCS, page), 'utf8');
  for (const [name, part] of Object.entries(parts)) {
    const open = `<!-- ${name}: made by \`npm run docs\` from regressions/ -->`;
    const close = `<!-- end of ${name} -->`;
    const from = text.indexOf(open);
    const to = text.indexOf(close);
    if (from < 0 || to < from) throw new Error(`docs/${page} has no marks for '${name}': ${open}`);
    text = `${text.slice(0, from + open.length)}\n\n${part}\n\n${text.slice(to)}`;
  }
  return text;
}

function plantedTables(all: readonly Regression[]): Readonly<Record<string, string>> {
  const planted = all.filter(({ options }) => options.bug !== undefined);
  const simulated = planted.filter(({ backend }) => backend === 'sim');
  const rows = simulated.map((regression) => {
    const { bug = '', workload } = regression.options;
    const real = planted.find((each) => each.backend === 'process' && each.options.bug === bug);
    const last = regression.seen.at(-1);
    return [
      bug,
      String(workload),
      faultsText(regression.options),
      last === undefined ? '' : playedText(last),
      last === undefined ? '' : last.seconds.toFixed(1),
      real === undefined ? '' : sightingText(real.seen.at(-1)),
      kindsText(regression),
    ];
  });
  const commands = simulated.map((regression) => [
    regression.options.bug ?? '',
    commandOf(regression),
  ]);
  return {
    record: table(
      ['bug', 'workload', 'faults', 'schedules', 'seconds', 'on processes', 'seen as'],
      rows,
    ),
    commands: table(['bug', 'command'], commands),
  };
}

function realTable(all: readonly Regression[]): string {
  const rows = all
    .filter(({ options }) => options.bug === undefined)
    .map((regression) => [
      regression.name,
      `${regression.system} ${regression.version}`,
      regression.versions.map(({ text }) => text).join(', '),
      sightingText(regression.seen.at(-1)),
      kindsText(regression),
      code(`schism run ${regression.name} --regressions`),
    ]);
  return table(['regression', 'seen with', 'versions', 'seen', 'seen as', 'command'], rows);
}

function commandOf(regression: Regression): string {
  const { backend } = regression;
  const words = wordsOf(regression, PACKAGE_ROOT).join(' ');
  return code(`schism run ${backend === 'process' ? words : words.replace(/^--system \S+ /, '')}`);
}

/** What was played until it was seen; in the simulator that is the number of schedules. */
function playedText({ runs, of }: Sighting): string {
  return runs === 0 ? `none of ${of}` : String(of);
}

/** `2 runs, 23 s`: until it was first seen; `5 of 5 runs, 320 s`: so many were played in any case. */
function sightingText(seen: Sighting | undefined): string {
  if (seen === undefined) return '';
  const { runs, of, seconds } = seen;
  const played = runs === 1 ? `${of} ${of === 1 ? 'run' : 'runs'}` : `${runs} of ${of} runs`;
  return `${played}, ${Math.round(seconds)} s`;
}

function kindsText({ expect }: Regression): string {
  return expect.verdict === 'pass' ? 'a pass' : expect.anomalies.join(', ');
}
