import type { CheckResult } from '../../harness/protocols/checker.ts';
import type { RecoveryRow } from '../../harness/protocols/details.ts';
import type { RunProblem, RunResult } from '../../harness/protocols/run.ts';
import {
  availabilityOf,
  byLabel,
  bySeverity,
  evidenceOf,
  logPatternOf,
  readModesOf,
  statsOf,
  thresholdsOf,
} from '../details.ts';
import type { MeasuredMatrix } from '../faults.ts';
import type { Reading } from '../reading.ts';
import {
  CHECK_SYMBOLS,
  clean,
  clipped,
  counted,
  countText,
  faultText,
  momentText,
  msText,
  printable,
  rateText,
  spanText,
} from '../words.ts';
import { bandTitle } from './axis.ts';
import { html, type Markup } from './markup.ts';
import { capped, dataTable, type Head } from './tables.ts';

function figures(...titles: readonly string[]): readonly Head[] {
  return titles.map((title) => ({ title, number: true }));
}

const VERDICT_CLASSES = { valid: 'valid', invalid: 'invalid', unknown: 'undecided' } as const;

export function checkSection({ checks }: RunResult): Markup {
  if (checks.length === 0) return html``;
  const rows = checks.map((check) => ({
    cells: [
      clean(check.checker),
      html`<span class="${VERDICT_CLASSES[check.verdict]}">${CHECK_SYMBOLS[check.verdict]} ${check.verdict}</span>`,
      html`${clean(check.covered)}${reasonOf(check)}`,
    ],
  }));
  const heads = [
    { title: 'check', nowrap: true },
    { title: 'verdict', nowrap: true },
    { title: 'looked at' },
  ];
  return html`<section id="checks"><h2>Checks</h2>${dataTable(
    'Each judges the whole history on its own; unknown is neither good nor bad.',
    heads,
    rows,
  )}</section>`;
}

function reasonOf({ reason }: CheckResult): Markup {
  return reason === undefined
    ? html``
    : html`<br><span class="muted">${clipped(clean(reason), 600)}</span>`;
}

const PASSED = { true: ['✓ holds', 'valid'], false: ['✗ broken', 'invalid'] } as const;

export function thresholdSection(result: RunResult): Markup {
  const { rows } = thresholdsOf(result) ?? { rows: [] };
  if (rows.length === 0) return html``;
  const { shown, note } = capped(rows, 100);
  const heads = [
    { title: 'metric' },
    { title: 'must be', nowrap: true },
    { title: 'measured', number: true },
    { title: 'result', nowrap: true },
  ];
  return html`<section id="thresholds"><h2>Thresholds</h2>${dataTable(
    'What the configuration asks of this run, with what was measured.',
    heads,
    shown.map(({ metric, expression, shown: value, passed, reason }) => {
      const [word, style] = passed === null ? ['? unknown', 'undecided'] : PASSED[`${passed}`];
      return {
        cells: [
          clipped(clean(metric), 120),
          html`<code>${clipped(clean(expression), 60)}</code>`,
          clipped(clean(value), 60),
          html`<span class="${style}">${word}</span>${
            reason !== undefined &&
            html`<br><span class="muted">${clipped(clean(reason), 300)}</span>`
          }`,
        ],
      };
    }),
  )}${note}</section>`;
}

export function availabilitySection(result: RunResult): Markup {
  const details = availabilityOf(result);
  if (details === undefined || details.windows.length === 0) return html``;
  const { shown, note } = capped(byLabel(details.windows), 40);
  const rows = shown.map((row) => {
    const all = row.ok + row.fail + row.info;
    const share = (count: number): string => rateText(all === 0 ? null : count / all);
    return {
      cells: [
        clipped(clean(row.label), 200),
        row.windows,
        `${row.seconds.toFixed(1)} s`,
        countText(all),
        rateText(row.rate),
        share(row.fail),
        share(row.info),
        msText(row.longestGapMs),
        msText(row.p50Ms),
        msText(row.p99Ms),
      ],
    };
  });
  const heads = [
    { title: 'window' },
    ...figures(
      'times',
      'length',
      'operations',
      'ok',
      'failed',
      'unknown',
      'longest gap',
      'p50',
      'p99',
    ),
  ];
  const caption =
    'ok is ok ÷ (ok + failed + unknown) of the operations invoked in the window; the longest gap ' +
    'lies between two successes; percentiles are of ok only, of the worst window of that name.';
  return html`<section id="availability"><h2>Availability by window</h2>${dataTable(caption, heads, rows)}${note}
<p>Longest time without one success in the main phase:
<strong>${msText(details.longestGapMs)}</strong>.</p></section>`;
}

