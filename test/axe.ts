/** What axe-core has to say of a page, by WCAG 2 A and AA and its own advice. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';

const ALL = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** One text a violation; empty: the page is clean. `rules`: only these. */
export async function unclean(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const runOnly = rules === undefined ? ALL : { type: 'rule', values: rules };
  return page.evaluate<readonly string[]>(
    `axe.run(document, { runOnly: ${JSON.stringify(runOnly)} })
      .then(({ violations }) => violations.map(({ id, nodes }) =>
        id + ': ' + nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')))`,
  );
}
