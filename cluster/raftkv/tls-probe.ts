/** A question that every listener with TLS answers, whoever asks. */

const TLS_1_2 = [0x03, 0x03];
const RANDOM_BYTES = 32;

/**
 * The hello of a client of TLS 1.2 (RFC 5246), which the server answers with its own before it
 * wants to know anything. It offers what servers of today have in common, and nothing secret is
 * said under it: so its chance is none, and it is the same each time.
 */
export const TLS_PROBE: Uint8Array = record(0x16, handshake(0x01, clientHello()));

function clientHello(): number[] {
  const random = [...Buffer.alloc(RANDOM_BYTES, 'is anybody there?')];
  const session: number[] = [];
  // ECDHE with ECDSA, then with RSA; each with AES-128, AES-256, ChaCha20.
  const ciphers = [0xc02b, 0xc02c, 0xcca9, 0xc02f, 0xc030, 0xcca8];
  const noCompression = [0];
  const extensions = [
    // Supported groups: X25519, P-256, P-384.
    extension(0x000a, sized(2, words(0x001d, 0x0017, 0x0018))),
    // Points: uncompressed.
    extension(0x000b, sized(1, [0])),
    // Signatures: ECDSA, RSA-PSS, RSA; each with SHA-256, SHA-384.
    extension(0x000d, sized(2, words(0x0403, 0x0503, 0x0804, 0x0805, 0x0401, 0x0501))),
  ];
  return [
    ...TLS_1_2,
    ...random,
    ...sized(1, session),
    ...sized(2, words(...ciphers)),
    ...sized(1, noCompression),
    ...sized(2, extensions.flat()),
  ];
}

function record(type: number, body: readonly number[]): Uint8Array {
  return Uint8Array.of(type, ...TLS_1_2, ...sized(2, body));
}

function handshake(type: number, body: readonly number[]): number[] {
  return [type, ...sized(3, body)];
}

function extension(type: number, body: readonly number[]): number[] {
  return [...words(type), ...sized(2, body)];
}

function words(...values: readonly number[]): number[] {
  return values.flatMap((value) => [value >> 8, value & 0xff]);
}

/** Its length first, in so many bytes. */
function sized(bytes: number, body: readonly number[]): number[] {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(body.length, 0, bytes);
  return [...length, ...body];
}
