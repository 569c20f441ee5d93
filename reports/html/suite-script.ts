/**
 * Makes the page of a suite searchable, sortable and filtered. It only shows, hides, opens and moves
 * what is there; without it the page is whole.
 */
export const SUITE_SCRIPT = `'use strict';
(() => {
  const at = (id) => document.getElementById(id);
  const table = document.querySelector('table.tests');
  const groups = [...table.tBodies];
  const texts = new Map(groups.map((group) => [group, group.textContent.toLowerCase()]));
  const [search, show, project, shown] = [at('search'), at('show'), at('project'), at('shown')];
  const update = () => {
    const words = search.value.toLowerCase().split(/\\s+/).filter((word) => word !== '');
    let count = 0;
    for (const group of groups) {
      const { outcome, change, project: own } = group.dataset;
      const fits =
        (show.value === '' || show.value === outcome || show.value === change) &&
        (project === null || project.value === '' || project.value === own) &&
        words.every((word) => texts.get(group).includes(word));
      group.hidden = !fits;
      if (fits) count++;
    }
    shown.textContent = count + ' of ' + groups.length + ' shown';
  };
  const keyOf = (group, column) => {
    const cell = group.rows[0].cells[column];
    return cell.dataset.sort ?? cell.textContent;
  };
  const sortBy = (head, column) => {
    const down = head.getAttribute('aria-sort') === 'ascending';
    for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    const compare = (a, b) =>
      keyOf(a, column).localeCompare(keyOf(b, column), 'en', { numeric: true }) * (down ? -1 : 1);
    table.append(...groups.toSorted(compare));
  };
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    button.addEventListener('click', () => sortBy(head, column));
    head.replaceChildren(button);
  });
  const open = (group) => {
    group.hidden = false;
    const details = group.querySelector('details');
    details.open = true;
    details.querySelector('summary').focus({ preventScroll: true });
    group.scrollIntoView({ block: 'start' });
  };
  const follow = () => {
    const group = /^#test-\\d+$/.test(location.hash) ? at(location.hash.slice(1)) : null;
    if (group !== null) open(group);
  };
  const step = (by) => {
    const wanted = [...table.tBodies].filter((group) => !group.hidden && group.dataset.outcome !== 'pass');
    if (wanted.length === 0) return;
    const here = wanted.findIndex((group) => group.contains(document.activeElement));
    const next = here < 0 ? (by > 0 ? 0 : wanted.length - 1) : here + by;
    const group = wanted[(next + wanted.length) % wanted.length];
    history.replaceState(null, '', '#' + group.id);
    open(group);
  };
  const theme = at('theme');
  theme.addEventListener('change', () => {
    if (theme.value === '') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
  });
  search.addEventListener('input', update);
  show.addEventListener('change', update);
  project?.addEventListener('change', update);
  at('controls').hidden = false;
  addEventListener('hashchange', follow);
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.matches('input, select')) return;
    const acts = { '/': () => search.focus(), n: () => step(1), p: () => step(-1) };
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  follow();
})();
`;
