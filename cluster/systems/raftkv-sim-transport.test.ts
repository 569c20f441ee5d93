import { describe, expect, test } from 'vitest';
import { sleep, VirtualClock } from '../../harness/core/clock.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { SimNet } from '../backends/sim/program.ts';
import type { Message } from '../raftkv/raft/types.ts';
import type { FoundCluster } from '../raftkv/server/config.ts';
import type { PeerHandler, Transport } from '../raftkv/server/transport.ts';
import { findOnSim, simPeerUrl, simTransport } from './raftkv-sim-transport.ts';

const NODES: readonly NodeName[] = ['n1', 'n2', 'n3'];
const DELAY_MS = 1;
const PEERS = new Map(NODES.map((node) => [idOf(node), simPeerUrl(node).slice('http://'.length)]));

function idOf(node: NodeName): string {
  return `a${node.slice(1)}`;
}

/** Carries everything after a moment, in order; `deaf` nodes have nobody who listens. */
class FakeNets {
  readonly deaf = new Set<NodeName>();
  readonly #clock: VirtualClock;
  readonly #receivers = new Map<NodeName, (from: NodeName, message: unknown) => void>();
  readonly #breakers = new Map<NodeName, (peer: NodeName) => void>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  of(self: NodeName): SimNet {
    return {
      nodes: NODES,
      send: (to, said) => {
        if (this.deaf.has(to)) return false;
        this.#clock.timer(DELAY_MS, () => this.#receivers.get(to)?.(self, said));
        return true;
      },
      receive: (handler) => this.#receivers.set(self, handler),
      broken: (handler) => this.#breakers.set(self, handler),
    };
  }

  breakStreams(a: NodeName, b: NodeName): void {
    this.#breakers.get(a)?.(b);
    this.#breakers.get(b)?.(a);
  }
}

interface Peer {
  readonly transport: Transport;
  /** What its handler was told, in order. */
  readonly told: string[];
}

class Fixture {
  readonly clock = new VirtualClock();
  readonly nets = new FakeNets(this.clock);

  /** `knows`: whom it takes the member at `x` for. */
  async peer(
    node: NodeName,
    options: { cluster?: string; answerMs?: number; knows?: () => string } = {},
  ): Promise<Peer> {
    const told: string[] = [];
    const handler: PeerHandler = {
      message: ({ type, from }) => told.push(`${type} from ${from}`),
      call: async (from, { method }) => {
        told.push(`${method} asked by ${from}`);
        if (options.answerMs !== undefined) await sleep(this.clock, options.answerMs);
        return Buffer.from(`${method}: done`);
      },
      members: () => ({
        cluster: 'c',
        members: [{ id: options.knows?.() ?? idOf(node), peerUrls: ['x'] }],
      }),
      unreachable: (member) => told.push(`${member} unreachable`),
      snapshotSent: (member, sent) => told.push(`snapshot to ${member}: ${sent}`),
    };
    const identity = { member: idOf(node), cluster: options.cluster ?? 'c' };
    const transport = await simTransport(this.nets.of(node), this.clock)(identity, handler);
    transport.setPeers(PEERS);
    return { transport, told };
  }

  play(scenario: () => Promise<void>): Promise<void> {
    return this.clock.run(scenario());
  }

  wait(ms: number): Promise<void> {
    return sleep(this.clock, ms);
  }
}

function message(from: NodeName, to: NodeName, type: 'timeout-now' | 'snapshot'): Message {
  const addressed = { from: idOf(from), to: idOf(to), term: 1 };
  const meta = { index: 1, term: 1, config: { voters: [], learners: [] } };
  return type === 'snapshot' ? { ...addressed, type, meta } : { ...addressed, type };
}

const CALL = { method: 'renew', body: Buffer.from('x') };

