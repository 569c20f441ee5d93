/** Loaded by name of the package, as an installed one would be. */
import { test } from 'schism';

test('reads of a healthy cluster', { system: 'memory', faults: false, tags: ['@quick'] });

test.expectViolation('a stale read', {
  system: 'memory',
  bug: 'stale-read',
  anomaly: 'stale-read',
  within: '3 runs',
});
