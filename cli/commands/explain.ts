import { Command } from 'commander';
import { EXIT, HarnessError } from '../../harness/core/errors.ts';
import { unreachable } from '../../harness/core/invariant.ts';
import type { Explained } from '../../reports/explain/claims.ts';
import { explanationDocument } from '../../reports/explain/json.ts';
import { renderMarkdown } from '../../reports/explain/markdown.ts';
import { renderExplanation } from '../../reports/explain/text.ts';
import { fingerprintOf } from '../../reports/summary.ts';
import type { Shell } from '../program.ts';
import { recheckClaims } from '../recheck.ts';
import { DEFAULT_ROOT, loadRun, RUN_HELP } from '../stored.ts';

const FORMATS = ['text', 'md', 'github-issue', 'json'] as const;
type Format = (typeof FORMATS)[number];

/** `schism explain`: what a run found, for tickets, with its claims looked at again. */
export function explainCommand(shell: Shell, finish: (code: number) => void): Command {
  return new Command('explain')
    .description('say again what a run found, and look again whether its history bears it out')
    .argument('[run]', RUN_HELP, 'latest-failed')
    .option('--format <name>', FORMATS.join(', '), 'text')
    .option('-o, --output <dir>', 'where runs are kept', DEFAULT_ROOT)
    .action(async (ref: string, flags: { format: string; output: string }) => {
      const format = FORMATS.find((name) => name === flags.format);
      if (format === undefined)
        throw new HarnessError(
          'bad-option',
          `--format: '${flags.format}'; there are: ${FORMATS.join(', ')}`,
        );
      await using run = await loadRun(flags.output, ref);
      const { result, history } = run;
      const claims = recheckClaims(result, history);
      const fingerprint = fingerprintOf(result, history);
      const explained: Explained = {
        result,
        history,
        claims,
        ref: run.ref,
        ...(fingerprint !== undefined && { fingerprint }),
      };
      shell.out(rendered(explained, format, shell.columns));
      const wrong = claims.filter(({ answer }) => answer === 'refuted').length;
      if (wrong > 0)
        shell.err(
          `schism: ${wrong} of ${claims.length} claims are not borne out by the stored history: ` +
            'a file of this run was changed, or this is a bug in schism\n',
        );
      finish(wrong > 0 ? EXIT.bug : EXIT.pass);
    });
}

function rendered(explained: Explained, format: Format, columns: number): string {
  switch (format) {
    case 'text':
      return renderExplanation(explained, columns);
    case 'md':
      return renderMarkdown(explained, 'document');
    case 'github-issue':
      return renderMarkdown(explained, 'issue');
    case 'json':
      return `${JSON.stringify(explanationDocument(explained), null, 2)}\n`;
    default:
      return unreachable(format);
  }
}
