import { connect } from 'node:net';
import type { Clock } from '../../harness/core/clock.ts';
import { msFromNanos } from '../../harness/core/units.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/**
 * `answered`: a byte came back. `closed`: the connection was refused, or ended without a byte.
 * `silent`: neither, until the probes were called off.
 */
export type ProbeResult =
  | { readonly result: 'answered'; readonly rttMs: number }
  | { readonly result: 'closed' }
  | { readonly result: 'silent'; readonly isConnected: boolean };

/** Sends `request` on a connection of its own and waits for the first byte of an answer. */
export function probe(
  clock: Clock,
  { host, port }: Endpoint,
  request: Uint8Array,
  callOff: AbortSignal,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const start = clock.now();
    const socket = connect({ host, port, noDelay: true });
    const settle = (result: ProbeResult): void => {
      callOff.removeEventListener('abort', onCallOff);
      socket.destroy();
      resolve(result);
    };
    const onCallOff = (): void => {
      settle({ result: 'silent', isConnected: !socket.connecting });
    };
    socket.on('error', () => undefined);
    socket.once('connect', () => socket.write(request));
    socket.once('data', () => {
      settle({ result: 'answered', rttMs: msFromNanos(clock.now() - start) });
    });
    socket.once('end', () => {
      settle({ result: 'closed' });
    });
    socket.once('close', () => {
      settle({ result: 'closed' });
    });
    callOff.addEventListener('abort', onCallOff, { once: true });
  });
}
