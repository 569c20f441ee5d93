/** Whatever is asked of the page's view, it stays a sight of the run. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRun } from '../reading.ts';
import { failRun } from '../testing/fixture-result.ts';
import { decodePage } from './page/decode.ts';
import { parseHash } from './page/hash.ts';
import { Store } from './page/store.ts';
import { encodePage } from './page-data.ts';

const { result, history } = failRun();
const reading = readRun(result, history);
const data = await decodePage(encodePage({ result, history, reading, logs: [] }));
const { end } = data.header;

function expectSane(store: Store): void {
  const { from, to } = store.view;
  expect(from).toBeGreaterThanOrEqual(0);
  expect(to).toBeLessThanOrEqual(end);
  expect(to).toBeGreaterThan(from);
}

test('a window lies within the run', () => {
  const store = new Store(data, {});
  fc.assert(
    fc.property(fc.double(), fc.double(), fc.double(), (from, to, by) => {
      store.set({ from, to });
      expectSane(store);
      store.pan(by);
      expectSane(store);
      store.zoom(Math.abs(by), from);
      expectSane(store);
    }),
  );
});

test('no address does harm', () => {
  const store = new Store(data, {});
  const number = fc.oneof(fc.double().map(String), fc.integer().map(String), fc.string());
  const address = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .tuple(number, number, number, number)
      .map(
        ([from, to, op, client]) => `#t=${from}-${to}&op=${op}&client=${client}&violation=${op}`,
      ),
  );
  fc.assert(
    fc.property(address, (hash) => {
      const { view, entry } = parseHash(hash, { violations: 1 });
      store.set(view);
      expectSane(store);
      expect(store.view.violation).toBeLessThan(1);
      expect(Number.isSafeInteger(entry)).toBe(true);
    }),
  );
});
