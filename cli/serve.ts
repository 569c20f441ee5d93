/** Stored runs in a browser of this machine: a list of them, and the files of each. */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../harness/core/clock.ts';
import { HarnessError, messageOf, systemCodeOf } from '../harness/core/errors.ts';
import { idOfFolder, runsDir } from '../harness/store/layout.ts';
import { INDEX_POLICY, renderIndexPage } from '../reports/stored/index-page.ts';
import { runRows } from './stored.ts';

const HOST = '127.0.0.1';

export interface RunServer extends AsyncDisposable {
  /** `http://127.0.0.1:4477/` */
  readonly url: string;
}

/** Serves the runs below a root to this machine alone. Throws `port-in-use`. */
export async function serveRuns(root: string, port: number, clock: Clock): Promise<RunServer> {
  const server = createServer((request, response) => {
    const hosts = [HOST, 'localhost'].map((host) => `${host}:${portOf(server.address())}`);
    void respond(request, response, { root, hosts, clock });
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, HOST, resolve);
  try {
    await promise;
  } catch (error) {
    const isTaken = systemCodeOf(error) === 'EADDRINUSE';
    const what = isTaken ? `port ${port} is taken; choose another with --port` : messageOf(error);
    throw new HarnessError('port-in-use', `cannot serve on ${HOST}: ${what}`, { cause: error });
  }
  return {
    url: `http://${HOST}:${portOf(server.address())}/`,
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<void>();
      server.close(() => {
        closed.resolve();
      });
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

function portOf(address: string | AddressInfo | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Site {
  readonly root: string;
  /** What a browser of this machine calls us. */
  readonly hosts: readonly string[];
  readonly clock: Pick<Clock, 'wallMs'>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | { readonly file: string; readonly bytes: number };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  site: Site,
): Promise<void> {
  try {
    const { method = '', url = '' } = request;
    const { status, headers, body } = await answerTo(site, method, url, request.headers.host ?? '');
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.bytes;
    response.writeHead(status, { ...COMMON, ...headers, 'content-length': bytes });
    if (method === 'HEAD') response.end();
    else if (typeof body === 'string') response.end(body);
    // No more than was said: a log may grow meanwhile.
    else if (bytes === 0) response.end();
    else await pipeline(createReadStream(body.file, { end: bytes - 1 }), response);
  } catch {
    // The reader went away, or the file: nobody is left to be told.
    response.destroy();
  }
}

const COMMON: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** A report may run what stands in it, and reach nothing: no other run, no network. */
const REPORT_POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * What is answered to a request. `target` is as it came, `/runs/<folder>/<path>` or `/`. Only plain
 * files below a run's folder are ever named by it, also where links lead out of there.
 */
export async function answerTo(
  { root, hosts, clock }: Site,
  method: string,
  target: string,
  host: string,
): Promise<Answer> {
  // Else a page from elsewhere could have its own name resolved to this machine, and read here.
  if (!hosts.includes(host.toLowerCase())) return said(403, 'this is not for other hosts');
  if (method !== 'GET' && method !== 'HEAD') return said(405, 'only GET and HEAD');
  const segments = segmentsOf(target);
  if (segments === undefined) return said(400, 'there is no such path');
  if (segments.length === 0) {
    const rows = (await runRows(root, clock.wallMs())).toReversed();
    const headers = { 'content-type': HTML, 'content-security-policy': INDEX_POLICY };
    return { status: 200, headers, body: renderIndexPage(rows) };
  }
  const [first, folder = '', ...path] = segments;
  if (first !== 'runs' || idOfFolder(folder) === undefined || path.length === 0)
    return said(404, 'there is no such run; / lists all');
  return fileIn(runsDir(root), [folder, ...path]);
}

/** Decoded names; undefined where one of them is more, or less, than a name. */
function segmentsOf(target: string): readonly string[] | undefined {
  try {
    const [path = ''] = target.split(/[?#]/, 1);
    const names = path.split('/').slice(1).map(decodeURIComponent);
    if (!path.startsWith('/')) return undefined;
    if (names.at(-1) === '') names.pop();
    const isName = (name: string): boolean =>
      name !== '' && name !== '.' && name !== '..' && !/[/\\:\0]/.test(name);
    return names.every(isName) ? names : undefined;
  } catch {
    return undefined;
  }
}

const HTML = 'text/html; charset=utf-8';

async function fileIn(runs: string, [folder = '', ...path]: readonly string[]): Promise<Answer> {
  const missing = said(404, 'there is no such file; `schism report` makes a report anew');
  try {
    const inside = join(await realpath(runs), folder);
    const file = await realpath(join(inside, ...path));
    const found = await stat(file);
    if (!file.startsWith(`${inside}${sep}`) || !found.isFile()) return missing;
    return {
      status: 200,
      headers: headersOf(path.join('/')),
      body: { file, bytes: found.size },
    };
  } catch {
    return missing;
  }
}

/** Only the report is a page: a log that holds markup is text. */
function headersOf(path: string): Readonly<Record<string, string>> {
  if (path === 'report.html')
    return { 'content-type': HTML, 'content-security-policy': REPORT_POLICY };
  const isText = ['.json', '.jsonl', '.log', '.txt', '.xml', '.md', '.idx'].includes(extname(path));
  return {
    'content-type': isText ? 'text/plain; charset=utf-8' : 'application/octet-stream',
    'content-security-policy': "default-src 'none'; sandbox",
  };
}

function said(status: number, text: string): Answer {
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  return { status, headers, body: `${text}\n` };
}
