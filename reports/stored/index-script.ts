/**
 * Makes the list of runs searchable, sortable and filtered, in the page itself. It only shows, hides
 * and moves rows that are there; without it the list is whole, the newest first.
 */
export const INDEX_SCRIPT = `'use strict';
(() => {
  const table = document.querySelector('table');
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const search = document.getElementById('search');
  const state = document.getElementById('state');
  const shown = document.getElementById('shown');
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const update = () => {
    const words = search.value.toLowerCase().split(/\\s+/).filter((word) => word !== '');
    let count = 0;
    for (const row of rows) {
      const fits =
        (state.value === '' || row.dataset.state === state.value) &&
        words.every((word) => texts.get(row).includes(word));
      row.hidden = !fits;
      if (fits) count++;
    }
    shown.textContent = count === rows.length ? '' : count + ' of ' + rows.length + ' shown';
  };
  const keyOf = (row, at) => row.cells[at].dataset.sort ?? row.cells[at].textContent;
  const sortBy = (head, at) => {
    const down = head.getAttribute('aria-sort') === 'ascending';
    for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    const compare = (a, b) =>
      keyOf(a, at).localeCompare(keyOf(b, at), 'en', { numeric: true }) * (down ? -1 : 1);
    body.append(...rows.toSorted(compare));
  };
  [...table.tHead.rows[0].cells].forEach((head, at) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    button.addEventListener('click', () => sortBy(head, at));
    head.replaceChildren(button);
  });
  search.addEventListener('input', update);
  state.addEventListener('change', update);
  document.getElementById('controls').hidden = false;
  addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.target === search) return;
    event.preventDefault();
    search.focus();
  });
})();
`;