export function recoverySection(result: RunResult): Markup {
  const details = availabilityOf(result);
  if (details === undefined || details.recovery.length + details.nodes.length === 0) return html``;
  const { shown, note } = capped(details.recovery, 40);
  const rows = shown.map((row: RecoveryRow) => ({
    cells: [faultText(row), momentText(row.endNanos), firstOk(row.firstOkMs)],
  }));
  const faults =
    rows.length === 0
      ? html``
      : dataTable(
          'From the end of a fault to the first success on each of its targets; the worst of them.',
          [{ title: 'fault' }, ...figures('ended at second', 'first ok')],
          rows,
        );
  const nodes =
    details.nodes.length === 0
      ? html``
      : dataTable(
          'From the end of the heal phase to the first success on each node.',
          [{ title: 'node' }, ...figures('first ok')],
          details.nodes.map(({ node, firstOkMs }) => ({
            cells: [clean(node), firstOk(firstOkMs)],
          })),
        );
  return html`<section id="recovery"><h2>Recovery</h2>${faults}${note}${nodes}</section>`;
}

function firstOk(ms: number | null): string {
  return ms === null ? 'never' : msText(ms);
}

export function readModeSection(result: RunResult): Markup {
  const details = readModesOf(result);
  if (details === undefined || details.modes.length === 0) return html``;
  const words = { kept: '✓ kept', broken: '✗ broken', unknown: '? unknown' } as const;
  const rows = details.modes.map((row) => ({
    cells: [
      clean(row.mode),
      countText(row.reads),
      clean(row.promise),
      html`<span class="${row.result === 'unknown' ? 'undecided' : row.result}">${words[row.result]}</span>`,
      clean(row.strongest),
      countText(row.stale),
      row.stale === 0 ? '–' : msText(row.staleMsMax),
      row.stale === 0 ? '–' : countText(row.staleVersionsMax),
      countText(row.backwardsPerNode),
      countText(row.backwardsAcrossNodes),
      countText(row.missedOwnWrite),
    ],
  }));
  const heads = [
    { title: 'mode', nowrap: true },
    ...figures('reads'),
    { title: 'promise', nowrap: true },
    { title: 'result', nowrap: true },
    { title: 'strongest kept', nowrap: true },
    ...figures(
      'stale',
      'oldest',
      'versions behind',
      'backwards, one node',
      'backwards, across nodes',
      'missed own write',
    ),
  ];
  const caption =
    'A read is stale when the value it returned was already overwritten as it began; how old is ' +
    'the time since then. A mode that promises only serializable may be stale.';
  return html`<section id="read-modes"><h2>Read modes</h2>${dataTable(caption, heads, rows)}</section>`;
}

export function operationSection(result: RunResult, { functions }: Reading): Markup {
  if (functions.length === 0) return html``;
  const { shown, note } = capped(functions, 60);
  const rows = shown.map(({ name, ok, fail, info, p50, p99 }) => ({
    cells: [
      clean(name),
      countText(ok),
      countText(fail),
      countText(info),
      spanText(p50),
      spanText(p99),
    ],
  }));
  const heads = [{ title: 'operation' }, ...figures('ok', 'failed', 'unknown', 'p50', 'p99')];
  const errors = Object.entries(statsOf(result)?.errors ?? {}).toSorted((a, b) => b[1] - a[1]);
  const few = capped(errors, 20);
  const errorTable =
    errors.length === 0
      ? html``
      : dataTable(
          'Failed and unknown operations by error',
          [{ title: 'error' }, ...figures('operations')],
          few.shown.map(([code, count]) => ({ cells: [clean(code), countText(count)] })),
        );
  return html`<section id="operations"><h2>Operations</h2>${dataTable(
    'Over all phases; percentiles of those that ended ok. An operation that never ended is unknown.',
    heads,
    rows,
  )}${note}${errorTable}${few.note}</section>`;
}

