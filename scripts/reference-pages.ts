/** The pages of `docs/reference/`, made from what is registered, declared and parsed. */
import { METRICS } from '../checkers/thresholds/parse.ts';
import { MODEL_NAMES } from '../cli/models.ts';
import { makeNemesis, NEMESES, SYSTEMS, WORKLOADS } from '../cli/registry.ts';
import {
  CHECK_HELP,
  FAULT_HELP,
  FAULT_OPTION_HELP,
  METRIC_HELP,
  PARTITION_SHAPE_HELP,
  SOMETIMES_HELP,
} from '../cli/summaries.ts';
import { ERROR_ROWS, UNKNOWN_ERROR } from '../cluster/etcd-api/errors.ts';
import { BUGS } from '../cluster/raftkv/bugs.ts';
import { MEMORY_BUGS } from '../cluster/systems/memory-bugs.ts';
import { MEMORY_ERRORS } from '../cluster/systems/memory-register.ts';
import { messageOf } from '../harness/core/errors.ts';
import type { System } from '../harness/protocols/system.ts';
import type { Workload } from '../harness/protocols/workload.ts';
import { cliPage } from './reference-cli.ts';
import { configPage } from './reference-config.ts';
import { code, codes, page, table } from './reference-markdown.ts';

/** File names below `docs/reference/`, each with its whole text; the same on every machine. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['workloads.md', workloadsPage()],
    ['faults.md', faultsPage()],
    ['checkers.md', checkersPage()],
    ['systems.md', systemsPage()],
    ['errors.md', errorsPage()],
    ['cli.md', await cliPage()],
    ['config.md', await configPage()],
  ]);
}

function workloadsPage(): string {
  return page('Workloads', [
    '`--workload` names one, or several that run side by side on one cluster, each with keys of its ' +
      'own: `--workload register,reads`. Options: `-W name=value`.',
    ...WORKLOADS.flatMap((workload) => [
      `## ${workload.name}`,
      `${capital(workload.summary)}.`,
      [
        `- asks of the store: ${codes(workload.needs)}`,
        `- reads in: ${codes(workload.readModes)}`,
        `- is judged by: ${checksOf(workload)}`,
      ].join('\n'),
      optionTable(workload.options),
    ]),
  ]);
}

function checksOf(workload: Workload): string {
  const checkers = workload.checkers({
    clients: 6,
    nodes: ['n1', 'n2', 'n3'],
    rate: 0,
    clientTimeoutMs: 1000,
    readModes: workload.readModes,
    capabilities: ['register', 'hash'],
    own: {},
  });
  return checkers.map(({ name }) => `[${name}](checkers.md#${name})`).join(', ');
}

function faultsPage(): string {
  const names = Object.keys(NEMESES);
  return page('Faults', [
    '`--fault` names kinds of fault; each has a lane of its own, and its targets are drawn from the ' +
      'seed. A [schedule](../schedules.md) (`--schedule`) says what happens when, or after what; ' +
      'beside its own words each line may have the options below. Durations: `500ms`, `2s`, ' +
      '`10el` (election timeouts), `5hb` (heartbeats).',
    'Clusters with links: processes, containers, the simulator, and attached clusters that have them.',
    table(
      ['fault', 'what it does', 'it counts only when', 'where'],
      names.map((name) => {
        const help = FAULT_HELP[name];
        return [`[${name}](#${name})`, help?.what ?? '', help?.proof ?? '', help?.where ?? ''];
      }),
    ),
    ...names.flatMap((name) => [
      `## ${name}`,
      table(
        ['option', 'meaning'],
        optionsOfFault(name).map((option) => [
          code(option),
          FAULT_OPTION_HELP[`${name}.${option}`] ?? FAULT_OPTION_HELP[option] ?? '',
        ]),
      ),
    ]),
    '## Shapes of a partition',
    table(
      ['shape', 'what is cut'],
      Object.entries(PARTITION_SHAPE_HELP).map(([shape, what]) => [code(shape), what]),
    ),
  ]);
}

/** As the fault itself names them to somebody who asks for one that it does not have. */
export function optionsOfFault(name: string): readonly string[] {
  const needed = name === 'link' ? { shape: 'latency' } : {};
  try {
    makeNemesis(name).check?.({ ...needed, 'no-such-option': 1 }, name);
  } catch (error) {
    const list = /it takes (.+)$/.exec(messageOf(error))?.[1];
    if (list === undefined) throw error;
    return name === 'link' ? ['shape', ...list.split(', ')] : list.split(', ');
  }
  return [];
}

