/**
 * What Toxiproxy 2.12 does to bytes. Tried on our server, or on any other: see `contract-testing.ts`.
 * Times are lower bounds only: machines may be slow. What ours does otherwise, on purpose, is in
 * `toxiproxy-server/toxics.proc.test.ts`.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sleep } from '../../harness/core/clock.ts';
import {
  type ContractServer,
  contractServer,
  contractStage,
  type Stage,
} from './contract-testing.ts';
import { clock, dial, soon, timed, until } from './testing.ts';

/** Long enough to notice what should not happen. */
const QUIET_MS = 80;
const FOREVER_MS = 3_600_000;

let server: ContractServer;
let stage: Stage;
beforeAll(async () => {
  server = await contractServer();
  await server.removeAll();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  stage = await contractStage(server);
});
afterEach(() => stage[Symbol.asyncDispose]());

const resetUpstream = { type: 'reset_peer', stream: 'upstream', attributes: { timeout: 100 } };

describe('without toxics', () => {
  it('an end on one side closes the other completely, once all bytes are through', async () => {
    const { here, there } = await stage.talking();
    there.socket.end('bye');
    expect(await here.isOver()).toBe('end');
    expect(here.text()).toBe('pongbye');
    // No half close: what the caller says now meets a closed connection.
    await until('the refusal', () => {
      here.socket.write('x');
      return here.over() !== 'end' || here.socket.destroyed;
    });
  });

  it('a caller whose upstream refuses is closed without a reset', async () => {
    await stage.node[Symbol.asyncDispose]();
    const late = await stage.caller();
    expect(await late.isOver()).toBe('end');
  });

  it('a caller waits while the upstream takes no connections, and is served when it does', async () => {
    await using node = await stoppedNode(server.here);
    await stage.change({ upstream: node.address });
    const waiting = await stage.caller();
    waiting.socket.write('hello?');
    await sleep(clock, QUIET_MS);
    expect([waiting.over(), waiting.text()]).toEqual([undefined, '']);
    node.goOn();
    await waiting.has('HELLO?');
  });

  it('disabled, all connections are closed and new ones refused, until it is enabled', async () => {
    const { here, there } = await stage.talking();
    await stage.change({ enabled: false });
    expect(await here.isOver()).toBe('end');
    await there.isOver();
    await expect(dial(stage.address)).rejects.toThrow('ECONNREFUSED');
    await stage.change({ enabled: true });
    await stage.talking();
  });
});

describe('latency', () => {
  it('delays one direction of connections that are there; its removal flushes at once', async () => {
    const { here, there } = await stage.talking();
    await stage.add({
      type: 'latency',
      name: 't',
      stream: 'upstream',
      attributes: { latency: 150 },
    });
    const { ms } = await timed(() => {
      here.socket.write('a');
      return there.has('pinga');
    });
    expect(ms).toBeGreaterThanOrEqual(149);
    await stage.update('t', { attributes: { latency: FOREVER_MS } });
    for (const text of ['b', 'c']) {
      here.socket.write(text);
      await sleep(clock, 10);
    }
    there.socket.write('!');
    await here.has('pong!');
    expect(there.text()).toBe('pinga');
    await stage.remove('t');
    await there.has('pingabc');
  });

  it('is downstream unless it is said otherwise, and delays the end behind the bytes', async () => {
    const { here, there } = await stage.talking();
    await stage.add({ type: 'latency', attributes: { latency: 150 } });
    here.socket.write('quick');
    await there.has('pingquick');
    const { ms } = await timed(() => {
      there.socket.end('slow');
      return here.isOver();
    });
    expect(ms).toBeGreaterThanOrEqual(149);
    expect(here.text()).toBe('pongslow');
  });

  it('never reorders, whatever the jitter', async () => {
    const { here, there } = await stage.talking();
    await stage.add({
      type: 'latency',
      stream: 'upstream',
      attributes: { latency: 20, jitter: 20 },
    });
    const letters = 'abcdefghijklmnopqrstuvwxyz';
    for (const letter of letters) {
      here.socket.write(letter);
      await sleep(clock, 2);
    }
    await there.has(`ping${letters}`);
  });
});

describe('bandwidth', () => {
  it('lets so many thousand bytes through in a second', async () => {
    const { here, there } = await stage.talking();
    await stage.add({ type: 'bandwidth', stream: 'upstream', attributes: { rate: 100 } });
    const { ms } = await timed(() => {
      here.socket.write('x'.repeat(20_000));
      return until('20 KB', () => there.text().length === 20_004);
    });
    expect(ms).toBeGreaterThanOrEqual(199);
  });

  it('of 0 lets nothing through and loses nothing: all is delivered when it goes', async () => {
    const { here, there } = await stage.talking();
    await stage.add({ type: 'bandwidth', name: 't', stream: 'upstream', attributes: { rate: 0 } });
    for (const text of ['1', '2', '3']) {
      here.socket.write(text);
      await sleep(clock, 10);
    }
    await sleep(clock, QUIET_MS);
    expect([there.text(), there.over()]).toEqual(['ping', undefined]);
    await stage.remove('t');
    await there.has('ping123');
  });
});

