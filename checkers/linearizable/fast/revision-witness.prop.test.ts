import { expect, test } from 'vitest';
import { revisionProblem, smallRevisionProblem } from '../../testkit/fast-laws.ts';

test('a correct store has a witness, and whatever is given for one is one', () => {
  const found = new Map<string, number>();
  for (let seed = 0; seed < 1500; seed++) {
    const [witness, problem] = revisionProblem(seed);
    expect(problem, `seed ${seed}`).toBeUndefined();
    const name = witness.holds ? 'holds' : witness.why;
    found.set(name, (found.get(name) ?? 0) + 1);
  }
  expect(found.get('holds')).toBeGreaterThan(750);
  expect([...found.keys()].toSorted()).toEqual(['holds', 'real-time', 'same-revision', 'value']);
});

test('the same of a few operations, with values that come again and answers that say less', () => {
  const found = new Map<string, number>();
  for (let seed = 0; seed < 4000; seed++) {
    const [witness, problem] = smallRevisionProblem(seed);
    expect(problem, `seed ${seed}`).toBeUndefined();
    const name = witness.holds ? 'holds' : witness.why;
    found.set(name, (found.get(name) ?? 0) + 1);
  }
  const all = ['holds', 'no-revision', 'real-time', 'same-revision', 'value'];
  expect([...found.keys()].toSorted()).toEqual(all);
  expect(Math.min(...found.values())).toBeGreaterThan(100);
});
