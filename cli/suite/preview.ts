/** What would run, without running it: `--list` and `--print-config`. */
import { type Seed, seedText } from '../../harness/core/prng.ts';
import { expectedText } from '../../harness/protocols/suite.ts';
import { clean, counted } from '../../reports/words.ts';
import type { SuiteCandidate } from './candidates.ts';
import { type Asked, type Chosen, chooseTests } from './choose-tests.ts';
import { planChosen, planRun } from './plan-suite.ts';

/** A text or a JSON document, if somebody asked to see instead of to run; else undefined. */
export async function preview(asked: Asked): Promise<string | undefined> {
  const { flags, loaded } = asked;
  if (flags.printConfig !== true && flags.list !== true) return undefined;
  const chosen = await chooseTests(asked);
  if (chosen === undefined) {
    const { config: values, origins } = await planRun(asked);
    return document({ config: loaded.path, values, origins });
  }
  if (flags.printConfig === true) return printedSuite(asked, chosen);
  const rows = chosen.selected.tests.map(rowOf);
  const skipped = chosen.selected.skipped.map(rowOf);
  return flags.json === true ? document({ tests: rows, skipped }) : listText(chosen);
}

async function printedSuite(asked: Asked, chosen: Chosen): Promise<string> {
  const { plan, explained } = await planChosen(asked, chosen);
  const { seed, workers, maxFailures, infraRetries, output } = plan;
  return document({
    config: asked.loaded.path,
    seed: seedText(seed as Seed),
    workers,
    maxFailures,
    infraRetries,
    output,
    tests: explained.map(({ ref, config: values, origins }) => ({ test: ref, values, origins })),
  });
}

function document(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** One test of a list, as JSON says it. */
export function rowOf({ ref, tags, declared, mark }: SuiteCandidate): object {
  return {
    ...ref,
    tags,
    ...(declared?.expects !== undefined && { expects: declared.expects }),
    ...(mark !== undefined && { mark }),
  };
}

/** One line a test, and how many there are. */
function listText({ selected, found, selection }: Chosen): string {
  const lines = [...testLines(selected.tests), ...testLines(selected.skipped)];
  const { shard } = selection;
  const part =
    shard === undefined
      ? counted(selected.tests.length, 'test')
      : `${selected.tests.length} of ${counted(selected.selected, 'test')} fall in shard ` +
        `${shard.index}/${shard.total}`;
  const skipped = selected.skipped.length === 0 ? '' : `, ${selected.skipped.length} skipped`;
  const others = found - selected.selected - selected.skipped.length;
  const left = others === 0 ? '' : `, ${others} not selected`;
  return `${[...lines, `${part}${skipped}${left}`].join('\n')}\n`;
}

/** `  chaos/register.chaos.ts:12  pause leader  [project]  must show stale-read within 10 runs` */
export function testLines(tests: readonly SuiteCandidate[]): readonly string[] {
  const places = tests.map(
    ({ ref }) => `${ref.file ?? ''}${ref.line === undefined ? '' : `:${ref.line}`}`,
  );
  const width = Math.max(0, ...places.map(({ length }) => length));
  return tests.map(({ ref, tags, declared, mark }, at) => {
    const { expects, why } = declared ?? {};
    const words = [
      (places[at] ?? '').padEnd(width),
      clean(ref.title),
      ...(ref.project === undefined ? [] : [`[${ref.project}]`]),
      ...(ref.repeat === undefined ? [] : [`#${ref.repeat}`]),
      ...tags,
      ...(expects === undefined
        ? []
        : [`must show ${expectedText(expects) ?? 'a violation'} within ${expects.within}`]),
      ...(mark === 'skip' ? [why === undefined ? 'skipped' : `skipped: ${clean(why)}`] : []),
    ];
    return `  ${words.filter((word) => word !== '').join('  ')}`;
  });
}