describe('slow_close', () => {
  it('delays the end and nothing else', async () => {
    const { here, there } = await stage.talking();
    await stage.add({ type: 'slow_close', stream: 'upstream', attributes: { delay: 300 } });
    const { ms } = await timed(async () => {
      here.socket.end('last words');
      await there.has('pinglast words');
      expect(there.over()).toBeUndefined();
      await there.isOver();
    });
    expect(ms).toBeGreaterThanOrEqual(299);
  });
});

describe('timeout', () => {
  it('discards all, and closes both sides after a silence, counted from the last bytes', async () => {
    const { here, there } = await stage.talking();
    await stage.add({ type: 'timeout', stream: 'upstream', attributes: { timeout: 2_000 } });
    await sleep(clock, 300);
    const { ms } = await timed(() => {
      here.socket.write('lost');
      return there.isOver();
    });
    expect(ms).toBeGreaterThanOrEqual(1_999);
    expect(there.text()).toBe('ping');
    expect(await here.isOver()).toBe('end');
  });

  it('of 0 never closes by itself; the other direction flows', async () => {
    const { here, there } = await stage.talking();
    await stage.add({ type: 'timeout', stream: 'upstream' });
    here.socket.write('lost');
    there.socket.write('!');
    await here.has('pong!');
    await sleep(clock, QUIET_MS);
    expect([here.over(), there.over(), there.text()]).toEqual([undefined, undefined, 'ping']);
  });

  it('passes the end of a caller on at once', async () => {
    const { here, there } = await stage.talking();
    await stage.add({ type: 'timeout', stream: 'upstream' });
    here.socket.end('lost');
    expect(await there.isOver()).toBe('end');
    expect(there.text()).toBe('ping');
  });

  it.each([1, 0])('closes connections when it is removed, toxicity %i or not', async (toxicity) => {
    const { here, there } = await stage.talking();
    await stage.add({ type: 'timeout', name: 't', stream: 'upstream', toxicity });
    await stage.remove('t');
    expect(await there.isOver()).toBe('end');
    expect(await here.isOver()).toBe('end');
    await stage.talking();
  });
});

describe('reset_peer', () => {
  it('resets both ends a while after the first bytes, where it was there first', async () => {
    await stage.add(resetUpstream);
    const idle = await stage.caller();
    const here = await stage.caller();
    await stage.node.next();
    const there = await stage.node.next();
    const { ms } = await timed(() => {
      here.socket.write('a');
      return here.isOver();
    });
    expect(ms).toBeGreaterThanOrEqual(99);
    expect(here.over()).toBe('ECONNRESET');
    expect(await there.isOver()).toBe('ECONNRESET');
    expect(there.text()).toBe('');
    expect(idle.over()).toBeUndefined();
  });

  it('ends connections that were there before it, once they speak', async () => {
    const { here, there } = await stage.talking();
    await stage.add(resetUpstream);
    await sleep(clock, QUIET_MS);
    expect(here.over()).toBeUndefined();
    here.socket.write('a');
    await here.isOver();
    await there.isOver();
    expect(there.text()).toBe('ping');
  });
});

describe('slicer', () => {
  it('sends the same bytes in small pieces, some microseconds apart', async () => {
    const { here, there } = await stage.talking();
    await stage.add({
      type: 'slicer',
      stream: 'upstream',
      attributes: { average_size: 10, size_variation: 2, delay: 20_000 },
    });
    const text = 'abcdefghij'.repeat(10);
    const { ms } = await timed(() => {
      here.socket.write(text);
      return there.has(`ping${text}`);
    });
    // Pieces of at most 12 bytes are at least 9, and 8 times something lies between.
    expect(ms).toBeGreaterThanOrEqual(159);
  });
});

describe('limit_data', () => {
  it('closes at the limit, counted for each connection since it was added', async () => {
    const { here, there } = await stage.talking();
    await stage.add({ type: 'limit_data', stream: 'upstream', attributes: { bytes: 6 } });
    here.socket.write('1234');
    await there.has('ping1234');
    const second = await stage.caller();
    const its = await stage.node.next();
    second.socket.write('12345');
    await its.has('12345');
    here.socket.write('5678');
    expect(await there.isOver()).toBe('end');
    expect(there.text()).toBe('ping123456');
    await here.isOver();
    expect(second.over()).toBeUndefined();
  });

  it('goes on counting when its limit is changed', async () => {
    const { here, there } = await stage.talking();
    await stage.add({
      type: 'limit_data',
      name: 't',
      stream: 'upstream',
      attributes: { bytes: 9 },
    });
    here.socket.write('123456');
    await there.has('ping123456');
    await stage.update('t', { attributes: { bytes: 8 } });
    here.socket.write('789');
    await there.isOver();
    expect(there.text()).toBe('ping12345678');
  });

  it('below what has passed closes at the next bytes, and lets none of them through', async () => {
    const { here, there } = await stage.talking();
    await stage.add({
      type: 'limit_data',
      name: 't',
      stream: 'upstream',
      attributes: { bytes: 9 },
    });
    here.socket.write('123456');
    await there.has('ping123456');
    await stage.update('t', { attributes: { bytes: 4 } });
    await sleep(clock, QUIET_MS);
    expect(there.over()).toBeUndefined();
    here.socket.write('7');
    await there.isOver();
    expect(there.text()).toBe('ping123456');
  });

  it('of 0 closes at the first bytes, not before', async () => {
    const { here, there } = await stage.talking();
    await stage.add({ type: 'limit_data', stream: 'upstream', attributes: { bytes: 0 } });
    await sleep(clock, QUIET_MS);
    expect(there.over()).toBeUndefined();
    here.socket.write('1');
    expect(await there.isOver()).toBe('end');
    expect(there.text()).toBe('ping');
  });
});

