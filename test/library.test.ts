/** The library as a test author meets it: a generator, a simulation, a checker. */
import { expect, test } from 'vitest';
import * as schism from '../schism.ts';

test('a generator can be simulated and its history judged, without a cluster', async () => {
  const writes = schism.map(
    (offer) => ({ ...offer, key: 'x' }),
    schism.ops([
      { f: 'write', value: 1 },
      { f: 'write', value: 2 },
    ]),
  );
  const ops = schism.simulate(schism.clients(writes), { clients: 1 });
  expect(ops.map(({ type, value }) => [type, value])).toEqual([
    ['invoke', 1],
    ['ok', 1],
    ['invoke', 2],
    ['ok', 2],
  ]);
});

test('the short notation, a checker and the recheck of its certificate', async () => {
  const history = schism.parseHistory(`
    0 invoke write x 1; 0 ok write x 1
    0 invoke write x 2; 0 ok write x 2
    1 invoke read x; 1 ok read x 1
  `);
  const result = await schism.linearizable({}).check(history, {
    nodes: [],
    timing: { heartbeatMs: 1, electionMs: 10 },
    promises: { linearizable: 'linearizable', serializable: 'serializable' },
    faults: [],
    requireFaults: false,
    logs: [],
    limits: { timeoutMs: 1000, memoryBytes: 2 ** 26 },
  });
  expect(result.verdict).toBe('invalid');
  const [anomaly] = result.anomalies;
  expect(anomaly?.kind).toBe('stale-read');
  expect(anomaly && schism.recheckCertificate(anomaly, history)).toBe(true);
});
