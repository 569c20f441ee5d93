/** Ends with 0 when the member of raftkv beside it serves a linearizable read within a second. */
import { connect } from 'node:http2';

process.exitCode = 1;
const session = connect('http://127.0.0.1:2379');
session.on('error', () => undefined);
const call = session.request({
  ':method': 'POST',
  ':path': '/etcdserverpb.KV/Range',
  'content-type': 'application/grpc',
  'grpc-timeout': '1S',
  te: 'trailers',
});
call.on('error', () => undefined);
call.on('trailers', (trailers) => {
  if (trailers['grpc-status'] === '0') process.exitCode = 0;
});
call.on('close', () => session.close());
call.resume();
// A frame of three bytes that are not compressed: field 1, the key, is `h`.
call.end(Buffer.from('00000000030a0168', 'hex'));