describe('toxicity', () => {
  const slow = { type: 'latency', name: 't', stream: 'upstream' } as const;
  const forever = { latency: FOREVER_MS };

  it('is thrown for again on connections that are there when it changes', async () => {
    const { here, there } = await stage.talking();
    await stage.add({ ...slow, toxicity: 0, attributes: forever });
    here.socket.write('a');
    await there.has('pinga');
    await stage.update('t', { toxicity: 1 });
    here.socket.write('b');
    await sleep(clock, QUIET_MS);
    expect(there.text()).toBe('pinga');
    await stage.update('t', { toxicity: 0 });
    await there.has('pingab');
  });

  it('is thrown for again when the toxic behind it comes or goes', async () => {
    const { here, there } = await stage.talking();
    await stage.add({ ...slow, toxicity: 0.5, attributes: forever });
    const seen = new Set<'held' | 'passed'>();
    // Each throw goes the other way with a chance of one half: 60 alike do not happen.
    for (let round = 0; round < 30 && seen.size < 2; round++) {
      for (const change of [
        () => stage.add({ type: 'noop', name: 'behind', stream: 'upstream' }),
        () => stage.remove('behind'),
      ]) {
        await change();
        // What was held may be let go by the change itself.
        await sleep(clock, QUIET_MS);
        const before = there.text().length;
        here.socket.write('x');
        await sleep(clock, QUIET_MS);
        seen.add(there.text().length > before ? 'passed' : 'held');
      }
    }
    expect(seen).toEqual(new Set(['held', 'passed']));
  });

  it('is thrown for each connection, not for each of its bytes', async () => {
    await stage.add({ ...slow, toxicity: 0.5, attributes: forever });
    for (let round = 0; round < 6; round++) {
      const here = await stage.caller();
      const there = await stage.node.next();
      for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) {
        here.socket.write(text);
        await sleep(clock, 5);
      }
      await sleep(clock, QUIET_MS);
      if (there.text() !== '') await there.has('abcdef');
      expect(['', 'abcdef']).toContain(there.text());
    }
  });
});

describe('several toxics', () => {
  it('work one after the other, in the order in which they were added', async () => {
    const { here, there } = await stage.talking();
    await stage.add({ type: 'noop', stream: 'upstream' });
    await stage.add({
      type: 'limit_data',
      name: 'l',
      stream: 'upstream',
      attributes: { bytes: 3 },
    });
    await stage.add({
      type: 'latency',
      name: 't',
      stream: 'upstream',
      attributes: { latency: 150 },
    });
    const { ms } = await timed(() => {
      here.socket.write('12345');
      return there.isOver();
    });
    // What the limit let through is slowed, and so is the close behind it.
    expect(ms).toBeGreaterThanOrEqual(149);
    expect(there.text()).toBe('ping123');
  });
});

interface StoppedNode extends AsyncDisposable {
  readonly address: string;
  goOn(): void;
}

const SHOUT = `require('net').createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (bytes) => socket.write(String(bytes).toUpperCase()));
}).listen(0, process.argv[1], 1, function () { console.log(this.address().port); });`;

/** A program that is stopped, and whose queue of connections is full: who dials it gets no answer. */
async function stoppedNode(host: string): Promise<StoppedNode> {
  const child = execa(process.execPath, ['-e', SHOUT, host], {
    stderr: 'inherit',
    buffer: false,
    reject: false,
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const port = Number(line);
  child.kill('SIGSTOP');
  const sockets: Socket[] = [];
  for (let isFull = false; !isFull; ) {
    const socket = connect({ host, port });
    socket.on('error', () => undefined);
    sockets.push(socket);
    const connected = once(socket, 'connect').then(() => false);
    isFull = await Promise.race([connected, sleep(clock, 300).then(() => true)]);
  }
  return {
    address: `${host}:${port}`,
    goOn: () => {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGCONT');
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGKILL');
      await soon('the end of a stopped program', child);
    },
  };
}
