import { expect, test } from 'vitest';
import { parseThreshold, parseThresholdFlag, parseThresholds } from './parse.ts';

test('a metric with tags and an expression are read, whatever spaces they have', () => {
  expect(parseThreshold(' latency_ms { kind : read, window:none } ', ' p( 99.9 ) < 250 ')).toEqual({
    metric: 'latency_ms{window:none,kind:read}',
    name: 'latency_ms',
    tags: { window: 'none', kind: 'read' },
    expression: 'p(99.9)<250',
    aggregate: { p: 99.9 },
    comparison: '<',
    limit: 250,
  });
});

const READ: readonly (readonly [string, string, object])[] = [
  ['availability', 'rate>0.999', { aggregate: 'rate', comparison: '>', limit: 0.999 }],
  ['ops_unknown', 'count<=10', { aggregate: 'count', comparison: '<=', limit: 10 }],
  ['recovery_ms{fault:kill}', 'max<5s', { aggregate: 'max', limit: 5000, expression: 'max<5s' }],
  ['longest_gap_ms', 'value!=0', { aggregate: 'value', comparison: '!=', limit: 0 }],
  ['staleness_ms{mode:serializable}', 'median===0', { aggregate: 'med', comparison: '==' }],
  ['throughput', 'rate>=400', { limit: 400, expression: 'rate>=400' }],
];

test.for(READ)('%s %s is read', ([metric, expression, found]) => {
  expect(parseThreshold(metric, expression)).toMatchObject(found);
});

const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ['availabilty', 'rate>0.9', /no metric 'availabilty' \(did you mean 'availability'\?\)/],
  ['availability{', 'rate>0.9', /is not a metric/],
  ['availability{windw:none}', 'rate>0.9', /no tag 'windw' \(did you mean 'window'\?\)/],
  ['availability{window}', 'rate>0.9', /'window' is not a tag/],
  ['availability{window:none,window:fault}', 'rate>0.9', /says window twice/],
  ['availability{window:partiton}', 'rate>0.9', /\(did you mean 'partition'\?\)/],
  ['latency_ms{mode:strict}', 'max<1', /no mode 'strict'; there are: linearizable/],
  ['faults_effective{fault:kil}', 'count>1', /\(did you mean 'kill'\?\)/],
  ['recovery_ms{window:none}', 'max<1', /recovery_ms has no tag 'window'; it has: fault/],
  ['availability', 'p(95)>0.9', /availability has no percentiles; availability has: rate/],
  ['availability', 'raet>0.9', /no 'raet' of it \(did you mean 'rate'\?\)/],
  ['availability', 'rate', /'rate' is not an expression; write one such as rate>0\.5/],
  ['availability', 'rate>99.9', /a share is from 0 to 1/],
  ['availability', 'rate>1s', /'1s' is not a number/],
  ['availability', 'rate><1', /'><' compares nothing/],
  ['availability', 'rate(2)>1', /no 'rate' of it/],
  ['latency_ms', 'p(101)<5', /p\(101\) is no percentile/],
  ['latency_ms', 'p<5', /p\(\) is no percentile/],
  ['latency_ms', 'max<fast', /'fast' is not a duration/],
];

test.for(REFUSED)('%s %s is refused', ([metric, expression, why]) => {
  const options = { place: 'schism.config.ts: thresholds', faults: ['partition', 'kill'] };
  const parse = (): unknown => parseThreshold(metric, expression, options);
  expect(parse).toThrow(why);
  expect(parse).toThrow(/^schism\.config\.ts: thresholds: /);
});

test('a configuration is read in its order', () => {
  const spec = { latency_ms: ['p(50)<5', 'max<100'], availability: ['rate>0.9'] };
  const texts = parseThresholds(spec).map(({ metric, expression }) => `${metric} ${expression}`);
  expect(texts).toEqual(['latency_ms p(50)<5', 'latency_ms max<100', 'availability rate>0.9']);
});

test('what a stored run says may have any shape, and is refused in words', () => {
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [{ latency_ms: 'max<5' }, /^thresholds: latency_ms has no list of expressions$/],
    [{ latency_ms: [5] }, /^thresholds: a metric or an expression is no text/],
    [{ latency_ms: [`p(${' '.repeat(1e6)}`] }, /is no text of at most 200 letters/],
    [{ ['x'.repeat(1e6)]: {} }, /^thresholds: x{200} has no list/],
    [{ __proto__x: ['max<5'] }, /no metric '__proto__x'/],
  ];
  for (const [spec, why] of refused)
    expect(() => parseThresholds(spec as Record<string, string[]>)).toThrow(why);
});

test('a flag is a metric, a colon and expressions', () => {
  const flag = 'latency_ms{kind:read,window:none}: p(99)<250, max < 1s';
  expect(parseThresholdFlag(flag)).toEqual([
    'latency_ms{window:none,kind:read}',
    ['p(99)<250', 'max<1s'],
  ]);
  expect(() => parseThresholdFlag('rate>0.9')).toThrow(/^--threshold: 'rate>0\.9' is not a metric/);
  expect(() => parseThresholdFlag('latency: p(9)<1')).toThrow(/\(did you mean 'latency_ms'\?\)/);
});
