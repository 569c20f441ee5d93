/**
 * Our server through the client library; and what it answers otherwise than the original, on purpose.
 * All the rest is in `toxiproxy-contract.proc.test.ts`.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Latency, Proxy } from 'toxiproxy-node-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { client, dial, launchProgram, listen, ourServer, ourServerAt, soon } from '../testing.ts';
import type { LinkServer } from '../toxiproxy.ts';

let server: LinkServer;
beforeAll(async () => {
  server = await ourServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  for (const proxy of Object.values(await client(server).getAll())) await proxy.remove();
});

const upstream = '127.0.0.1:9';
const create = (name = 'n1>n2'): Promise<Proxy> =>
  client(server).createProxy({ name, listen: '127.0.0.1:0', upstream });

async function post(path: string, body: unknown): Promise<{ status: number; body: string }> {
  const reply = await fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  return { status: reply.status, body: await reply.text() };
}

describe('through the client library', () => {
  it('proxies are created, read, moved, disabled and removed', async () => {
    const proxy = await create();
    expect(proxy.listen).toMatch(/^127\.0\.0\.1:[1-9]\d+$/);
    expect((await client(server).get('n1>n2')).toJson()).toEqual(proxy.toJson());
    expect(Object.keys(await client(server).getAll())).toEqual(['n1>n2']);
    const down = await proxy.update({ enabled: false, listen: proxy.listen, upstream });
    expect(down.enabled).toBe(false);
    const moved = await proxy.update({
      enabled: true,
      listen: proxy.listen,
      upstream: '127.0.0.1:10',
    });
    expect(moved.toJson()).toEqual({ ...proxy.toJson(), upstream: '127.0.0.1:10' });
    await proxy.remove();
    await expect(client(server).get('n1>n2')).rejects.toThrow('404');
  });

  it('toxics are added, changed, and removed', async () => {
    const proxy = await create();
    const toxic = await proxy.addToxic<Latency>({
      name: 'slow',
      type: 'latency',
      stream: 'upstream',
      toxicity: 1,
      attributes: { latency: 5, jitter: 0 },
    });
    const changed = await toxic.update({ ...toxic.toJson(), toxicity: 0.25 });
    expect(changed.toJson()).toMatchObject({ name: 'slow', toxicity: 0.25 });
    await toxic.remove();
    await expect(proxy.getToxic('slow')).rejects.toThrow('404');
  });

  it('many proxies are populated at once', async () => {
    const list = ['a', 'b'].map((name) => ({ name, listen: '127.0.0.1:0', upstream }));
    expect(Object.keys(await client(server).populate(list))).toEqual(['a', 'b']);
    await client(server).reset();
  });
});

describe('otherwise than the original', () => {
  it('says who it is', async () => {
    expect(JSON.parse(await client(server).getVersion())).toEqual({
      version: '2.12.0',
      server: 'schism',
    });
    expect(server).toMatchObject({ kind: 'schism', version: '2.12.0' });
  });

  it.each(['hold', 'cut'])('knows the toxic %s', async (type) => {
    await create();
    expect((await post('/proxies/n1%3En2/toxics', { type })).status).toBe(200);
  });

  it('counts always, and from the beginning', async () => {
    const proxy = await create();
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain(
      `toxiproxy_proxy_sent_bytes_total{direction="upstream",listener="${proxy.listen}",` +
        `proxy="n1>n2",upstream="${upstream}"} 0\n`,
    );
  });

  it.each([
    [{ upstream, listen: '192.0.2.1:0' }, 'on loopback only'],
    [{ upstream, listen: ':8000' }, 'on loopback only'],
    [{ upstream: '10.0.0.1:80' }, '--allow-upstream'],
    [{ upstream: '127.0.0.1.example:80' }, 'not on loopback'],
    [{ upstream: 'nothing' }, 'write host:port'],
  ])('refuses addresses off this machine: %j, %s', async (where, text) => {
    const reply = await post('/proxies', { name: 'x', ...where });
    expect(reply.status).toBe(400);
    expect((JSON.parse(reply.body) as { error: string }).error).toContain(text);
    expect(await client(server).getAll()).toEqual({});
  });
});

const MAIN = new URL('./main.ts', import.meta.url).pathname;

/** How a start that must fail ends. */
async function refused(...args: string[]): Promise<{ exitCode?: number; stderr: string }> {
  const child = execa(process.execPath, [MAIN, ...args], { reject: false });
  try {
    const { exitCode, stderr } = await soon('the end of a server that cannot start', child);
    return { stderr, ...(exitCode !== undefined && { exitCode }) };
  } finally {
    child.kill('SIGKILL');
  }
}

