import { test } from 'schism';

test('nothing acknowledged is lost while the primary dies', {
  workload: 'register',
  schedule: [{ at: '2s', fault: 'kill', for: '1s', target: 'leader' }],
});

test('reads keep what their mode promises while nodes are cut off', {
  tags: ['@reads'],
  workload: 'reads',
  faults: ['partition'],
});

// A harness that finds nothing may be blind: this bug must be found.
test.expectViolation('known bug: changes are written twenty at a time', {
  within: '3 runs',
  systemOptions: { batch: 20 },
  workload: 'register',
  schedule: [{ at: '2s', fault: 'kill', for: '1s', target: 'leader' }],
});
