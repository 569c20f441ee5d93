import { test } from '../../schism.ts';

/** Found without a fault, by this seed. */
const wrong = { bug: 'txn-race', duration: '3s', seed: 5 } as const;
/** The first pause would come after the end. */
const idle = { faults: ['pause'], faultInterval: '1h' } as const;

test('passes', {});
test('fails', wrong);
test('unknown', idle);
test('accepted', { ...idle, unknown: 'warn' });
test('infrastructure', { ...idle, requireFaults: true });
test('mistake', { system: 'broken', backend: 'memory' });
test.expectViolation('found', wrong);
test.expectViolation('missed', {});
test('endless', { duration: '10h' });
