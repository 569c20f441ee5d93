import { expect, test } from 'vitest';
import { TornViews } from './torn-views.ts';

test('a new leader with the old term is torn until the term follows', () => {
  const views = new TornViews();
  expect(views.isTorn('n1', 'a', '4')).toBe(false);
  expect(views.isTorn('n1', 'b', '4')).toBe(true);
  expect(views.isTorn('n1', 'b', '5')).toBe(false);
  expect(views.isTorn('n1', 'b', '5')).toBe(false);
});

test('members are told apart', () => {
  const views = new TornViews();
  views.isTorn('n1', 'a', '4');
  expect(views.isTorn('n2', 'b', '4')).toBe(false);
});

test('a member that insists on two leaders in one term is believed', () => {
  const views = new TornViews();
  views.isTorn('n1', 'a', '4');
  const seen = Array.from({ length: 5 }, () => views.isTorn('n1', 'b', '4'));
  expect(seen).toEqual([true, true, true, false, false]);
});
