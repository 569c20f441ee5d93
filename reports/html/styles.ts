import { html, type Markup } from './markup.ts';

/** Colours after Okabe and Ito, lightened for dark pages; each also has a word, shape or pattern. */
export const styles: Markup = html`
:root {
  color-scheme: light dark;
  --bg: light-dark(#ffffff, #101418); --fg: light-dark(#1b1f24, #e6e9ec);
  --muted: light-dark(#57606a, #9aa5b1); --line: light-dark(#d5dae0, #2f3740);
  --panel: light-dark(#f6f8fa, #171c22); --grid: light-dark(#e4e8ec, #232a31);
  --ok: light-dark(#0072b2, #4da6de); --info: light-dark(#e69f00, #f0b43c);
  --fail: light-dark(#d55e00, #f07f3c); --max: light-dark(#8b949e, #7c8793);
  --leader: light-dark(#00795a, #1fa67d); --on-leader: light-dark(#ffffff, #06140f);
  --follower: light-dark(#b4bcc5, #4a5460); --learner: light-dark(#56b4e9, #7cc4ee);
  --bad: light-dark(#b3261e, #ff8a80); --f0: light-dark(#cc79a7, #d890b7);
  --f1: light-dark(#56b4e9, #6bbcec); --f2: light-dark(#d9cb1f, #e8dc55);
  --f3: light-dark(#8c8c8c, #a0a0a0); --f4: light-dark(#009e73, #29b48c);
  --f5: light-dark(#e69f00, #f0b43c); --pass-bg: light-dark(#e8f5ee, #0f2a20);
  --pass-fg: light-dark(#0b6b46, #6fd6ab); --fail-bg: light-dark(#fdecea, #33171a);
  --fail-fg: light-dark(#b3261e, #ff9a91); --unknown-bg: light-dark(#fff6df, #2e2510);
  --unknown-fg: light-dark(#7a5600, #f3c969); --error-bg: light-dark(#f3edf7, #271a30);
  --error-fg: light-dark(#6b3a86, #d3a6ec); --edge: light-dark(#7d8590, #727d89);
}
:root[data-theme='light'] { color-scheme: light; }
:root[data-theme='dark'] { color-scheme: dark; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--fg);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }
main, header, footer { max-width: 1080px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 20px; }
footer { padding-bottom: 40px; color: var(--muted); font-size: 13px; }
h1 { font-size: 20px; line-height: 1.35; margin: 0; display: flex; flex-wrap: wrap; gap: 6px 12px;
  align-items: center; }
h1 .run { font-weight: 400; color: var(--muted); font-size: 14px; margin-left: auto; }
h2 { font-size: 17px; margin: 36px 0 10px; padding-bottom: 4px; border-bottom: 1px solid var(--line); }
h3 { font-size: 15px; margin: 20px 0 8px; }
p { margin: 8px 0; max-width: 80ch; overflow-wrap: anywhere; }
a { color: inherit; }
code, pre, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace;
  font-size: 13px; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; margin: 8px 0;
  padding: 8px 12px; white-space: pre-wrap; overflow-wrap: anywhere; }
.muted { color: var(--muted); }
.small { font-size: 13px; max-width: 110ch; }
.banner { border: 2px solid; border-radius: 10px; padding: 16px 20px 14px; color: var(--fg); }
.banner .badge { border-radius: 6px; padding: 1px 10px; color: var(--bg); white-space: nowrap; }
.banner pre { background: var(--bg); }
.banner .lead { font-size: 15.5px; }
.banner.pass { background: var(--pass-bg); border-color: var(--pass-fg); }
.banner.pass .badge { background: var(--pass-fg); }
.banner.fail { background: var(--fail-bg); border-color: var(--fail-fg); }
.banner.fail .badge { background: var(--fail-fg); }
.banner.unknown { background: var(--unknown-bg); border-color: var(--unknown-fg); }
.banner.unknown .badge { background: var(--unknown-fg); }
.banner.error { background: var(--error-bg); border-color: var(--error-fg); }
.banner.error .badge { background: var(--error-fg); }
.facts { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 10px 0 0; padding: 0; list-style: none;
  font-size: 13.5px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 8px 0; font-size: 13.5px; width: 100%; }
table.narrow { width: auto; min-width: 340px; }
caption { text-align: left; color: var(--muted); font-size: 13px; padding: 0 0 4px; }
th, td { text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line);
  vertical-align: top; font-weight: 400; overflow-wrap: anywhere; }
thead th { color: var(--muted); font-size: 12.5px; vertical-align: bottom; }
tbody th { font-weight: 600; }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums; }
td.n, tbody th.n { white-space: nowrap; }
td.nowrap, th.nowrap { white-space: nowrap; overflow-wrap: normal; } thead th { overflow-wrap: normal; }
tr.culprit td, tr.culprit th { background: var(--fail-bg); color: var(--fail-fg); font-weight: 600; }
.valid, .kept, .installed { color: var(--pass-fg); }
.invalid, .broken, .failed { color: var(--fail-fg); font-weight: 600; }
.undecided, .skipped { color: var(--unknown-fg); }
figure { margin: 14px 0 0; }
figcaption { font-size: 13px; color: var(--muted); display: flex; flex-wrap: wrap; gap: 2px 16px;
  align-items: center; margin: 4px 0; }
figcaption strong { color: var(--fg); font-size: 14px; font-weight: 600; }
.key { display: inline-flex; align-items: center; gap: 5px; white-space: nowrap; }
svg { display: block; font: 11px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; }
svg.plot { width: 100%; min-width: 640px; height: auto; }
svg text { fill: var(--fg); }
svg text.muted { fill: var(--muted); }
svg text.mono { font-size: 12px; }
svg text.end { text-anchor: end; }
svg text.middle { text-anchor: middle; }
svg .axis { stroke: var(--muted); stroke-width: 1; fill: none; }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg .ok { fill: var(--ok); } svg .info { fill: var(--info); } svg .fail { fill: var(--fail); }
svg .hatch-info { fill: url(#hatch-info); } svg .hatch-fail { fill: url(#hatch-fail); }
svg .hatch-gone { fill: url(#hatch-gone); }
svg .hatch { stroke: var(--bg); stroke-width: 1.4; }
svg .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; }
svg .p50 { stroke: var(--ok); }
svg .p99 { stroke: var(--fail); stroke-dasharray: 5 3; stroke-linecap: butt; }
svg .max { stroke: var(--max); stroke-width: 1.2; stroke-dasharray: 1 3; }
svg .bar, svg .idle, svg .leader { rx: 2px; }
svg .shade { opacity: .17; } svg .bar { fill-opacity: .5; stroke-width: 1; }
svg .f0 { fill: var(--f0); stroke: var(--f0); } svg .f1 { fill: var(--f1); stroke: var(--f1); }
svg .f2 { fill: var(--f2); stroke: var(--f2); } svg .f3 { fill: var(--f3); stroke: var(--f3); }
svg .f4 { fill: var(--f4); stroke: var(--f4); } svg .f5 { fill: var(--f5); stroke: var(--f5); }
svg .shade { stroke: none; }
svg .idle { fill: none; stroke: var(--muted); stroke-dasharray: 3 2; }
svg .phase { fill: var(--panel); stroke: var(--line); }
svg .leader { fill: var(--leader); } svg text.on-leader { fill: var(--on-leader); font-weight: 600; }
svg .follower { fill: var(--follower); } svg .learner { fill: var(--learner); }
svg .dot.kept { fill: var(--ok); } svg .dot.broken { fill: var(--bad); }
svg .fate { fill: none; stroke-width: 4; stroke-linecap: round; stroke: var(--ok); }
svg .fate.lost { stroke: var(--bad); stroke-width: 7; } svg .fate.recovered { stroke: var(--leader); }
svg .fate.unknown { stroke: var(--info); }
svg .rivals { fill: var(--bad); fill-opacity: .25; stroke: var(--bad); }
svg .candidate { fill: var(--info); } svg .gone { fill: var(--follower); opacity: .55; }
svg .violation { stroke: var(--bad); stroke-width: 1.4; stroke-dasharray: 4 3; }
svg text.violation-mark { fill: var(--bad); font-weight: 700; stroke: none; font-size: 13px; }
svg .op { fill: var(--panel); stroke: var(--ok); stroke-width: 1.5; }
svg .op.ended-unknown { stroke: var(--info); stroke-dasharray: 5 3; }
svg .op.ended-failed { stroke: var(--fail); }
svg .op.culprit { stroke: var(--bad); stroke-width: 3; fill: var(--fail-bg); stroke-dasharray: none; }
.matrices { display: flex; flex-wrap: wrap; gap: 20px 36px; }
.matrices table { width: auto; } .matrices caption { max-width: 300px; }
.matrices td, .matrices th { text-align: center; padding: 2px 8px; }
.matrices td.cut { background: var(--fail-bg); color: var(--fail-fg); font-weight: 700; }
.matrices td.open { color: var(--pass-fg); } .matrices td.self { color: var(--muted); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; font-size: 13.5px; margin: 8px 0; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
details { margin: 10px 0; } summary { cursor: pointer; color: var(--muted); font-size: 13.5px; }
@media (max-width: 640px) {
  main, header, footer { padding-left: 14px; padding-right: 14px; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 6px; }
  h1 .run { margin-left: 0; width: 100%; }
}
@media print {
  details:not([open]) { display: none; }
  h2 { break-after: avoid; } figure { break-inside: avoid; }
}
`;
