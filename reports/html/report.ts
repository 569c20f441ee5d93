import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { RunResult } from '../../harness/protocols/run.ts';
import { againCommand, checkCommand, seedOf, titleOf } from '../command.ts';
import { shownOperations } from '../counterexample.ts';
import { evidenceOf, thresholdsOf } from '../details.ts';
import { type Reading, readRun } from '../reading.ts';
import { exitReason } from '../text.ts';
import { clean, clipped, counted, countText, lengthText, RUN_WORDS } from '../words.ts';
import { violationViews } from './counterexample-view.ts';
import { dotPlots } from './dots.ts';
import { html, type Markup, markupText, scriptElement } from './markup.ts';
import type { NodeLog } from './node-logs.ts';
import { encodePage, type PageSource } from './page-data.ts';
import { pageScript, scriptHash, scriptText } from './page-script.ts';
import { latencyPlot, patterns, throughputPlot } from './plots.ts';
import {
  availabilitySection,
  checkSection,
  faultSection,
  matrixSection,
  operationSection,
  problemSection,
  readModeSection,
  recoverySection,
  thresholdSection,
} from './sections.ts';
import { styles } from './styles.ts';
import { timelinePlot } from './timeline.ts';

export interface HtmlOptions {
  /** The program that makes the page interactive; '': none. Default: the built one. */
  readonly script?: string;
  /** What the nodes wrote. */
  readonly logs?: readonly NodeLog[];
  /** Operations that are drawn one by one; see `page-choice.ts`. */
  readonly operationsMax?: number;
}

/**
 * The report of a run as one file: no network, readable from `file://`, printed, in light and dark,
 * and complete without its script. Whatever comes from outside is escaped. Also of use for a run
 * without history.
 */
export function renderHtml(result: RunResult, history: History, options: HtmlOptions = {}): string {
  const reading = readRun(result, history);
  const broken = result.checks.filter(({ verdict }) => verdict === 'invalid');
  const { word } = RUN_WORDS[result.verdict];
  const proven = broken.some(({ anomalies }) => anomalies.length > 0);
  const title = `${word} ${titleOf(result.manifest)} · run ${clean(result.manifest.run)}`;
  const script = scriptText(options.script ?? pageScript());
  const policy = `default-src 'none'; ${script === '' ? '' : `script-src ${scriptHash(script)}; `}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${styles}</style>
</head>
<body>
${patterns}
<header>${banner(result)}</header>
<main>
<div data-holder="toolbar"></div>
${
  broken.length > 0 &&
  html`<section id="violations"><h2>${proven ? 'Counterexamples' : 'Violations'}</h2>
${broken.map((check) => violationViews(check, history, reading))}</section>`
}
${problemSection(result)}
${plotSection(result, history, reading)}
${checkSection(result)}
${thresholdSection(result)}
${readModeSection(result)}
${dotPlots(result, history, reading)}
${availabilitySection(result)}
${recoverySection(result)}
<div data-holder="node-logs"></div>
<div data-holder="operations-table"></div>
${operationSection(result, reading)}
${faultSection(result, reading)}
${matrixSection(reading)}
${environmentSection(result, history)}
</main>
<footer><p>Written by schism ${clean(result.manifest.version)}.
A pass means no violation in what ran; it is not a proof.</p></footer>
${script !== '' && scripts(script, { ...options, result, history, reading })}
</body>
</html>
`;
  return markupText(page);
}

function scripts(script: string, source: HtmlOptions & Omit<PageSource, 'logs'>): Markup {
  const data = encodePage({ ...source, logs: source.logs ?? [] });
  return html`${scriptElement(html` type="application/gzip" id="run-data"`, data)}
${scriptElement(html``, script)}`;
}

function banner(result: RunResult): Markup {
  const { verdict, manifest, counts, reasons, wallMs, interrupted } = result;
  const { symbol, word } = RUN_WORDS[verdict];
  const all = counts.ok + counts.fail + counts.info + counts.open;
  const kinds = evidenceOf(result)?.kinds ?? [];
  const took = kinds.reduce((sum, { installed }) => sum + installed, 0);
  const asked = kinds.reduce((sum, kind) => sum + kind.installed + kind.skipped + kind.failed, 0);
  const facts = [
    `${counted(all, 'operation')}: ${countText(counts.ok)} ok, ${countText(counts.fail)} failed, ` +
      `${countText(counts.info + counts.open)} unknown`,
    ...(asked > 0 ? [`${countText(took)} of ${counted(asked, 'fault')} took effect`] : []),
    counted(result.checks.length, 'check'),
    ...thresholdFact(result),
    lengthText(wallMs),
    `exit ${result.exitCode}: ${clipped(exitReason(result), 100)}`,
  ];
  const more = reasons.length - 1;
  const reason = reasons[0] ?? 'No violation was found in what ran.';
  return html`<div class="banner ${verdict}">
<h1><span class="badge">${symbol} ${word}</span> ${titleOf(manifest)}
<span class="run">run ${clean(manifest.run)} · seed ${seedOf(manifest)}</span></h1>
<p class="lead">${clipped(clean(reason), 1200)}</p>
${more > 0 && html`<p class="small muted">and ${counted(more, 'more reason')}, below</p>`}
${interrupted !== undefined && html`<p class="small">${interruptText(interrupted)}</p>`}
<pre><code>${againCommand(manifest)}</code></pre>
<ul class="facts">${facts.map((fact) => html`<li>${fact}</li>`)}</ul></div>`;
}