describe('the program', () => {
  it.each(['SIGTERM', 'SIGINT', 'its stdin closes'])(
    'ends at once on %s, whatever is under way',
    async (how) => {
      await using node = await listen();
      const child = execa(process.execPath, [MAIN], { reject: false });
      const [line] = (await soon('the first line', once(child.stdout, 'data'))) as [Buffer];
      const { listening } = JSON.parse(line.toString()) as { listening: string };
      const url = `http://${listening}`;
      const made = await fetch(`${url}/proxies`, {
        method: 'POST',
        body: JSON.stringify({ name: 'p', upstream: node.address }),
      });
      const proxy = (await made.json()) as { listen: string };
      const peers = [await dial(proxy.listen), await dial(proxy.listen)];
      for (const type of ['latency', 'slow_close', 'hold', 'cut'])
        await fetch(`${url}/proxies/p/toxics`, {
          method: 'POST',
          body: JSON.stringify({
            type,
            stream: 'upstream',
            attributes: { latency: 9e6, delay: 9e6 },
          }),
        });
      for (const { socket } of peers) socket.write('held');
      if (how === 'its stdin closes') child.stdin.end();
      else child.kill(how as NodeJS.Signals);
      expect(await soon('its end', child)).toMatchObject({ exitCode: 0 });
      for (const peer of peers) await peer.isOver();
    },
  );

  it('refuses to listen where others can reach it, unless it is told that they may', async () => {
    for (const address of ['192.0.2.1:0', ':0'])
      expect(await refused('--listen', address)).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('start it with --allow-remote'),
      });
  });

  it('in a container listens on any address, and leads to any', async () => {
    await using open = await ourServerAt('127.0.0.1:0', '--allow-remote');
    const proxies = await client(open).populate([
      { name: 'all', listen: ':0', upstream: 'example.invalid:80' },
      { name: 'other', listen: '127.9.8.7:0', upstream: '192.0.2.1:80' },
    ]);
    expect(proxies['all']?.toJson()).toMatchObject({
      listen: expect.stringMatching(/^0\.0\.0\.0:[1-9]\d*$/),
      upstream: 'example.invalid:80',
    });
    expect(proxies['other']?.listen).toMatch(/^127\.9\.8\.7:[1-9]\d*$/);
    await expect(
      client(open).createProxy({ name: 'x', listen: 'nowhere', upstream }),
    ).rejects.toThrow('400');
  });

  it('takes the flags of the original, and its file of proxies', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'schism-links-'));
    try {
      const file = join(folder, 'proxies.json');
      await writeFile(file, JSON.stringify([{ name: 'p', listen: '127.0.0.1:0', upstream }]));
      const original = ['--host', '127.0.0.1', '--port', '0', '--proxy-metrics'];
      const program = await launchProgram({
        name: 'server',
        file: process.execPath,
        args: [MAIN, ...original, '--config', file],
      });
      const { listening } = JSON.parse(await program.firstLine) as { listening: string };
      const all = await (await fetch(`http://${listening}/proxies`)).json();
      await program[Symbol.asyncDispose]();
      expect(all).toMatchObject({ p: { upstream, enabled: true } });
      await writeFile(file, JSON.stringify([{ name: 'p' }]));
      expect(await refused(...original, '--config', file)).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('missing required field: upstream at proxy 1'),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
