import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Latency, Proxy } from 'toxiproxy-node-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { client, launchProgram, ourServer, soon } from '../testing.ts';
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

interface Reply {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}
async function ask(method: string, path: string, body?: unknown, agent = 'test'): Promise<Reply> {
  const reply = await fetch(`${server.url}${path}`, {
    method,
    headers: { 'User-Agent': agent },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return {
    status: reply.status,
    type: reply.headers.get('content-type'),
    body: await reply.text(),
  };
}

describe('proxies', () => {
  it('are created, read, moved, disabled and removed through the client', async () => {
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

  it('keep their toxics when they move, lose them by reset', async () => {
    const proxy = await create();
    await proxy.addToxic<Latency>({
      name: '',
      type: 'latency',
      stream: 'upstream',
      toxicity: 1,
      attributes: { latency: 5, jitter: 0 },
    });
    await proxy.update({ enabled: false, listen: proxy.listen, upstream: '127.0.0.1:10' });
    expect((await proxy.getToxic('latency_upstream')).attributes).toEqual({
      latency: 5,
      jitter: 0,
    });
    await client(server).reset();
    expect(JSON.parse((await ask('GET', '/proxies/n1%3En2')).body)).toMatchObject({
      enabled: true,
      toxics: [],
    });
  });

  it('are populated: kept where the addresses are the same, replaced where not', async () => {
    const [a, b] = [await create('a'), await create('b')];
    const toxic = { type: 'latency', attributes: { latency: 1 } };
    for (const name of ['a', 'b']) await ask('POST', `/proxies/${name}/toxics`, toxic);
    await client(server).populate([
      { name: 'a', listen: a.listen, upstream, enabled: false },
      { name: 'b', listen: b.listen, upstream: '127.0.0.1:10' },
      { name: 'c', listen: '127.0.0.1:0', upstream },
    ]);
    const now = JSON.parse((await ask('GET', '/proxies')).body);
    expect(now.a).toMatchObject({ enabled: true, toxics: [{ name: 'latency_downstream' }] });
    expect(now.b).toMatchObject({ upstream: '127.0.0.1:10', toxics: [] });
    expect(Object.keys(now)).toEqual(['a', 'b', 'c']);
  });
});

describe('toxics', () => {
  it('are added, changed in part, listed upstream first, and removed', async () => {
    const proxy = await create();
    const base = '/proxies/n1%3En2/toxics';
    const added = await ask('POST', base, { type: 'latency', attributes: { latency: 9 } });
    expect(added.body).toBe(
      '{"attributes":{"latency":9,"jitter":0},"name":"latency_downstream","type":"latency",' +
        '"stream":"downstream","toxicity":1}\n',
    );
    expect(added.status).toBe(200);
    await ask('POST', base, { name: 'up', type: 'bandwidth', stream: 'UPSTREAM' });
    const changed = await ask('PATCH', `${base}/latency_downstream`, {
      attributes: { jitter: 3 },
      toxicity: 0.5,
      stream: 'upstream',
    });
    expect(JSON.parse(changed.body)).toEqual({
      attributes: { latency: 9, jitter: 3 },
      name: 'latency_downstream',
      type: 'latency',
      stream: 'downstream',
      toxicity: 0.5,
    });
    const listed = JSON.parse((await ask('GET', base)).body) as { name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(['up', 'latency_downstream']);
    const toxic = await proxy.getToxic('up');
    expect((await toxic.update({ ...toxic.toJson(), toxicity: 0.25 })).toxicity).toBe(0.25);
    await toxic.remove();
    await expect(proxy.getToxic('up')).rejects.toThrow('404');
  });

  it.each([
    'noop',
    'latency',
    'bandwidth',
    'timeout',
    'reset_peer',
    'slow_close',
    'slicer',
    'limit_data',
    'hold',
    'cut',
  ])('knows %s', async (type) => {
    await create();
    const reply = await ask('POST', '/proxies/n1%3En2/toxics', { type });
    expect(reply.status).toBe(200);
  });
});

describe('refusals', () => {
  const cases: readonly [string, string, unknown, number, string][] = [
    ['POST', '/proxies', { upstream }, 400, 'missing required field: name'],
    ['POST', '/proxies', { name: 'x' }, 400, 'missing required field: upstream'],
    ['POST', '/proxies', '{', 400, 'bad request body: '],
    ['POST', '/proxies', { name: 'p', upstream }, 409, 'proxy already exists'],
    ['POST', '/proxies', { name: 'x', upstream, listen: '192.0.2.1:0' }, 400, 'on loopback only'],
    ['POST', '/proxies', { name: 'x', upstream, listen: ':8000' }, 400, 'on loopback only'],
    ['POST', '/proxies', { name: 'x', upstream: '10.0.0.1:80' }, 400, '--allow-upstream'],
    ['POST', '/proxies', { name: 'x', upstream: '127.0.0.1.example:80' }, 400, 'not on loopback'],
    ['GET', '/proxies/x', undefined, 404, 'proxy not found'],
    ['POST', '/proxies/p/toxics', { type: 'gone' }, 400, 'invalid toxic type'],
    ['POST', '/proxies/p/toxics', { type: 'noop', stream: 'in' }, 400, 'stream was invalid, can'],
    ['POST', '/proxies/p/toxics', { type: 'noop', name: 't' }, 409, 'toxic already exists'],
    ['DELETE', '/proxies/p/toxics/x', undefined, 404, 'toxic not found'],
    [
      'POST',
      '/proxies/p/toxics',
      { type: 'latency', attributes: { latency: 'a' } },
      400,
      'bad request body',
    ],
  ];
  it.each(cases)('%s %s %j: %i', async (method, path, body, status, text) => {
    await create('p');
    await ask('POST', '/proxies/p/toxics', { type: 'latency', name: 't', stream: 'upstream' });
    const reply = await ask(method, path, body);
    expect(reply).toMatchObject({ status, type: 'text/plain; charset=utf-8' });
    const said = JSON.parse(reply.body) as { error: string; status: number };
    expect(said.error).toContain(text);
    expect(said.status).toBe(status);
    expect(Object.keys(await client(server).getAll())).toEqual(['p']);
  });

  it('of populate say where, and what was done until then', async () => {
    const first = { name: 'a', upstream };
    const early = await ask('POST', '/populate', [first, { name: 'b' }]);
    expect(early.body).toContain('missing required field: upstream at proxy 2');
    expect(Object.keys(await client(server).getAll())).toEqual([]);
    const late = await ask('POST', '/populate', [
      first,
      { name: 'b', upstream, listen: '1.1.1.1:1' },
    ]);
    expect(late.status).toBe(400);
    expect(JSON.parse(late.body).proxies).toMatchObject([{ name: 'a' }]);
  });

  it('say which port is taken, and add no proxy', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const reply = await ask('POST', '/proxies', {
      name: 'x',
      upstream,
      listen: `127.0.0.1:${port}`,
    });
    taken.close();
    expect(reply.status).toBe(500);
    expect(JSON.parse(reply.body).error).toBe(
      `listen tcp 127.0.0.1:${port}: bind: address already in use`,
    );
    expect((await ask('GET', '/proxies/x')).status).toBe(404);
  });

  it('meet unknown paths, wrong methods and browsers', async () => {
    expect(await ask('GET', '/nothing')).toMatchObject({
      status: 404,
      body: '404 page not found\n',
    });
    expect(await ask('DELETE', '/version')).toMatchObject({ status: 405, body: '' });
    expect((await ask('GET', '/version', undefined, 'Mozilla/5.0')).status).toBe(403);
  });
});

describe('the program', () => {
  it('tells its version, and that it is ours', async () => {
    expect(JSON.parse(await client(server).getVersion())).toEqual({
      version: '2.12.0',
      server: 'schism',
    });
    expect(server).toMatchObject({ kind: 'schism', version: '2.12.0' });
  });

  it('counts for Prometheus', async () => {
    const proxy = await create();
    expect((await ask('GET', '/metrics')).body).toContain(
      `toxiproxy_proxy_sent_bytes_total{direction="upstream",listener="${proxy.listen}",` +
        `proxy="n1>n2",upstream="${upstream}"} 0\n`,
    );
  });

  it.each(['SIGTERM', 'its stdin closes'])('ends on %s', async (how) => {
    const main = new URL('./main.ts', import.meta.url).pathname;
    const { execa } = await import('execa');
    const child = execa(process.execPath, [main], { reject: false });
    await soon('the first line', once(child.stdout, 'data'));
    if (how === 'SIGTERM') child.kill('SIGTERM');
    else child.stdin.end();
    expect(await soon('its end', child)).toMatchObject({ exitCode: 0 });
  });

  it('refuses to listen where others can reach it', async () => {
    const main = new URL('./main.ts', import.meta.url).pathname;
    const program = await launchProgram({
      name: 'server',
      file: process.execPath,
      args: [main, '--listen', '192.0.2.1:0'],
    });
    const first = await Promise.race([
      program.firstLine,
      program[Symbol.asyncDispose]().then(() => 'ended'),
    ]);
    expect(first).toBe('ended');
  });
});
