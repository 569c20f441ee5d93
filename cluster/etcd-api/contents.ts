/** All that a member holds, read from it alone: for one that nobody else talks to. */
import type { Backup } from '../../harness/protocols/admin.ts';
import type { Outcome } from '../../harness/protocols/system.ts';
import type { EtcdClient } from './client.ts';
import { classify } from './errors.ts';
import { etcdHash } from './hash.ts';
import { valueOf } from './register.ts';
import { int64, stampOf } from './stamp.ts';

/** As much of a client as this needs; the simulator has one without a wire. */
export type ContentCalls = Pick<EtcdClient, 'range' | 'hashKV'>;

const PAGE_KEYS = 1_000;
/** All of them go into the history. */
const KEYS_MAX = 20_000;
/** From the first key to the last, in etcd's words. */
const FIRST: Buffer = Buffer.from([0]);
const END: Buffer = Buffer.from([0]);

/** Takes one request for each thousand keys; refuses more than 20,000. */
export async function contentsOf(
  client: ContentCalls,
  timeoutMs: number,
): Promise<Outcome<Backup>> {
  const keys: Backup['keys'][number][] = [];
  for (let key = FIRST; ; ) {
    const reply = await client.range({ key, rangeEnd: END, limit: PAGE_KEYS }, timeoutMs);
    if (!reply.ok) return { type: 'fail', error: classify(reply.error, 'read').error };
    const { header, kvs, more } = reply.value;
    for (const kv of kvs)
      keys.push([kv.key.toString('utf8'), valueOf(kv), int64(kv.modRevision)] as const);
    if (keys.length > KEYS_MAX) return tooMany();
    const last = kvs.at(-1);
    if (more && last !== undefined) {
      key = Buffer.concat([last.key, FIRST]);
      continue;
    }
    const { revision = 0, cluster = '', member = '' } = stampOf(header);
    const hash = await etcdHash(client).hash(revision, { timeoutMs });
    if (hash.type !== 'ok') return hash;
    return { type: 'ok', value: { revision, cluster, member, hash: hash.value, keys } };
  }
}

function tooMany(): Outcome<never> {
  const message = `there are more than ${KEYS_MAX} keys, too many to compare`;
  return { type: 'fail', error: { code: 'too-many-keys', definite: true, message } };
}
