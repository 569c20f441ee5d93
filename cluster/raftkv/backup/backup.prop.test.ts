/** What is restored is what was streamed, of any store; and nothing is restored of anything else. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALL, bytes, got, shown } from '../mvcc/fixtures.ts';
import { restoreStore } from '../mvcc/store.ts';
import type { Store } from '../mvcc/types.ts';
import { MemoryDisk } from '../storage/memory-disk.ts';
import { openStorage } from '../storage/storage.ts';
import type { Storage } from '../storage/types.ts';
import { backupOf } from './backup-file.ts';
import { type RestorePlan, restoreBackup } from './restore.ts';
import { fileOf, flipped, OWNER, PLAN } from './testing.ts';

const NOWHERE = { put: () => undefined, delete: () => undefined };

type Step =
  | { readonly do: 'put'; readonly key: string; readonly size: number; readonly lease: boolean }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'compact'; readonly behind: number }
  | { readonly do: 'grant' | 'commit' };

const key = fc.constantFrom('a', 'b', 'c', '\0\xff');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('put' as const),
    key,
    size: fc.oneof(fc.nat(20), fc.constantFrom(500, 40_000)),
    lease: fc.boolean(),
  }),
  fc.record({ do: fc.constant('delete' as const), key }),
  fc.record({ do: fc.constant('compact' as const), behind: fc.nat(4) }),
  fc.record({ do: fc.constantFrom('grant' as const, 'commit' as const) }),
);

function play(store: Store, storage: Storage, steps: readonly Step[]): void {
  let lease = 0;
  for (const [at, next] of steps.entries()) {
    switch (next.do) {
      case 'put': {
        const attached = next.lease && lease > 0 ? { lease: `${lease}` } : {};
        got(store.put({ key: bytes(next.key), value: Buffer.alloc(next.size, at), ...attached }));
        break;
      }
      case 'delete':
        got(store.deleteRange({ key: bytes(next.key) }));
        break;
      case 'compact':
        // Refused where it was compacted already.
        store.compact(store.revision - next.behind);
        break;
      case 'grant':
        lease += 1;
        got(store.leases.grant(`${lease}`, 60 * lease));
        break;
      case 'commit':
        storage.backend.commit(at + 1);
        break;
    }
  }
  storage.backend.commit(steps.length + 1);
}

/** All that can be seen of it. */
function seen(store: Store): unknown {
  const { revision, compactRevision } = store;
  const leases = store.leases.list().map((id) => [id, store.leases.get(id)]);
  const kvs = got(store.range(ALL)).kvs.map(shown);
  return { revision, compactRevision, leases, kvs, hash: got(store.hash(0)) };
}

async function backup(steps: readonly Step[]): Promise<{ file: Buffer; was: unknown }> {
  await using storage = await openStorage(new MemoryDisk());
  const store = restoreStore(new Map(), storage.backend);
  play(store, storage, steps);
  const copy = await storage.backend.snapshot();
  return { file: await fileOf(backupOf(copy, OWNER)), was: seen(store) };
}

async function restored(file: Buffer, plan: RestorePlan): Promise<unknown> {
  const disk = new MemoryDisk();
  await restoreBackup(disk, file, plan);
  await using storage = await openStorage(disk);
  expect(storage.recovered).toMatchObject({ repairs: [], entries: [], snapshot: { index: 3 } });
  return seen(restoreStore(await storage.backend.load(), NOWHERE));
}

test('what is restored is what was streamed; changed or cut off anywhere it is refused', async () => {
  const totals = { refused: 0, compacted: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 40 }),
      fc.array(fc.tuple(fc.boolean(), fc.nat()), { minLength: 4, maxLength: 8 }),
      fc.boolean(),
      async (steps, faults, skipHashCheck) => {
        const { file, was } = await backup(steps);
        const plan = { ...PLAN, skipHashCheck };
        expect(await restored(file, plan)).toEqual(was);
        // The hash itself is what is not looked at then.
        const covered = skipHashCheck ? file.length - 32 : file.length;
        for (const [isFlip, at] of faults) {
          const changed = isFlip
            ? flipped(file, at % (8 * covered))
            : file.subarray(0, at % covered);
          const isCopy = !isFlip && skipHashCheck;
          await restoreBackup(new MemoryDisk(), changed, plan).then(
            // Cut off between two batches it cannot be told from a copy of a member's file.
            () => expect(isCopy).toBe(true),
            (error: unknown) => {
              totals.refused += 1;
              expect(error).toMatchObject({ code: 'bad-input' });
            },
          );
        }
        totals.compacted += JSON.stringify(was).includes('"compactRevision":0') ? 0 : 1;
      },
    ),
    { numRuns: 300 },
  );
  expect(totals.refused).toBeGreaterThan(1_000);
  expect(totals.compacted).toBeGreaterThan(50);
});