describe('members over the simulated network', () => {
  test('hear each other, and know since when', async () => {
    const fixture = new Fixture();
    await fixture.play(async () => {
      const one = await fixture.peer('n1');
      const two = await fixture.peer('n2');
      await fixture.wait(10);
      expect(two.transport.activeSinceMs('a1')).toBeUndefined();
      for (let sent = 0; sent < 3; sent++) {
        one.transport.send(message('n1', 'n2', 'timeout-now'));
        await fixture.wait(100);
      }
      expect(two.told).toEqual(Array(3).fill('timeout-now from a1'));
      expect(two.transport.activeSinceMs('a1')).toBe(11);
      await fixture.wait(6_000);
      expect(two.transport.activeSinceMs('a1')).toBeUndefined();
      one.transport.send(message('n1', 'n2', 'timeout-now'));
      await fixture.wait(100);
      expect(two.transport.activeSinceMs('a1')).toBe(6_311);
    });
  });

  test('are told of what was lost, later and at most ten times a second', async () => {
    const fixture = new Fixture();
    await fixture.play(async () => {
      const { transport, told } = await fixture.peer('n1');
      fixture.nets.deaf.add('n2');
      for (let sent = 0; sent < 50; sent++) {
        transport.send(message('n1', 'n2', 'timeout-now'));
        if (sent === 0) expect(told).toEqual([]);
        await fixture.wait(10);
      }
      expect(told.length).toBeGreaterThanOrEqual(4);
      expect(told.length).toBeLessThanOrEqual(6);
      expect(new Set(told)).toEqual(new Set(['a2 unreachable']));
    });
  });

  test('are told of a stream that broke, and count its other end as silent', async () => {
    const fixture = new Fixture();
    await fixture.play(async () => {
      const one = await fixture.peer('n1');
      const two = await fixture.peer('n2');
      two.transport.send(message('n2', 'n1', 'timeout-now'));
      await fixture.wait(10);
      expect(one.transport.activeSinceMs('a2')).toBe(1);
      fixture.nets.breakStreams('n1', 'n2');
      await fixture.wait(10);
      expect(one.told).toContain('a2 unreachable');
      expect(one.transport.activeSinceMs('a2')).toBeUndefined();
    });
  });

  test('are told once whether a snapshot went out', async () => {
    const fixture = new Fixture();
    await fixture.play(async () => {
      const { transport, told } = await fixture.peer('n1');
      await fixture.peer('n2');
      fixture.nets.deaf.add('n3');
      transport.send(message('n1', 'n2', 'snapshot'));
      transport.send(message('n1', 'n3', 'snapshot'));
      expect(told).toEqual([]);
      await fixture.wait(200);
      expect(told.toSorted()).toEqual([
        'a3 unreachable',
        'snapshot to a2: true',
        'snapshot to a3: false',
      ]);
    });
  });

  test('do not listen to another cluster, nor to what is for somebody else', async () => {
    const fixture = new Fixture();
    await fixture.play(async () => {
      const stranger = await fixture.peer('n1', { cluster: 'another' });
      const known = await fixture.peer('n3');
      const { told } = await fixture.peer('n2');
      stranger.transport.send(message('n1', 'n2', 'timeout-now'));
      known.transport.setPeers(new Map([['a7', 'n2.sim:2380']]));
      known.transport.send({ ...message('n3', 'n2', 'timeout-now'), to: 'a7' });
      expect(await stranger.transport.call('a2', CALL, 50)).toBeUndefined();
      expect(told).toEqual([]);
    });
  });

  test('answer calls, or the time is up', async () => {
    const fixture = new Fixture();
    await fixture.play(async () => {
      const { transport } = await fixture.peer('n1');
      await fixture.peer('n2');
      await fixture.peer('n3', { answerMs: 100 });
      const answer = await transport.call('a2', CALL, 50);
      expect(Buffer.from(answer ?? []).toString()).toBe('renew: done');
      expect(await transport.call('a3', CALL, 50)).toBeUndefined();
      expect(await transport.call('a9', CALL, 50)).toBeUndefined();
    });
  });

  test('take no answer to what a former life asked', async () => {
    const fixture = new Fixture();
    await fixture.play(async () => {
      const former = await fixture.peer('n1');
      await fixture.peer('n2', { answerMs: 20 });
      void former.transport.call('a2', { method: 'old', body: CALL.body }, 1_000);
      await fixture.wait(10);
      const { transport } = await fixture.peer('n1');
      const answer = await transport.call('a2', CALL, 1_000);
      expect(Buffer.from(answer ?? []).toString()).toBe('renew: done');
    });
  });

  describe('are found by one that joins', () => {
    const joining = {
      name: 'n3',
      initialCluster: NODES.map((name) => ({ name, peerUrls: [name === 'n3' ? 'x' : name] })),
    };

    test('when most of them agree on who it is, and not before', async () => {
      const fixture = new Fixture();
      let told = 'its former id';
      await fixture.play(async () => {
        fixture.nets.deaf.add('n1');
        await fixture.peer('n1', { knows: () => told });
        await fixture.peer('n2', { knows: () => 'a3' });
        const finding = findOnSim(fixture.nets.of('n3'), fixture.clock, joining);
        const foundWithin = (ms: number): Promise<FoundCluster | void> =>
          Promise.race([finding, fixture.wait(ms)]);
        expect(await foundWithin(1_000)).toBeUndefined();
        fixture.nets.deaf.delete('n1');
        expect(await foundWithin(1_000)).toBeUndefined();
        told = 'a3';
        expect(await finding).toEqual({ cluster: 'c', members: [{ id: 'a3', peerUrls: ['x'] }] });
      });
    });

    test('or not at all: it gives up, as a process does', async () => {
      const fixture = new Fixture();
      await fixture.play(async () => {
        await fixture.peer('n1', { knows: () => 'a3' });
        const finding = findOnSim(fixture.nets.of('n3'), fixture.clock, joining);
        await expect(finding).rejects.toThrow('of 2 members 1 answered within 10000 ms at n1, n2');
        expect(fixture.clock.now()).toBe(10_000e6);
      });
    });
  });
});