function thresholdFact(result: RunResult): readonly string[] {
  const { rows } = thresholdsOf(result) ?? { rows: [] };
  const held = rows.filter(({ passed }) => passed === true).length;
  return rows.length === 0
    ? []
    : [`${countText(held)} of ${counted(rows.length, 'threshold')} hold`];
}

function interruptText(signal: string): string {
  return `Interrupted by ${signal}: what was recorded until then has been judged.`;
}

function plotSection(result: RunResult, history: History, reading: Reading): Markup {
  const violations = violationTimes(result, history);
  const recorded = reading.buckets.some(({ ok, fail, info }) => ok + fail + info > 0);
  if (
    !recorded &&
    reading.cluster.lanes.length + reading.bands.length + reading.phases.length === 0
  )
    return html`<section id="run"><h2>The run over time</h2>
<p class="muted">Nothing was recorded, so there is nothing to draw.</p></section>`;
  return html`<section id="run"><h2>The run over time</h2>
<p class="muted small">All plots share one time axis. Shaded: a fault was in effect.${
    violations.length > 0 && ' Dashed red line with ✗: the operation that no order explains.'
  }</p>
<div data-holder="timeline"></div>
<div data-holder="plots"></div>
<div class="static">${timelinePlot(reading, violations)}
${recorded ? throughputPlot(reading, violations) : html`<p class="muted">No operation was completed.</p>`}
${recorded && latencyPlot(reading, violations)}</div></section>`;
}

/** When the last operation of each anomaly began. */
function violationTimes({ checks }: RunResult, history: History): readonly number[] {
  const times = checks
    .filter(({ verdict }) => verdict === 'invalid')
    .flatMap(({ anomalies }) => anomalies.slice(0, 20))
    .flatMap((anomaly) => shownOperations(anomaly, history).at(-1)?.startNanos ?? []);
  return [...new Set(times)];
}

const SETTINGS_MAX = 100;

function environmentSection({ manifest, phases }: RunResult, history: History): Markup {
  const { config, timing, cluster } = manifest;
  const settings = [
    ...flattened('run', manifest.run),
    ...flattened('started', manifest.startedAt),
    ...flattened('schism', manifest.version),
    ...flattened('Node.js', manifest.node),
    ...flattened('platform', manifest.platform),
    ...flattened('', { ...config, seed: seedOf(manifest) } as unknown as JsonValue),
    ...flattened('timing', (timing ?? null) as unknown as JsonValue),
    ...flattened('cluster', cluster ?? null),
  ];
  const spans = phases.map(
    ({ phase, startNanos, endNanos }) => `${phase} ${lengthText((endNanos - startNanos) / 1e6)}`,
  );
  const judge = html`<p>Judge this history again:</p><pre><code>${checkCommand(manifest)}</code></pre>`;
  return html`<section id="environment"><h2>Environment</h2>${history.length > 0 && judge}
<p>Run the same again; the seed draws the same, the store may answer otherwise:</p>
<pre><code>${againCommand(manifest)}</code></pre>
<details open><summary>Configuration and versions</summary><dl>${settings
    .slice(0, SETTINGS_MAX)
    .map(
      ([name, value]) => html`<dt>${clipped(name, 60)}</dt><dd class="mono">${value}</dd>`,
    )}</dl></details>
${phases.length > 0 && html`<p class="muted small">Phases: ${spans.join(', ')}.</p>`}</section>`;
}

/** One line a setting: `workloadOptions.rate 500`. Lists of plain values stay on one line. */
function flattened(name: string, value: JsonValue): readonly (readonly [string, string])[] {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object') return [[clean(name), clipped(clean(String(value)), 500)]];
  if (isPlainList(value))
    return value.length === 0 ? [] : [[clean(name), value.map(plain).join(', ')]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flattened(name === '' ? key : `${name}.${key}`, inner),
  );
}

function isPlainList(value: JsonValue): value is readonly (string | number | boolean | null)[] {
  return Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null);
}

function plain(value: string | number | boolean | null): string {
  return clipped(clean(String(value)), 100);
}
