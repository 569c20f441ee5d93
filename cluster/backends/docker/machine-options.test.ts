import { describe, expect, test } from 'vitest';
import { checkMachineOptions, machineOptions } from './machine-options.ts';

describe('machineOptions', () => {
  test('reads images, processors and sizes', () => {
    expect(machineOptions('etcd', {})).toEqual({});
    const options = {
      image: 'quay.io:443/coreos/etcd:v3.5.21',
      'links-image': 'ghcr.io/shopify/toxiproxy@sha256:0123',
      cpus: '0.5',
      memory: '1.5g',
      'data-size': '256MiB',
      heartbeat: '50ms',
    };
    expect(machineOptions('etcd', options)).toEqual({
      image: 'quay.io:443/coreos/etcd:v3.5.21',
      linksImage: 'ghcr.io/shopify/toxiproxy@sha256:0123',
      cpus: 0.5,
      memoryBytes: 1.5 * 2 ** 30,
      dataBytes: 256 * 2 ** 20,
    });
  });

  test.each([
    ['image', '', "'' is not the name of an image"],
    ['image', 'an image', "'an image' is not the name of an image"],
    ['links-image', '--privileged', "'--privileged' is not the name of an image"],
    ['cpus', '0', "'0' is not a number of processors; write 0.5 or 2"],
    ['cpus', 'two', "'two' is not a number of processors; write 0.5 or 2"],
    ['memory', '1m', "'1m' is not a size; write 256m or 1g, and at least 16m"],
    ['memory', '256', "'256' is not a size; write 256m or 1g, and at least 16m"],
    ['data-size', '1t', "'1t' is not a size; write 256m or 1g, and at least 1m"],
  ])('refuses %s=%s', (option, text, why) => {
    expect(() => machineOptions('etcd', { [option]: text })).toThrow(
      `etcd option ${option}: ${why}`,
    );
  });

  test('none of them is for other backends', () => {
    const options = { memory: '1g' };
    expect(() => checkMachineOptions('raftkv', options, 'process')).toThrow(
      'raftkv option memory: only with --backend docker, and this is process',
    );
    expect(() => checkMachineOptions('raftkv', options, 'docker')).not.toThrow();
    expect(() => checkMachineOptions('raftkv', {}, 'sim')).not.toThrow();
  });
});
