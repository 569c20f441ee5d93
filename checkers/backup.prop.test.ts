/** Backups of a store that is played here, right ones and ones that were tampered with. */
import { describe, expect, test } from 'vitest';
import type { Random } from '../harness/core/prng.ts';
import { nanos } from '../harness/core/units.ts';
import { type History, HistoryBuilder } from '../harness/history/history.ts';
import type { OpDraft } from '../harness/history/op.ts';
import type { Backup } from '../harness/protocols/admin.ts';
import { backup } from './backup.ts';
import { checkContext, provenKinds, randomOf } from './testkit/context.ts';

type Entry = Backup['keys'][number];

interface Played {
  /** Backup `at` holds these instead. */
  holding(at: number, change: (good: Backup) => Backup): History;
  readonly backups: readonly Backup[];
}

const KEYS = ['x', 'y', 'z'];
const SEEDS = 150;

/** Each operation is whole before the next one begins; those of unknown outcome may have happened. */
function play(random: Random): Played {
  const drafts: OpDraft[] = [];
  const places: number[] = [];
  const backups: Backup[] = [];
  let state = new Map<string, Entry>();
  let revision = 1;
  const count = random.int(10, 60);
  for (let process = 0; process < count; process++) {
    const last = process === count - 1;
    const key = random.pick(KEYS);
    const base = { process, phase: 'main', key, node: 'n1' } as const;
    if (last || random.chance(0.1)) {
      const hash = { hash: revision * 17, revision, compactRevision: 1 };
      const ids = { cluster: `c${process}`, member: `m${process}` };
      backups.push({ ...ids, revision, hash, source: hash, keys: [...state.values()] });
      const { key: _, ...whole } = base;
      drafts.push({ ...whole, type: 'invoke', f: 'backup', value: null });
      places.push(drafts.length);
      drafts.push({ ...whole, type: 'ok', f: 'backup', value: null });
      continue;
    }
    const value = random.chance(0.2) ? null : process;
    drafts.push({ ...base, type: 'invoke', f: 'write', value });
    const isKnown = random.chance(0.8);
    if (isKnown || random.chance(0.5)) {
      revision += value !== null || state.has(key) ? 1 : 0;
      state = new Map(state);
      if (value === null) state.delete(key);
      else state.set(key, [key, value, revision]);
    }
    const server = { revision, cluster: 'old', member: 'm-old' };
    drafts.push(
      isKnown
        ? { ...base, type: 'ok', f: 'write', value, server }
        : {
            ...base,
            type: 'info',
            f: 'write',
            value,
            error: { code: 'request-timed-out', definite: false },
          },
    );
  }
  return {
    backups,
    holding: (at, change) => {
      const builder = new HistoryBuilder();
      for (const [index, draft] of drafts.entries()) {
        const place = places.indexOf(index);
        const good = backups[place];
        const value = good === undefined ? draft.value : place === at ? change(good) : good;
        builder.append({ ...draft, value: JSON.parse(JSON.stringify(value)) }, nanos(index));
      }
      return builder.build();
    },
  };
}

async function kindsIn(history: History): Promise<string[]> {
  return provenKinds(await backup().check(history, checkContext()), history);
}

/** What is done to a backup, and every name that may be given to it; undefined: not to this one. */
const TAMPERINGS: Readonly<
  Record<string, (good: Backup, random: Random) => readonly [Backup, readonly string[]] | undefined>
> = {
  'a value is replaced by one from nowhere': (good, random) => {
    const [key, , at] = anyOf(good, random) ?? [];
    if (key === undefined || at === undefined) return undefined;
    return [put(good, [key, 'nothing', at]), ['backup-phantom', 'backup-wrong-value']];
  },
  'a revision is another one': (good, random) => {
    const [key, value = null, at] = anyOf(good, random) ?? [];
    if (key === undefined || at === undefined) return undefined;
    return [put(good, [key, value, good.revision + 5]), ['backup-wrong-revision']];
  },
  'a cluster has its old id': (good) => [{ ...good, cluster: 'old' }, ['restored-same-id']],
  'a member has its old id': (good) => [{ ...good, member: 'm-old' }, ['restored-same-id']],
  'a bit of the state is another one': (good) => [
    { ...good, hash: { ...good.hash, hash: good.hash.hash ^ 1 } },
    ['backup-differs'],
  ],
};

function anyOf({ keys }: Backup, random: Random): Entry | undefined {
  return keys.length === 0 ? undefined : random.pick(keys);
}

function put(good: Backup, entry: Entry): Backup {
  return { ...good, keys: good.keys.map((each) => (each[0] === entry[0] ? entry : each)) };
}

describe('of a store that loses nothing', () => {
  test('no backup is accused, whatever became of the writes', async () => {
    let writes = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const played = play(randomOf(seed));
      writes += played.backups.at(-1)?.keys.length ?? 0;
      expect(await kindsIn(played.holding(-1, (good) => good))).toEqual([]);
    }
    expect(writes).toBeGreaterThan(SEEDS);
  });

  test('the prefixes of what was recorded are not accused either', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const whole = play(randomOf(seed)).holding(-1, (good) => good);
      for (let end = 1; end < whole.length; end += 3) {
        const builder = new HistoryBuilder();
        for (let index = 0; index < end; index++) {
          const { index: _, time, ...draft } = whole.op(index);
          builder.append(draft, time);
        }
        expect(await kindsIn(builder.build())).toEqual([]);
      }
    }
  });
});

describe('a backup that was tampered with is found', () => {
  test.each(Object.entries(TAMPERINGS))('%s', async (_, tamper) => {
    let found = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = randomOf(seed);
      const played = play(random);
      const at = random.int(0, played.backups.length - 1);
      const [bad, names] = tamper(played.backups[at] as Backup, random) ?? [];
      if (bad === undefined || names === undefined) continue;
      found++;
      const kinds = await kindsIn(played.holding(at, () => bad));
      expect(kinds.some((kind) => names.includes(kind))).toBe(true);
    }
    expect(found).toBeGreaterThan(SEEDS / 2);
  });

  test('an older backup in the place of a newer one, when something was acknowledged between', async () => {
    let found = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const played = play(randomOf(seed));
      const at = played.backups.length - 1;
      const older = played.backups[0] as Backup;
      const history = played.holding(at, () => older);
      const newest = Math.max(
        ...[...history.operations()].map(({ completion }) => completion?.server?.revision ?? 0),
      );
      const kinds = await kindsIn(history);
      expect(kinds).toEqual(newest > older.revision ? ['backup-stale'] : []);
      found += kinds.length;
    }
    expect(found).toBeGreaterThan(20);
  });

  test('a key that is left out, unless it may have been deleted', async () => {
    let found = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = randomOf(seed);
      const played = play(random);
      const at = played.backups.length - 1;
      const [gone] = anyOf(played.backups[at] as Backup, random) ?? [];
      const history = played.holding(at, (good) => ({
        ...good,
        keys: good.keys.filter(([key]) => key !== gone),
      }));
      const all = [...history.operations()].filter(({ invoke }) => invoke.key === gone);
      const mayBe = all.some(({ invoke, completion }) => {
        return invoke.value === null && completion?.type === 'info';
      });
      const isKnown = all.some(({ completion }) => completion?.type === 'ok');
      if (gone === undefined || mayBe || !isKnown) continue;
      const newest = all.findLast(({ completion }) => completion?.type === 'ok');
      // It was put back by somebody who was never answered.
      if (newest?.invoke.value === null) continue;
      found++;
      expect(await kindsIn(history)).toEqual(['backup-lost-write']);
    }
    expect(found).toBeGreaterThan(20);
  });
});
