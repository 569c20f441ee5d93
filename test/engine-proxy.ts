/** The container engine of this machine behind a socket of its own, so that it can go away. */
import { connect, createServer, type Socket } from 'node:net';
import { openEngine } from '../cluster/backends/docker/engine.ts';

export interface ProxiedEngine extends AsyncDisposable {
  /** For who is to use it. */
  readonly env: Readonly<Record<string, string>>;
  /** From now on nobody answers there; what it runs goes on. */
  goAway(): Promise<void>;
}

/** Listens on a socket that is not there yet, or on a port, as an engine of another machine does. */
export async function engineBehind(
  at: { readonly path: string } | { readonly host: string; readonly port: number },
): Promise<ProxiedEngine> {
  const { docker } = await openEngine(process.env);
  const { socketPath } = docker.modem as unknown as { readonly socketPath?: string };
  if (socketPath === undefined) throw new Error('the engine of this machine has no socket');
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const engine = connect(socketPath);
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.once('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject);
  server.listen(at, listening.resolve);
  await listening.promise;
  const goAway = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  const address = server.address();
  const isSocket = address === null || typeof address === 'string';
  const url = isSocket ? `unix://${address}` : `tcp://${address.address}:${address.port}`;
  return { env: { DOCKER_HOST: url }, goAway, [Symbol.asyncDispose]: goAway };
}
