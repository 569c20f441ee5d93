import { expect, test } from 'vitest';
import { NO_BUGS } from '../bugs.ts';
import { FAILURES, failed } from '../failures.ts';
import { storeNode } from '../grpc/node-testing.ts';
import type { NodeApi } from '../server/api.ts';
import { campaign } from './election.ts';
import { lock } from './mutex.ts';

const NAME = Buffer.from('l');

test.each([
  ['a lock', lock],
  ['an election', campaign],
] as const)(
  '%s is given up by one whose client goes just when its turn has come',
  async (_, wait) => {
    const { api, store } = storeNode();
    for (const id of ['1', '2']) store.leases.grant(id, 60);
    const value = Buffer.from('v');
    const gone = new AbortController();
    const first = { name: NAME, lease: '1', value };
    expect(await wait(api, first, NO_BUGS, gone.signal)).toMatchObject({ ok: true });
    const range: NodeApi['range'] = (request) => {
      if (request.maxCreateRevision !== undefined) store.leases.revoke('1');
      // Whether it has its place still: the last thing it asks.
      else gone.abort();
      return api.range(request);
    };
    const second = { ...first, lease: '2' };
    const waited = await wait({ ...api, range }, second, NO_BUGS, gone.signal);
    expect(waited).toEqual(failed(FAILURES.stopped));
    expect(store.range({ key: Buffer.from('l/2') })).toMatchObject({ value: { count: 0 } });
  },
);
