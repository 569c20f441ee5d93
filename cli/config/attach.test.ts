import { expect, test } from 'vitest';
import { attachedRun } from './attach.ts';

const attach = { nodes: { n1: { client: 'h:1' }, n2: { client: 'h:2' } } };

test('the nodes are those of the config, and the timing is etcd’s own unless it is told', () => {
  expect(attachedRun(attach, { options: {} })).toEqual({
    nodes: ['n1', 'n2'],
    systemOptions: { heartbeat: '100ms', election: '1s' },
  });
  const timing = { heartbeat: '50ms' };
  const options = { election: '3s' };
  expect(attachedRun({ ...attach, timing }, { nodes: 'n2,n1', options })).toEqual({
    nodes: ['n1', 'n2'],
    systemOptions: { heartbeat: '50ms', election: '3s' },
  });
});

test('what only a cluster that is started can have is refused', () => {
  expect(() => attachedRun(undefined, { options: {} })).toThrow('needs --config FILE');
  expect(() => attachedRun({ nodes: {} }, { options: {} })).toThrow('names no nodes');
  expect(() => attachedRun(attach, { nodes: '3', options: {} })).toThrow(
    '--nodes: the cluster has those that the config names: n1,n2',
  );
  expect(() => attachedRun(attach, { bug: 'x', options: { bug: 'x' } })).toThrow('--bug');
  expect(() => attachedRun(attach, { options: { 'snapshot-count': '5' } })).toThrow(
    "'snapshot-count' is for clusters that are started",
  );
});
