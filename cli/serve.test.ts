import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realClock } from '../harness/core/clock.ts';
import { type Answer, answerTo, serveRuns } from './serve.ts';

const NAME = '20261121T014712Z-7f3a';
const RUN = `/runs/${NAME}`;

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-serve-'));
  const run = join(root, 'runs', NAME);
  await mkdir(join(run, 'tests'), { recursive: true });
  await writeFile(join(run, 'report.html'), '<!doctype html>report');
  await writeFile(join(run, 'harness.log'), '<script>alert(1)</script>');
  await writeFile(join(run, 'tests', 'report.html'), '<script>alert(1)</script>');
  await writeFile(join(run, 'empty.txt'), '');
  await writeFile(join(root, 'runs', 'index.jsonl'), 'private');
  await writeFile(join(root, 'outside.txt'), 'private');
  await symlink(join(root, 'outside.txt'), join(run, 'link.txt'));
  await symlink(root, join(run, 'up'));
  await symlink(root, join(root, 'runs', '20261121T014712Z-beef'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

const HOST = '127.0.0.1:4477';

function get(target: string, method = 'GET', host = HOST): Promise<Answer> {
  const site = { root, hosts: [HOST, 'localhost:4477'], clock: realClock() };
  return answerTo(site, method, target, host);
}

test('the list says which runs there are, and may reach nothing', async () => {
  const { status, headers, body } = await get('/');
  expect(status).toBe(200);
  expect(body).toContain('7f3a');
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha256-/);
});

test('a report is a page; everything else is text or bytes, whatever it holds', async () => {
  const report = await get(`${RUN}/report.html?x=1#violation=1`);
  expect(report.status).toBe(200);
  expect(report.headers['content-type']).toMatch(/^text\/html/);
  expect(report.headers['content-security-policy']).toContain("default-src 'none'");
  for (const path of ['harness.log', 'tests/report.html', 'tests%2e%2e', 'empty.txt']) {
    const { headers } = await get(`${RUN}/${path}`);
    expect([path, headers['content-type']]).not.toEqual([path, expect.stringContaining('html')]);
  }
  expect((await get(`${RUN}/harness.log`)).headers['content-type']).toMatch(/^text\/plain/);
});

describe('nothing outside of a run is served', () => {
  test.each([
    `${RUN}/../../outside.txt`,
    `${RUN}/%2e%2e/%2e%2e/outside.txt`,
    `${RUN}/..%2f..%2foutside.txt`,
    `${RUN}/..%5c..%5coutside.txt`,
    `${RUN}//outside.txt`,
    `${RUN}/./harness.log`,
    `${RUN}/%00`,
    `${RUN}/%zz`,
    `${RUN}/C:/x`,
    `${RUN}/link.txt`,
    `${RUN}/up/outside.txt`,
    `${RUN}/tests`,
    `${RUN}/`,
    RUN,
    '/runs/index.jsonl',
    '/runs/../outside.txt',
    '/runs/..%2f',
    '/runs/20261121T014712Z-beef/outside.txt',
    '/runs/20261121T014712Z-0000/report.html',
    '/outside.txt',
    '/etc/passwd',
    'http://127.0.0.1:4477/',
    '*',
    '',
  ])('%s', async (target) => {
    const { status, body } = await get(target);
    expect([400, 404]).toContain(status);
    expect(body).not.toContain('private');
  });
});

test('another name for this machine, and anything but reading, is refused', async () => {
  for (const host of ['evil.example:4477', '127.0.0.1', '127.0.0.1:80', ''])
    expect([host, (await get('/', 'GET', host)).status]).toEqual([host, 403]);
  expect((await get('/', 'GET', 'LOCALHOST:4477')).status).toBe(200);
  for (const method of ['POST', 'DELETE', 'OPTIONS', 'CONNECT'])
    expect([method, (await get('/', method)).status]).toEqual([method, 405]);
});

describe('a server', () => {
  test('listens on this machine alone, answers, and is gone when it is disposed', async () => {
    const server = await serveRuns(root, 0, realClock());
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const list = await fetch(server.url);
    expect(await list.text()).toContain('7f3a');
    expect(list.headers.get('x-content-type-options')).toBe('nosniff');
    const report = await fetch(new URL(`${RUN}/report.html`, server.url));
    expect(await report.text()).toBe('<!doctype html>report');
    expect(await (await fetch(new URL(`${RUN}/empty.txt`, server.url))).text()).toBe('');
    const head = await fetch(new URL(`${RUN}/report.html`, server.url), { method: 'HEAD' });
    expect([head.headers.get('content-length'), await head.text()]).toEqual(['21', '']);
    await server[Symbol.asyncDispose]();
    await expect(fetch(server.url)).rejects.toThrow('fetch failed');
  });

  test('says when its port is taken', async () => {
    await using first = await serveRuns(root, 0, realClock());
    const port = Number(new URL(first.url).port);
    await expect(serveRuns(root, port, realClock())).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringContaining('--port') as string,
    });
  });
});
