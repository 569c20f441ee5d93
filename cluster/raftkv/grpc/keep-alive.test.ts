import { expect, test } from 'vitest';
import { FAILURES } from '../failures.ts';
import { plain, serving } from './serving-testing.ts';

test('each request is answered in turn, with what is left of the lease', async () => {
  await using s = await serving();
  s.node.store.leases.grant('7', 60);
  const stream = s.client.stream('Lease', 'LeaseKeepAlive');
  for (const ID of [7, 8, 7]) stream.send({ ID });
  const answers = [await stream.next(), await stream.next(), await stream.next()];
  expect(answers.map(plain)).toEqual([{ ID: '7', TTL: '60' }, { ID: '8' }, { ID: '7', TTL: '60' }]);
  expect(answers[0]).toMatchObject({ header: { revision: '1' } });
  stream.halfClose();
  expect(await stream.next()).toEqual({ code: 'OK', details: 'OK' });
  expect(s.server.streams).toBe(0);
});

test('requests that are still waiting when the client has no more are answered', async () => {
  await using s = await serving();
  s.node.store.leases.grant('7', 60);
  const stream = s.client.stream('Lease', 'LeaseKeepAlive');
  for (let index = 0; index < 100; index++) stream.send({ ID: 7 });
  stream.halfClose();
  for (let index = 0; index < 100; index++)
    expect(plain(await stream.next())).toEqual({ ID: '7', TTL: '60' });
  expect(await stream.next()).toMatchObject({ code: 'OK' });
});

test('a lease that is not found has no time left; any other failure ends the stream', async () => {
  await using s = await serving();
  const stream = s.client.stream('Lease', 'LeaseKeepAlive');
  s.node.state.failure = FAILURES.leaseNotFound;
  stream.send({ ID: 7 });
  expect(plain(await stream.next())).toEqual({ ID: '7' });
  s.node.state.failure = FAILURES.timedOut;
  stream.send({ ID: 7 });
  expect(await stream.next()).toEqual({
    code: 'UNAVAILABLE',
    details: 'etcdserver: request timed out',
  });
});

test('a bug ends the stream and is logged', async () => {
  await using s = await serving();
  const stream = s.client.stream('Lease', 'LeaseKeepAlive');
  s.node.state.bug = new Error('no such thing');
  stream.send({ ID: 7 });
  expect(await stream.next()).toMatchObject({ code: 'INTERNAL' });
  expect(s.errors).toHaveLength(1);
});
