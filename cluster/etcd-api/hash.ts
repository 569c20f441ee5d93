/** A member's own state as one number, by etcd's HashKV. */
import type { HashApi } from '../../harness/protocols/maintenance.ts';
import type { EtcdClient } from './client.ts';
import { classify } from './errors.ts';
import { int64, stampOf } from './stamp.ts';

/** As much of a client as a hash needs; the simulator has one without a wire. */
export type HashCalls = Pick<EtcdClient, 'hashKV'>;

export function etcdHash(client: HashCalls): HashApi {
  return {
    hash: async (revision, { timeoutMs }) => {
      const reply = await client.hashKV(timeoutMs, String(revision));
      if (!reply.ok) {
        const { error } = classify(reply.error, 'read');
        return { type: 'fail', error };
      }
      const { header, hash, compactRevision } = reply.value;
      const server = stampOf(header);
      // The header tells the member's newest revision, which is what was hashed if none was named.
      const hashed = revision === 0 ? (server.revision ?? 0) : revision;
      const value = { hash, revision: hashed, compactRevision: int64(compactRevision) };
      return { type: 'ok', value, server };
    },
  };
}
