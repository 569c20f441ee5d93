import { expect, test } from 'vitest';
import { thresholdsOf } from './thresholds.ts';

const FAULTS = ['kill', 'partition'];

test('nothing asked is nothing to judge', () => {
  expect(thresholdsOf(undefined, [], FAULTS)).toBeUndefined();
  expect(thresholdsOf({ availability: [] }, undefined, FAULTS)).toBeUndefined();
});

test('a flag takes the place of what the config asks of the same metric, and adds others', () => {
  const config = { 'latency_ms{kind:read, window:none}': ['max<9'], ops_failed: ['rate<0.1'] };
  const texts = [
    'latency_ms{window:none,kind:read}: p(99)<50',
    'latency_ms{window:none,kind:read}: max<90',
    'throughput: rate>1',
  ];
  expect(thresholdsOf(config, texts, FAULTS)).toEqual({
    ops_failed: ['rate<0.1'],
    'latency_ms{window:none,kind:read}': ['p(99)<50', 'max<90'],
    throughput: ['rate>1'],
  });
});

test('a mistake in either is said with its place', () => {
  expect(() => thresholdsOf({ 'recovery_ms{fault:kil}': ['max<9'] }, [], FAULTS)).toThrow(
    "thresholds: recovery_ms: no fault 'kil' (did you mean 'kill'?)",
  );
  expect(() => thresholdsOf({}, ['availability: rate>9'], FAULTS)).toThrow(
    "--threshold: availability: 'rate>9': a share is from 0 to 1",
  );
});