function checkersPage(): string {
  return page('Checks', [
    'Each judges the whole history, and says `valid`, `invalid` or `unknown`. What an anomaly claims ' +
      'is checked once more against the history by other code before it is printed.',
    ...Object.entries(CHECK_HELP).flatMap(([name, { asks, unknown, anomalies }]) => [
      `## ${name}`,
      `${capital(asks)}${asks.endsWith('?') ? '' : '.'}`,
      `Unknown: ${unknown}.`,
      ...(Object.keys(anomalies).length === 0
        ? []
        : [
            table(
              ['anomaly', 'claims'],
              Object.entries(anomalies).map(([kind, claim]) => [code(kind), claim]),
            ),
          ]),
    ]),
    '## Metrics of thresholds',
    "`thresholds: { 'latency_ms{kind:read,window:none}': ['p(99)<250'] }`. Tags in braces say which " +
      'part is meant. `window`: `none` (no fault), `fault` (any), `recover`, or a kind of fault; ' +
      '`kind`: of operation; `mode`: of read; `fault`: a kind.',
    table(
      ['metric', 'what it is', 'asked of it', 'tags'],
      Object.entries(METRICS).map(([name, { aggregates, tags }]) => [
        code(name),
        METRIC_HELP[name] ?? '',
        codes(aggregates),
        codes(tags),
      ]),
    ),
    '## What a run may be asked to reach',
    'With `--sometimes` or `sometimes: [...]`. Every run says which of them it reached, how often, and ' +
      'when first. [More](../sometimes.md).',
    table(
      ['property', 'reached when'],
      Object.entries(SOMETIMES_HELP).map(([name, what]) => [code(name), what]),
    ),
    '## Models',
    `What \`schism check --model\` knows: ${codes(MODEL_NAMES)}. See ` +
      '[Linearizability](../linearizability.md).',
  ]);
}

function systemsPage(): string {
  return page('Systems', [
    '`--system` names the store under test; options: `-O name=value`. ' +
      '[Your own store](../tutorial/3-your-own-store.md) takes one file.',
    ...SYSTEMS.flatMap((system) => [
      `## ${system.name}`,
      `${capital(system.summary)}.`,
      [
        `- backends: ${codes(system.backends)} (the first one is the default)`,
        `- can do: ${codes(system.capabilities)}`,
        `- promises: ${promisesText(system)}`,
        `- nodes: ${system.defaultNodes} by default`,
        `- faults on links: ${codes([...system.network])}`,
      ].join('\n'),
      optionTable(system.options),
    ]),
    '## Planted bugs of raftkv',
    'With `--bug`. [Commands that show each](../planted-bugs.md).',
    table(
      ['bug', 'what is wrong', 'seen as', 'known from'],
      Object.entries(BUGS).map(([name, { what, seenAs, knownFrom }]) => [
        code(name),
        what.replaceAll('`', "'"),
        seenAs,
        knownFrom,
      ]),
    ),
    '## Planted bugs of memory',
    table(
      ['bug', 'what is wrong'],
      Object.entries(MEMORY_BUGS).map(([name, what]) => [code(name), what]),
    ),
  ]);
}

function promisesText({ promises }: System): string {
  return Object.entries(promises)
    .map(([mode, promise]) => `${mode} reads are ${promise}`)
    .join(', ');
}

function errorsPage(): string {
  return page('Errors of the stores', [
    'After a **definite** error it is certain that the operation did not happen and never will: ' +
      'the history says `fail`. After an **indefinite** one nobody knows: `info`, and the client ' +
      'goes on as a new process. A read that went wrong changed nothing, so it is `fail` either way. ' +
      'What no row names is indefinite.',
    '## raftkv and etcd',
    'The first row that fits is taken.',
    table(
      ['code', 'gRPC status', 'text holds', 'error is', 'because'],
      [
        ...ERROR_ROWS.map(({ code: name, status, text, definite, why }) => [
          code(name),
          code(status),
          text === '' ? 'anything' : code(text),
          definite ? 'definite' : 'indefinite',
          why,
        ]),
        [code(UNKNOWN_ERROR), 'any', 'anything', 'indefinite', 'it is not known here'],
      ],
    ),
    'In the simulator there is no wire, and raftkv answers by the same table: `not-connected` where ' +
      'nobody was there, `connection-lost` where the node ended, and `deadline-exceeded`.',
    '## memory',
    table(
      ['code', 'error is'],
      MEMORY_ERRORS.map(({ code: name, definite }) => [
        code(name),
        definite ? 'definite' : 'indefinite',
      ]),
    ),
  ]);
}

function optionTable(options: Readonly<Record<string, string>>): string {
  if (Object.keys(options).length === 0) return 'It has no options.';
  return table(
    ['option', 'meaning'],
    Object.entries(options).map(([name, help]) => [code(name), help]),
  );
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
