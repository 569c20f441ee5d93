/**
 * A small replicated key-value store over HTTP, to be tested: `node mykv.ts --name n1 --listen
 * 127.0.0.1:7001 --dir data/n1 --primary n1 --peer n2=127.0.0.1:7002 --batch 20`.
 *
 * One node is the primary. It decides every write, appends it to a file, and copies it to the others,
 * which hand on what they are asked. A node answers reads that may be old from its own copy.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

interface Change {
  readonly key: string;
  readonly value: unknown;
}
interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const { values: flags } = parseArgs({
  options: {
    name: { type: 'string', default: 'n1' },
    listen: { type: 'string', default: '127.0.0.1:7001' },
    dir: { type: 'string', default: '.' },
    primary: { type: 'string', default: 'n1' },
    peer: { type: 'string', multiple: true, default: [] },
    batch: { type: 'string', default: '1' },
  },
});
const peers = new Map(flags.peer.map((text) => text.split('=', 2) as [string, string]));
const isPrimary = flags.name === flags.primary;
const batch = Number(flags.batch);

const path = join(flags.dir, 'changes.jsonl');
const data = new Map<string, unknown>();
const changes: Change[] = [];
/** Lines that are not in the file yet. */
const unwritten: string[] = [];
/** Until it has copied once, a node that is not the primary knows nothing. */
let isFed = isPrimary;

function take(change: Change): void {
  changes.push(change);
  data.set(change.key, change.value);
}

/** The primary's way to change something. */
function commit(change: Change): void {
  take(change);
  unwritten.push(`${JSON.stringify(change)}\n`);
  if (unwritten.length >= batch) appendFileSync(path, unwritten.splice(0).join(''));
  for (const peer of peers.keys()) void feed(peer);
}

const fed = new Map<string, number>();
const feeding = new Set<string>();
/** Sends a peer what it lacks, one message at a time; what fails is sent again with the next change. */
async function feed(peer: string): Promise<void> {
  if (feeding.has(peer)) return;
  feeding.add(peer);
  try {
    for (let from = fed.get(peer) ?? 0; from < changes.length; from = fed.get(peer) ?? 0) {
      const rest = { from, changes: changes.slice(from) };
      const reply = await send(peer, 'POST', '/copy', JSON.stringify(rest), 500);
      fed.set(peer, Number(reply.body));
    }
  } catch {
    // It is cut off, frozen or dead.
  } finally {
    feeding.delete(peer);
  }
}

/** Takes what is new to it; says how much it has by now. */
function copy({ from, changes: sent }: { from: number; changes: readonly Change[] }): number {
  if (from <= changes.length) {
    isFed = true;
    for (const change of sent.slice(changes.length - from)) take(change);
  }
  return changes.length;
}

async function send(
  peer: string,
  method: string,
  url: string,
  body: string,
  timeoutMs: number,
): Promise<Reply> {
  const signal = AbortSignal.timeout(timeoutMs);
  const sent = method === 'GET' ? {} : { body };
  const reply = await fetch(`http://${peers.get(peer)}${url}`, { method, signal, ...sent });
  return { status: reply.status, body: await reply.json() };
}

/** `GET /status`, `GET /kv/KEY[?local]`, `PUT /kv/KEY`, `POST /cas/KEY {from, to}`. */
async function answer(request: IncomingMessage, body: string): Promise<Reply> {
  const { method = 'GET', url = '/' } = request;
  const [, what, key = ''] = url.split(/[/?]/);
  if (what === 'status') return { status: 200, body: { isPrimary, changes: changes.length } };
  if (what === 'copy') return { status: 200, body: copy(JSON.parse(body)) };
  if (what === 'kv' && method === 'GET' && url.endsWith('?local'))
    return isFed
      ? { status: 200, body: data.get(key) ?? null }
      : { status: 503, body: 'has no copy yet' };
  if (!isPrimary) return send(flags.primary, method, url, body, 1000);
  if (what === 'kv' && method === 'GET') return { status: 200, body: data.get(key) ?? null };
  if (what === 'kv') {
    commit({ key, value: JSON.parse(body) });
    return { status: 200, body: null };
  }
  const { from, to } = JSON.parse(body) as { from: unknown; to: unknown };
  const seen = data.get(key) ?? null;
  if (seen !== from) return { status: 409, body: seen };
  commit({ key, value: to });
  return { status: 200, body: null };
}

if (isPrimary && existsSync(path))
  for (const line of readFileSync(path, 'utf8').split('\n'))
    if (line !== '') take(JSON.parse(line) as Change);

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let reply: Reply;
  try {
    reply = await answer(request, await textOf(request));
  } catch (error) {
    // Nobody knows here whether the primary got it.
    reply = { status: 504, body: String(error) };
  }
  response.writeHead(reply.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(reply.body));
}

const [host = '', port = ''] = flags.listen.split(':');
createServer((request, response) => void serve(request, response)).listen(Number(port), host, () =>
  console.log(`${flags.name} serves at ${flags.listen} with ${changes.length} changes`),
);
