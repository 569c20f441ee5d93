import { createServer, request as send } from 'node:http';
import type { Network } from '../../harness/protocols/network.ts';
import type { DeployRequest } from '../../harness/protocols/system.ts';
export interface EtcdLinks extends AsyncDisposable {
  network: Network;
  clientAddress(n: string): string;
  forwarderUrl(n: string): string | undefined;
}
export async function openEtcdLinks(
  members: readonly { node: string; peer: string; client: string; peerHost: string }[],
  _: DeployRequest,
): Promise<EtcdLinks> {
  const server = createServer((req, res) => {
    const url = new URL(req.url ?? '');
    const to = members.find((m) => m.peerHost === url.hostname);
    const up = send(
      `http://${to?.peer}${url.pathname}${url.search}`,
      { method: req.method ?? 'GET', headers: req.headers, agent: false },
      (r) => {
        res.writeHead(r.statusCode ?? 500, r.headers);
        res.flushHeaders();
        r.pipe(res);
        r.on('error', () => res.destroy());
      },
    );
    up.on('error', () => res.destroy());
    res.on('close', () => up.destroy());
    req.pipe(up);
    up.flushHeaders();
  });
  await new Promise<void>((r) => {
    server.listen(0, '127.0.0.1', r);
  });
  const a = server.address();
  const port = typeof a === 'object' && a !== null ? a.port : 0;
  return {
    network: undefined as unknown as Network,
    clientAddress: (n) => members.find((m) => m.node === n)?.client ?? '',
    forwarderUrl: () => `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
