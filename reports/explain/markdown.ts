import { againCommand, titleOf } from '../command.ts';
import { parametersOf } from '../stored/parameters.ts';
import { clean, clipped, RUN_WORDS } from '../words.ts';
import { claimLines, type Explained } from './claims.ts';
import { checkText, storyLines } from './text.ts';

/** GitHub refuses an issue of more than 65 536 characters. */
const STORY_MAX = 40_000;
const PARAMETERS_MAX = 120;
const COLUMNS = 100;

/**
 * The explanation as Markdown. What a store or a user said stands in code alone, where it can
 * mention nobody, link nowhere and hold no markup. `issue`: the first line is the title alone, for
 * `gh issue create`; the fingerprint is also in a comment that a bot can look for.
 */
export function renderMarkdown(explained: Explained, form: 'document' | 'issue'): string {
  const { result, fingerprint, ref } = explained;
  const { manifest } = result;
  const isIssue = form === 'issue';
  const story = storyLines(explained, COLUMNS).join('\n').replace(/^\n+/, '');
  const commands = [checkText(ref), againCommand(manifest)].filter((text) => text !== '');
  const parameters = parametersOf(manifest)
    .slice(0, PARAMETERS_MAX)
    .map(([name, value]) => `| ${cell(clipped(name, 60))} | ${cell(clipped(value, 200))} |`);
  const parts = [
    isIssue ? titleText(explained) : `# ${code(titleText(explained))}`,
    facts(explained),
    fenced('text', clipped(story, STORY_MAX)),
    claimLines(explained.claims)
      .map((line) => `- ${code(line)}`)
      .join('\n'),
    isIssue ? '### To see it again' : '## To see it again',
    fenced('sh', commands.join('\n')),
    isIssue ? '<details><summary>Parameters</summary>' : '## Parameters',
    ['| parameter | value |', '| --- | --- |', ...parameters].join('\n'),
    isIssue ? '</details>' : '',
    isIssue && fingerprint !== undefined ? `<!-- schism-fingerprint: ${fingerprint} -->` : '',
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** `stale-read in etcd/register`; without a violation the verdict takes its place. */
function titleText({ result }: Explained): string {
  const broken = result.checks.find(({ verdict }) => verdict === 'invalid');
  const kind = broken?.anomalies[0]?.kind ?? broken?.checker;
  const what = kind ?? RUN_WORDS[result.verdict].word;
  return clipped(clean(`schism: ${what} in ${titleOf(result.manifest)}`), 120);
}

function facts({ result, fingerprint }: Explained): string {
  const { manifest, verdict, exitCode } = result;
  const broken = result.checks.filter((check) => check.verdict === 'invalid');
  return [
    `**${RUN_WORDS[verdict].word}**`,
    ...broken.map(({ checker }) => code(clipped(clean(checker), 60))),
    `run ${code(clean(manifest.run))}`,
    `exit ${exitCode}`,
    ...(fingerprint === undefined ? [] : [`fingerprint ${code(fingerprint)}`]),
  ].join(' · ');
}

/** A span that nothing in the text can end. */
export function code(text: string): string {
  const safe = text.replaceAll('`', 'ˋ').trim();
  return safe === '' ? '–' : `\`${safe}\``;
}

/** The same in a table, where a `|` would end the cell. */
export function cell(text: string): string {
  return code(text).replaceAll('|', String.raw`\|`);
}

/** A block of code whose fence is longer than any in the text. */
export function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
