/**
 * What Toxiproxy 2.12 answers to HTTP calls. Tried on our server, or on any other: see
 * `contract-testing.ts`. How toxics treat bytes is in `toxiproxy-contract-bytes.proc.test.ts`.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AskOptions,
  type ContractServer,
  contractServer,
  type Reply,
} from './contract-testing.ts';
import { dial, listen, until } from './testing.ts';

const PLAIN = 'text/plain; charset=utf-8';

let server: ContractServer;
beforeAll(async () => {
  server = await contractServer();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => server.removeAll());

const ask = (method: string, path: string, options?: AskOptions): Promise<Reply> =>
  server.ask(method, path, options);
const upstream = '127.0.0.1:9';

interface ProxyBody {
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
  readonly enabled: boolean;
  readonly toxics: readonly { readonly name: string }[];
}

async function create(name = 'p', more: object = {}): Promise<ProxyBody> {
  const body = { name, listen: server.listen, upstream, ...more };
  const reply = await ask('POST', '/proxies', { body });
  expect(reply.status).toBe(201);
  return reply.json() as ProxyBody;
}
async function read(name = 'p'): Promise<ProxyBody> {
  return (await ask('GET', `/proxies/${name}`)).json() as ProxyBody;
}
async function names(): Promise<string[]> {
  return Object.keys((await ask('GET', '/proxies')).json() as object).toSorted();
}

describe('the server', () => {
  it('tells its version, with a space and a line end', async () => {
    const reply = await ask('GET', '/version');
    expect(reply).toMatchObject({ status: 200, type: 'application/json;charset=utf-8' });
    expect(reply.body).toMatch(/^\{"version": "\d+\.\d+\.\d+".*\}\n$/);
  });

  it('answers unknown paths, wrong methods and browsers in text', async () => {
    for (const path of ['/nothing', '/', '/proxies/', '/proxies/p/other', '/version/x']) {
      const reply = await ask('GET', path);
      expect(reply).toMatchObject({ status: 404, type: PLAIN, body: '404 page not found\n' });
      expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
    }
    for (const [method, path] of [
      ['DELETE', '/version'],
      ['GET', '/reset'],
      ['PUT', '/proxies/p'],
      ['PATCH', '/proxies'],
    ] as const)
      expect(await ask(method, path)).toMatchObject({ status: 405, type: null, body: '' });
    expect(await ask('GET', '/version', { agent: 'Mozilla/5.0' })).toMatchObject({
      status: 403,
      type: PLAIN,
      body: 'User agent not allowed\n',
    });
    expect((await ask('GET', '/version', { agent: 'NotMozilla/5.0' })).status).toBe(200);
  });

  it('counts bytes for Prometheus, each direction apart, where it was told to', async () => {
    await using node = await listen(server.here);
    const proxy = await create('p', { upstream: node.address });
    const caller = await dial(proxy.listen);
    caller.socket.write('four');
    const callee = await node.next();
    await callee.has('four');
    callee.socket.end('seventy');
    await caller.isOver();
    caller.socket.destroy();
    if ((await ask('GET', '/metrics')).status === 404) {
      expect((await ask('GET', '/metrics')).body).toBe('404 page not found\n');
      return;
    }
    const labels = (direction: string): string =>
      `{direction="${direction}",listener="${proxy.listen}",proxy="p",upstream="${node.address}"}`;
    await until('counters', async () =>
      (await ask('GET', '/metrics')).body.includes(`received_bytes_total${labels('upstream')} 4\n`),
    );
    const { body, type } = await ask('GET', '/metrics');
    expect(type).toMatch(/^text\/plain; version=0\.0\.4; charset=utf-8/);
    for (const [name, direction, bytes] of [
      ['sent', 'upstream', 4],
      ['received', 'downstream', 7],
      ['sent', 'downstream', 7],
    ] as const)
      expect(body).toContain(`toxiproxy_proxy_${name}_bytes_total${labels(direction)} ${bytes}\n`);
  });
});

describe('proxies', () => {
  it('are created, with the port that they got, and listed by name', async () => {
    const reply = await ask('POST', '/proxies', {
      body: { name: 'n1>n2', listen: server.listen, upstream },
    });
    expect(reply).toMatchObject({ status: 201, type: 'application/json' });
    const proxy = reply.json() as ProxyBody;
    expect(proxy).toMatchObject({ name: 'n1>n2', upstream, enabled: true, toxics: [] });
    expect(proxy.listen).toMatch(/:[1-9]\d*$/);
    expect(reply.body.endsWith('}')).toBe(true);
    expect(Object.keys(proxy).filter((key) => key !== 'Logger')).toEqual([
      'name',
      'listen',
      'upstream',
      'enabled',
      'toxics',
    ]);
    const all = await ask('GET', '/proxies');
    expect(all).toMatchObject({ status: 200, type: 'application/json' });
    expect(all.json()).toEqual({ 'n1>n2': proxy });
    expect(await read('n1%3En2')).toEqual(proxy);
  });

  it('created disabled do not listen, and keep the address as it was given', async () => {
    const proxy = await create('p', { enabled: false });
    expect(proxy).toMatchObject({ enabled: false, listen: server.listen });
  });

  it.each(['POST', 'PATCH'])('are changed in part by %s, and keep their toxics', async (method) => {
    const { listen: before } = await create();
    await ask('POST', '/proxies/p/toxics', { body: { type: 'noop' } });
    const off = await ask(method, '/proxies/p', { body: { enabled: false } });
    expect(off).toMatchObject({ status: 200, type: 'application/json' });
    expect(off.json()).toMatchObject({ enabled: false, listen: before, upstream });
    await expect(dial(before)).rejects.toThrow('ECONNREFUSED');
    const on = await ask(method, '/proxies/p', {
      body: { enabled: true, upstream: '127.0.0.1:10' },
    });
    expect(on.json()).toMatchObject({
      name: 'p',
      enabled: true,
      listen: before,
      upstream: '127.0.0.1:10',
      toxics: [{ name: 'noop_downstream' }],
    });
  });

  it('drop their connections when an address changes, and only then', async () => {
    await using node = await listen(server.here);
    const proxy = await create('p', { upstream: node.address });
    const caller = await dial(proxy.listen);
    const callee = await node.next();
    await ask('PATCH', '/proxies/p', { body: { ...proxy, enabled: true } });
    caller.socket.write('still here');
    await callee.has('still here');
    await ask('PATCH', '/proxies/p', { body: { upstream } });
    await caller.isOver();
    await callee.isOver();
    caller.socket.destroy();
  });

  it('are removed with their connections and their port', async () => {
    await using node = await listen(server.here);
    const proxy = await create('p', { upstream: node.address });
    const caller = await dial(proxy.listen);
    const callee = await node.next();
    const reply = await ask('DELETE', '/proxies/p');
    expect(reply).toMatchObject({ status: 204, body: '' });
    await caller.isOver();
    await callee.isOver();
    caller.socket.destroy();
    await expect(dial(proxy.listen)).rejects.toThrow('ECONNREFUSED');
    expect((await ask('GET', '/proxies/p')).status).toBe(404);
    await create('p', { listen: proxy.listen });
  });

  it('all come back by a reset: enabled, without toxics, with their connections', async () => {
    await using node = await listen(server.here);
    const proxy = await create('p', { upstream: node.address });
    await create('q');
    await ask('PATCH', '/proxies/q', { body: { enabled: false } });
    for (const stream of ['upstream', 'downstream'])
      await ask('POST', '/proxies/p/toxics', {
        body: { type: 'latency', stream, attributes: { latency: 3_600_000 } },
      });
    const caller = await dial(proxy.listen);
    const callee = await node.next();
    caller.socket.write('held');
    const reply = await ask('POST', '/reset');
    expect(reply).toMatchObject({ status: 204, body: '' });
    expect((await read('p')).toxics).toEqual([]);
    expect((await read('q')).enabled).toBe(true);
    await callee.has('held');
    expect(caller.over()).toBeUndefined();
    caller.socket.destroy();
  });
});

describe('populate', () => {
  it('creates, keeps what is the same, and replaces what is not', async () => {
    const [a, b] = [await create('a'), await create('b')];
    for (const name of ['a', 'b'])
      await ask('POST', `/proxies/${name}/toxics`, { body: { type: 'noop' } });
    const reply = await ask('POST', '/populate', {
      body: [
        { name: 'a', listen: a.listen, upstream, enabled: false },
        { name: 'b', listen: b.listen, upstream: '127.0.0.1:10' },
        { name: 'c', listen: server.listen, upstream },
      ],
    });
    expect(reply).toMatchObject({ status: 201, type: 'application/json' });
    const done = (reply.json() as { proxies: ProxyBody[] }).proxies;
    expect(done.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    // The same addresses: as it was, whatever is said of `enabled`.
    expect(await read('a')).toMatchObject({ enabled: true, toxics: [{ name: 'noop_downstream' }] });
    expect(await read('b')).toMatchObject({ upstream: '127.0.0.1:10', toxics: [] });
    expect(await names()).toEqual(['a', 'b', 'c']);
  });

  it('says in JSON which entry lacks what, and does nothing then', async () => {
    for (const [body, text] of [
      [[{ name: 'a', upstream }, { name: 'b' }], 'missing required field: upstream at proxy 2'],
      [[{ upstream }], 'missing required field: name at proxy 1'],
    ] as const) {
      const reply = await ask('POST', '/populate', { body });
      expect(reply).toMatchObject({ status: 400, type: 'application/json' });
      expect(reply.json()).toEqual({ error: text, status: 400, proxies: null });
    }
    const broken = await ask('POST', '/populate', { body: '{' });
    expect(broken.json()).toMatchObject({
      error: expect.stringMatching(/^bad request body: /),
      status: 400,
      proxies: null,
    });
    expect(await names()).toEqual([]);
  });
});

describe('toxics', () => {
  const path = '/proxies/p/toxics';

  it('are answered with 200 when they are added, all keys in order', async () => {
    await create();
    const reply = await ask('POST', path, {
      body: { type: 'latency', attributes: { latency: 9 } },
    });
    expect(reply).toMatchObject({ status: 200, type: 'application/json' });
    expect(reply.body).toBe(
      '{"attributes":{"latency":9,"jitter":0},"name":"latency_downstream","type":"latency",' +
        '"stream":"downstream","toxicity":1}',
    );
    expect((await ask('GET', `${path}/latency_downstream`)).body).toBe(reply.body);
    expect((await ask('DELETE', `${path}/latency_downstream`)).status).toBe(204);
    expect((await ask('GET', `${path}/latency_downstream`)).status).toBe(404);
  });

  it('are listed upstream first, and keep the stream as it was written', async () => {
    await create();
    for (const body of [
      { type: 'noop', name: 'first down' },
      { type: 'noop', stream: 'UPSTREAM' },
      { type: 'noop', name: 'last', stream: 'upstream' },
    ])
      await ask('POST', path, { body });
    const list = (await ask('GET', path)).json() as { name: string; stream: string }[];
    expect(list.map(({ name, stream }) => `${name} ${stream}`)).toEqual([
      'noop_UPSTREAM UPSTREAM',
      'last upstream',
      'first down downstream',
    ]);
    expect((await read()).toxics).toEqual(list);
  });

  it.each(['POST', 'PATCH'])('are changed by %s: attributes in part, toxicity', async (method) => {
    await create();
    await ask('POST', path, { body: { type: 'latency', name: 't', attributes: { latency: 9 } } });
    const reply = await ask(method, `${path}/t`, {
      body: {
        attributes: { jitter: 3 },
        toxicity: 0.5,
        stream: 'upstream',
        name: 'u',
        type: 'noop',
      },
    });
    expect(reply).toMatchObject({ status: 200, type: 'application/json' });
    expect(reply.json()).toEqual({
      attributes: { latency: 9, jitter: 3 },
      name: 't',
      type: 'latency',
      stream: 'downstream',
      toxicity: 0.5,
    });
    const again = await ask(method, `${path}/t`, { body: {} });
    expect(again.json()).toEqual(reply.json());
  });

  it.each([
    ['noop', {}],
    ['latency', { latency: 0, jitter: 0 }],
    ['bandwidth', { rate: 0 }],
    ['slow_close', { delay: 0 }],
    ['timeout', { timeout: 0 }],
    ['reset_peer', { timeout: 0 }],
    ['slicer', { average_size: 1, size_variation: 1, delay: 0 }],
    ['limit_data', { bytes: 0 }],
  ] as const)('of type %s have the attributes %j', async (type, attributes) => {
    await create();
    const reply = await ask('POST', path, { body: { type, stream: 'upstream', attributes } });
    expect(reply.json()).toEqual({
      attributes,
      name: `${type}_upstream`,
      type,
      stream: 'upstream',
      toxicity: 1,
    });
  });
});

describe('refusals', () => {
  const cases: readonly [string, string, unknown, number, string][] = [
    ['POST', '/proxies', { upstream }, 400, 'missing required field: name'],
    ['POST', '/proxies', { name: '', upstream }, 400, 'missing required field: name'],
    ['POST', '/proxies', { name: 'x' }, 400, 'missing required field: upstream'],
    ['POST', '/proxies', '{', 400, 'bad request body: '],
    ['POST', '/proxies', { name: 1, upstream }, 400, 'bad request body: '],
    ['POST', '/proxies', { name: 'p', upstream }, 409, 'proxy already exists'],
    ['GET', '/proxies/x', undefined, 404, 'proxy not found'],
    ['PATCH', '/proxies/x', {}, 404, 'proxy not found'],
    ['PATCH', '/proxies/p', '{', 400, 'bad request body: '],
    ['DELETE', '/proxies/x', undefined, 404, 'proxy not found'],
    ['GET', '/proxies/x/toxics', undefined, 404, 'proxy not found'],
    ['POST', '/proxies/x/toxics', { type: 'noop' }, 404, 'proxy not found'],
    ['POST', '/proxies/p/toxics', '{', 400, 'bad request body: '],
    ['POST', '/proxies/p/toxics', {}, 400, 'invalid toxic type'],
    ['POST', '/proxies/p/toxics', { type: 'gone' }, 400, 'invalid toxic type'],
    [
      'POST',
      '/proxies/p/toxics',
      { type: 'gone', stream: 'in' },
      400,
      'stream was invalid, can be either upstream or downstream',
    ],
    // A name is taken on both streams.
    ['POST', '/proxies/p/toxics', { type: 'noop', name: 't' }, 409, 'toxic already exists'],
    [
      'POST',
      '/proxies/p/toxics',
      { type: 'latency', attributes: { latency: 'a' } },
      400,
      'bad request body: ',
    ],
    [
      'POST',
      '/proxies/p/toxics',
      { type: 'latency', attributes: { latency: 1.5 } },
      400,
      'bad request body: ',
    ],
    ['GET', '/proxies/p/toxics/x', undefined, 404, 'toxic not found'],
    ['PATCH', '/proxies/p/toxics/x', {}, 404, 'toxic not found'],
    ['PATCH', '/proxies/p/toxics/t', '{', 400, 'bad request body: '],
    ['DELETE', '/proxies/p/toxics/x', undefined, 404, 'toxic not found'],
  ];
  it.each(cases)('%s %s %j: %i, %s', async (method, path, body, status, text) => {
    await create('p');
    await ask('POST', '/proxies/p/toxics', {
      body: { type: 'latency', name: 't', stream: 'upstream' },
    });
    const reply = await ask(method, path, { body });
    expect(reply).toMatchObject({ status, type: PLAIN });
    expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
    expect(reply.body.endsWith('}\n')).toBe(true);
    const said = reply.json() as { error: string; status: number };
    expect(Object.keys(said)).toEqual(['error', 'status']);
    expect(said.error.startsWith(text)).toBe(true);
    expect(said.status).toBe(status);
    expect(await names()).toEqual(['p']);
    expect((await read()).toxics).toMatchObject([{ name: 't', stream: 'upstream', toxicity: 1 }]);
  });

  it('say which port is taken; a proxy is not added, and one that moved is off', async () => {
    const { listen: taken } = await create('p');
    const text = `listen tcp ${taken}: bind: address already in use`;
    const added = await ask('POST', '/proxies', { body: { name: 'x', listen: taken, upstream } });
    expect(added).toMatchObject({ status: 500, type: PLAIN });
    expect(added.json()).toEqual({ error: text, status: 500 });
    expect(await names()).toEqual(['p']);
    await create('q');
    const moved = await ask('PATCH', '/proxies/q', { body: { listen: taken } });
    expect(moved.json()).toEqual({ error: text, status: 500 });
    expect(await read('q')).toMatchObject({ enabled: false, listen: taken });
    const populated = await ask('POST', '/populate', {
      body: [
        { name: 'y', listen: server.listen, upstream },
        { name: 'z', listen: taken, upstream },
      ],
    });
    expect(populated).toMatchObject({ status: 500, type: 'application/json' });
    expect(populated.json()).toMatchObject({ error: text, status: 500 });
    expect(await names()).not.toContain('z');
  });
});
