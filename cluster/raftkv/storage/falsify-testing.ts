/** Makes one member hold what no other does: for tests of what looks for it. */
import { invariant } from '../../../harness/core/invariant.ts';
import { openStorage } from './storage.ts';
import type { Disk } from './types.ts';

/** In the newest version of a key that says `from` it says `to`, as long; all files stay intact. */
export async function falsify(disk: Disk, from: string, to: string): Promise<void> {
  await using storage = await openStorage(disk);
  const { backend } = storage;
  const versions = [...((await backend.load()).get('key') ?? [])];
  const found = versions.findLast(([, value]) => Buffer.from(value).includes(from));
  invariant(found !== undefined, `no version says '${from}'`);
  const [name, value] = found;
  const changed = Buffer.from(value);
  changed.write(to, changed.indexOf(from));
  backend.put('key', name, changed);
  backend.commit(backend.applied);
  await backend.sync();
}