export function faultSection(result: RunResult, reading: Reading): Markup {
  const kinds = evidenceOf(result)?.kinds ?? [];
  if (kinds.length + reading.bands.length === 0) return html``;
  const summary = dataTable(
    'A fault took effect when its own probe saw it from outside.',
    [{ title: 'fault' }, ...figures('took effect', 'skipped', 'failed', 'healed')],
    kinds.map(({ fault, installed, skipped, failed, healed }) => ({
      cells: [clean(fault), ...[installed, skipped, failed, healed].map(countText)],
    })),
  );
  const count = reading.bands.length;
  const { shown, note } = capped(reading.bands, 200);
  const rows = shown.map((band) => ({
    cells: [
      faultText(band),
      momentText(band.beginNanos),
      band.endNanos === undefined ? 'open' : momentText(band.endNanos),
      html`<span class="${band.result}">${band.result === 'installed' ? 'took effect' : band.result}</span>`,
      html`<span title="${bandTitle(band)}">${clipped(clean(band.evidence), 240)}</span>`,
    ],
  }));
  const heads = [
    { title: 'fault' },
    ...figures('begin', 'end'),
    { title: 'result', nowrap: true },
    { title: 'evidence' },
  ];
  const list = dataTable('Times in seconds since the start of the run', heads, rows);
  return html`<section id="faults"><h2>Faults</h2>${kinds.length > 0 && summary}
<details${count <= 12 && html` open`}><summary>${counted(count, 'fault')} one by one</summary>
${list}${note}</details></section>`;
}

const MATRICES_MAX = 12;

export function matrixSection({ matrices }: Reading): Markup {
  const groups = [
    ...Map.groupBy(matrices, (matrix) => `${faultText(matrix)}\n${JSON.stringify(matrix.links)}`),
  ];
  if (groups.length === 0) return html``;
  const { shown, note } = capped(groups, MATRICES_MAX);
  return html`<section id="connectivity"><h2>Connectivity under network faults</h2>
<p class="muted small">Measured by a probe right after the fault began. A row is the sender, a column
the receiver: · open, ✗ cut, ? not known.</p>
<div class="matrices">${shown.map(([, group]) => matrixTable(group))}</div>${note}</section>`;
}

function matrixTable(group: readonly MeasuredMatrix[]): Markup {
  const [first] = group;
  if (first === undefined) return html``;
  const { nodes, links } = first;
  const times = group.length === 1 ? '' : `, ${group.length} times`;
  const cell = (from: string, to: string): Markup => {
    if (from === to) return html`<td class="self">–</td>`;
    const state = links[`${from}>${to}`];
    if (state === 'open') return html`<td class="open">·</td>`;
    return state === 'cut' ? html`<td class="cut">✗</td>` : html`<td>?</td>`;
  };
  const heading = (scope: string, node: string): Markup =>
    html`<th scope="${scope}">${clean(node)}</th>`;
  return html`<table><caption>${faultText(first)}, at second ${momentText(first.timeNanos)}${times}</caption>
<thead><tr><th scope="col">from \\ to</th>${nodes.map((node) => heading('col', node))}</tr></thead>
<tbody>${nodes.map(
    (from) => html`<tr>${heading('row', from)}${nodes.map((to) => cell(from, to))}</tr>`,
  )}</tbody></table>`;
}

export function problemSection(result: RunResult): Markup {
  const matches = logPatternOf(result)?.matches ?? [];
  const { shown, note } = capped(bySeverity(result.problems), 20);
  const logs = capped(matches, 20);
  if (shown.length + matches.length === 0) return html``;
  const lines = dataTable(
    'Lines in the logs of the nodes that should not be there',
    [{ title: 'node' }, ...figures('line'), { title: 'text' }],
    logs.shown.map(({ node, line, text }) => ({
      cells: [clean(node), line, html`<code>${clipped(clean(text), 400)}</code>`],
    })),
  );
  return html`<section id="problems"><h2>Problems</h2>
${shown.map(problemView)}${note}${matches.length > 0 && lines}${logs.note}</section>`;
}

function problemView({ severity, step, message, details, bug }: RunProblem): Markup {
  const [symbol, name] = severity === 'fatal' ? ['✗', 'invalid'] : ['⚠', 'undecided'];
  const ours = bug === true && ' This is a bug in the harness, not in the store.';
  const text = details === undefined ? '' : clipped(printable(details).trim(), 4000);
  return html`<p><strong class="${name}">${symbol} ${clean(step)}</strong>: ${clean(message)}${ours}</p>
${text !== '' && html`<pre>${text}</pre>`}`;
}
