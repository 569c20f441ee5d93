/** How Schism starts mykv, asks it, and understands what it answers. */
import { fileURLToPath } from 'node:url';
import {
  deployPrograms,
  HarnessError,
  type JsonValue,
  NETWORK_ABILITIES,
  type Outcome,
  type RegisterApi,
  type System,
} from 'schism';

const PROGRAM: string = fileURLToPath(new URL('./mykv.ts', import.meta.url));
/** It has no elections; these say how fast it notices anything. */
const TIMING = { heartbeatMs: 50, electionMs: 500 };
const STATUS_MS_MAX = 300;

export const mykv: System = {
  name: 'mykv',
  summary: 'a primary and its copies, over HTTP',
  capabilities: ['register'],
  backends: ['process'],
  promises: { linearizable: 'linearizable', serializable: 'serializable' },
  defaultNodes: 3,
  options: { batch: 'changes that go to disk together (default 20)' },
  network: new Set(NETWORK_ABILITIES),
  timing: () => TIMING,
  available: () => Promise.resolve(true),
  deploy: (request) => {
    const batch = request.options['batch'] ?? '20';
    if (!/^[1-9]\d*$/.test(batch))
      throw new HarnessError('bad-option', `mykv: batch: '${batch}' is not a whole number`);
    const [primary = ''] = request.nodes;
    return deployPrograms(request, {
      timing: TIMING,
      facts: { primary, batch },
      command: ({ node, listen, dir, peers }) => ({
        file: process.execPath,
        args: [
          PROGRAM,
          `--name=${node}`,
          `--listen=${listen}`,
          `--dir=${dir}`,
          `--primary=${primary}`,
          `--batch=${batch}`,
          ...Object.entries(peers).map(([peer, at]) => `--peer=${peer}=${at}`),
        ],
      }),
      probe: 'GET /status HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n',
      serves: async (address) => (await status(address)) !== undefined || 'no status',
      role: async (address) => {
        const { isPrimary, changes } = await status(address);
        const role = isPrimary ? 'leader' : 'follower';
        return { role, leader: primary, applied: changes };
      },
      open: (address) => ({
        apis: { register: registerAt(`http://${address}`) },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
    });
  },
};

async function status(address: string): Promise<{ isPrimary: boolean; changes: number }> {
  const signal = AbortSignal.timeout(STATUS_MS_MAX);
  const reply = await fetch(`http://${address}/status`, { signal });
  return (await reply.json()) as { isPrimary: boolean; changes: number };
}

function registerAt(url: string): RegisterApi {
  // Keys of workloads that run side by side hold a slash: `reads/k3`.
  const at = (what: string, key: string): string => `${url}/${what}/${encodeURIComponent(key)}`;
  return {
    read: async (key, mode, { timeoutMs }) => {
      const local = mode === 'serializable' ? '?local' : '';
      const outcome = await ask(`${at('kv', key)}${local}`, { method: 'GET' }, timeoutMs);
      // Whatever went wrong, a read changed nothing.
      return outcome.type === 'info' ? { ...outcome, type: 'fail' } : outcome;
    },
    write: (key, value, { timeoutMs }) =>
      ask(at('kv', key), { method: 'PUT', body: JSON.stringify(value) }, timeoutMs),
    cas: (key, from, to, { timeoutMs }) =>
      ask(at('cas', key), { method: 'POST', body: JSON.stringify({ from, to }) }, timeoutMs),
  };
}

/** One request, sent once. Only 409 and 503 prove that nothing was changed. */
async function ask<T extends JsonValue>(
  url: string,
  init: RequestInit,
  timeoutMs: number,
): Promise<Outcome<T>> {
  try {
    const reply = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    const body = (await reply.json()) as T;
    if (reply.status === 200) return { type: 'ok', value: body };
    if (reply.status === 409)
      return { type: 'fail', error: { code: 'cas-mismatch', definite: true }, seen: body };
    if (reply.status === 503)
      return { type: 'fail', error: { code: 'no-copy-yet', definite: true } };
    return { type: 'info', error: { code: `http-${reply.status}`, definite: false } };
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    const code = isLate ? 'timeout' : 'connection-lost';
    return { type: 'info', error: { code, definite: false } };
  }
}
