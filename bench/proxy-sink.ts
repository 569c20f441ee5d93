/**
 * The far end of `bench/proxy.ts`, a program that needs nothing but Node.js. Listens on `SINK_HOST`, `SINK_PORT`.
 * The first byte of a connection says what is wanted. `e`: echo all that follows. `b`: eat it, count,
 * and confirm the end; 8 bytes after it say how much is coming, for a proxy knows no half close.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

const ECHO = 0x65;
const BULK = 0x62;

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on('error', () => undefined);
  let mode: number | undefined;
  let count = 0;
  let total = Number.POSITIVE_INFINITY;
  socket.on('data', (bytes) => {
    if (mode === undefined) {
      mode = bytes[0];
      if (mode === BULK) total = Number(bytes.readBigUInt64BE(1));
    }
    count += bytes.length;
    if (mode === ECHO) socket.write(bytes);
    if (count >= total) socket.end('done');
  });
  socket.on('end', () => socket.end());
});
server.listen(Number(process.env['SINK_PORT'] ?? 0), process.env['SINK_HOST'] ?? '127.0.0.1');
await once(server, 'listening');
process.stdout.write(`${JSON.stringify(server.address())}\n`);
