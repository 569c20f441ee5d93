import { expect, test } from 'vitest';
import { percentiles, SeriesBuilder } from './series.ts';

test('percentiles by nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect(percentiles(hundred)).toEqual({ p50: 50, p99: 99, max: 100 });
  expect(percentiles([7])).toEqual({ p50: 7, p99: 7, max: 7 });
  expect(percentiles([])).toEqual({ p50: null, p99: null, max: null });
});

test('about 240 slices of a long run, slices of 100 ms of a short one, at least one', () => {
  expect(new SeriesBuilder(240e9).build().length).toBe(240);
  expect(new SeriesBuilder(2e9).build().length).toBe(20);
  expect(new SeriesBuilder(0).build()).toEqual([
    { startNanos: 0, endNanos: 1e8, ok: 0, fail: 0, info: 0, p50: null, p99: null, max: null },
  ]);
});

test('the rest of the last slice joins the one before', () => {
  const series = new SeriesBuilder(250e6);
  series.add('ok', 249e6, 5);
  series.add('info', 10e6, undefined);
  const buckets = series.build();
  expect(buckets.map(({ endNanos }) => endNanos)).toEqual([100e6, 250e6]);
  expect(buckets.map(({ ok, info }) => [ok, info])).toEqual([
    [0, 1],
    [1, 0],
  ]);
});
