/**
 * A backup as a file: the backend as it is on a member's disk, one more record that says whose it
 * is, and the SHA-256 of both. Its length is a multiple of 512 and the hash, by which etcdctl tells
 * a whole file from one that was cut off.
 */
import { createHash } from 'node:crypto';
import { HarnessError } from '../../../harness/core/errors.ts';
import { ByteReader, type Bytes, ByteWriter, MalformedBytes } from '../bytes.ts';
import { restoreStore } from '../mvcc/store.ts';
import type { Backup } from '../server/api.ts';
import { asBuffer, foldBatch, readBatches } from '../storage/backend-file.ts';
import { BEGINNING, FRAME_BYTES, frame, readRecord } from '../storage/record.ts';
import type { BackendCopy, Buckets, Identity } from '../storage/types.ts';

/** Of a record; those of a backend have another one. */
const OWNER = 17;
const BLOCK = 512;
const HASH_BYTES = 32;
/** etcd's. */
const PIECE_BYTES = 32 * 1_024;

/** Of one member's backend at its last commit. */
export function backupOf({ data, end }: BackendCopy, owner: Identity): Backup {
  const writer = new ByteWriter().text(owner.member).text(owner.cluster);
  const unpadded = end.offset + FRAME_BYTES + writer.length;
  const padding = new Uint8Array((BLOCK - (unpadded % BLOCK)) % BLOCK);
  const body = Buffer.concat([writer.done(), padding]);
  const { chunks } = frame(OWNER, body, end, end.offset);
  const tail = Buffer.concat(chunks);
  return { size: data.length + tail.length, pieces: piecesOf([data, tail]) };
}

async function* piecesOf(parts: readonly Bytes[]): AsyncGenerator<Bytes, void, undefined> {
  const hash = createHash('sha256');
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE_BYTES) {
      const piece = part.subarray(at, at + PIECE_BYTES);
      hash.update(piece);
      yield piece;
    }
  }
  yield hash.digest();
}

export interface BackupRead {
  readonly buckets: Buckets;
  /** Undefined: a copy of a member's `db`, which does not say whose it is. */
  readonly owner: Identity | undefined;
  readonly revision: number;
  /** Hexadecimal, of all but the hash. */
  readonly sha256: string;
}

/** Throws `bad-input`, with what is wrong, unless all of it is as it was written. */
export function readBackup(bytes: Bytes, skipHashCheck: boolean): BackupRead {
  const file = asBuffer(bytes);
  const buckets = new Map<string, Map<string, Bytes>>();
  const { end, damage, applied } = readBatches(file, BEGINNING, (body, offset) => {
    explained(offset, () => foldBatch(body, buckets));
  });
  if (end.offset === 0) throw bad(`it holds nothing: ${damage ?? 'it is empty'}`);
  // In a file that was written anew only the last batch says up to where all is applied.
  if (applied === 0) throw bad(`it ends too early, at byte ${end.offset}`);
  const last = readRecord(file, end);
  if (last.type === 'end') {
    if (!skipHashCheck) throw withoutHash();
    return { buckets, owner: undefined, revision: revisionOf(buckets), sha256: sha256Of(file) };
  }
  if (last.type !== 'record' || last.kind !== OWNER)
    throw bad(`at byte ${end.offset}, ${damage ?? 'there is something else'}`);
  const whole = last.next.offset;
  const sha256 = sha256Of(file.subarray(0, whole));
  if (!skipHashCheck) checkHash(file.subarray(whole), sha256);
  else if (file.length > whole + HASH_BYTES) throw bad('it goes on after its end');
  const owner = explained(end.offset, () => ownerOf(last.body));
  return { buckets, owner, revision: revisionOf(buckets), sha256 };
}

function revisionOf(buckets: Buckets): number {
  const writer = { put: () => undefined, delete: () => undefined };
  return explained(0, () => restoreStore(buckets, writer).revision);
}

function checkHash(found: Buffer, sha256: string): void {
  if (found.length < HASH_BYTES) throw bad('it is cut off within the hash at its end');
  if (found.length > HASH_BYTES) throw bad('it goes on after its end');
  if (found.toString('hex') !== sha256)
    throw bad(`its SHA-256 is ${sha256}, and it should be ${found.toString('hex')}`);
}

function ownerOf(body: Buffer): Identity {
  const reader = new ByteReader(body);
  return { member: reader.text(), cluster: reader.text() };
}

function sha256Of(bytes: Bytes): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What is intact and makes no sense was not written by any member. */
function explained<T>(offset: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof MalformedBytes) throw bad(`at byte ${offset}: ${error.message}`);
    throw error;
  }
}

function withoutHash(): HarnessError {
  return bad(
    'it has no hash at its end; --skip-hash-check takes a copy of the file db of a member',
  );
}

function bad(why: string): HarnessError {
  return new HarnessError('bad-input', `this is no backup, or was changed or cut off: ${why}`);
}
