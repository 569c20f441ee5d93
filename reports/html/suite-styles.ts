import { html, type Markup } from './markup.ts';

/** Beside those of a run's report. */
export const suiteStyles: Markup = html`
main, header, footer { max-width: 1280px; }
.told { margin: 10px 0 0; padding-left: 0; list-style: none; }
.told li { margin: 3px 0; overflow-wrap: anywhere; }
.nowrap { white-space: nowrap; }
#controls { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin: 12px 0; }
#controls[hidden], tbody[hidden] { display: none; }
input, select, button { font: inherit; color: inherit; background: var(--panel);
  border: 1px solid var(--edge); border-radius: 6px; padding: 3px 8px; }
kbd { border: 1px solid var(--line); border-radius: 4px; padding: 0 5px; }
thead button { border: 0; background: none; padding: 0; min-height: 24px; cursor: pointer;
  text-decoration: underline dotted; }
th[aria-sort='ascending'] button::after { content: ' ↑'; }
th[aria-sort='descending'] button::after { content: ' ↓'; }
:focus-visible { outline: 2px solid var(--ok); outline-offset: 2px; }
table.tests tbody tr:first-child > * { border-bottom: 0; padding-top: 8px; }
table.tests tbody:target > tr:first-child > th { text-decoration: underline; }
table.tests tbody.fail > tr:first-child > th { border-left: 4px solid var(--fail-fg); padding-left: 8px; }
#environment dl { grid-template-columns: max-content 1fr max-content 1fr; }
@media (max-width: 800px) { #environment dl { grid-template-columns: max-content 1fr; } }
table.tests th[scope='row'] { min-width: 22ch; }
tr.opens > td { padding: 0 0 6px; } tr.opens details { margin: 0; }
.chip { display: inline-block; white-space: nowrap; border: 1px solid var(--line); border-radius: 10px;
  padding: 0 8px; font-size: 12.5px; }
.strip { margin-top: 3px; }
svg.strip .pass { fill: var(--pass-fg); } svg.strip .fail { fill: var(--fail-fg); }
svg.strip .unknown { fill: var(--info); } svg.strip .error { fill: var(--error-fg); }
.one { margin: 8px 0 14px; } .one ul { margin: 4px 0; padding-left: 20px; font-size: 13.5px; }
.one pre { white-space: pre; overflow-x: auto; }
td a, .told a { min-height: 24px; }
@media print { #controls { display: none; } tr.opens details:not([open]) { display: block; } }
`;
