import { describe, expect, it } from 'vitest';
import type { Maintenance } from '../../harness/protocols/maintenance.ts';
import type { FaultValue, Nemesis } from '../../harness/protocols/nemesis.ts';
import type { Outcome } from '../../harness/protocols/system.ts';
import { compact } from './compact.ts';
import type { FaultOptions } from './options.ts';
import { FakeCluster, faultOp } from './testing.ts';

const NEWEST = 50;

interface Asked {
  readonly maintenance: Maintenance;
  readonly calls: string[];
}

/** A past that is forgotten when it is asked for, unless `answer` says what happens instead. */
function past(answer?: Outcome<{ revision: number }>): Asked {
  const calls: string[] = [];
  let compacted = 0;
  const maintenance: Maintenance = {
    compact: (via, keep) => {
      calls.push(`compact via ${via}, keep ${keep}`);
      if (answer !== undefined) return Promise.resolve(answer);
      compacted = NEWEST - keep;
      return Promise.resolve({ type: 'ok', value: { revision: compacted } });
    },
    remembers: (via, revision) => {
      calls.push(`read ${via} at ${revision}`);
      return Promise.resolve({ type: 'ok', value: revision >= compacted });
    },
  };
  return { maintenance, calls };
}

function invoke(
  nemesis: Nemesis,
  { maintenance }: Asked,
  value: FaultOptions,
): Promise<FaultValue> {
  const cluster = new FakeCluster(3);
  const ctx = cluster.context(1, { maintenance });
  return cluster.clock.run(nemesis.invoke(faultOp('compact', value), ctx));
}

describe('a compaction', () => {
  it('is seen by the node that was asked, and has nothing to undo', async () => {
    const asked = past();
    const nemesis = compact();
    const options = { stage: 'begin', keep: 10, via: 'leader' };
    expect(await invoke(nemesis, asked, options)).toEqual({
      stage: 'begin',
      fault: 'compact',
      text: 'compact all but the last 10 revisions, through n2 (leader)',
      targets: ['n2'],
      evidence: {
        result: 'installed',
        probe: { revision: 40, n2: 'no read of revision 39 any more' },
      },
    });
    expect(asked.calls).toEqual(['compact via n2, keep 10', 'read n2 at 39']);
    expect((await invoke(nemesis, asked, { stage: 'end' })).evidence).toEqual({
      result: 'installed',
      probe: { revision: 40, undone: 'nothing: what is compacted stays so' },
    });
  });

  it('that is claimed and not done has failed', async () => {
    const asked = past({ type: 'ok', value: { revision: 40 } });
    const nemesis = compact();
    const { evidence } = await invoke(nemesis, asked, { stage: 'begin', via: 'n1' });
    expect(evidence).toEqual({ result: 'failed', why: 'n1 still knows revision 39' });
    expect((await invoke(nemesis, asked, { stage: 'end' })).evidence.result).toBe('skipped');
  });

  it.each([
    ['fail', 'skipped', 'not compacted through n1: no-leader'],
    ['info', 'failed', 'n1 did not say: no-leader'],
  ] as const)('that ends with %s was %s', async (type, result, why) => {
    const asked = past({ type, error: { code: 'no-leader', definite: type === 'fail' } });
    const { evidence } = await invoke(compact(), asked, { stage: 'begin', via: 'n1' });
    expect(evidence).toEqual({ result, why });
  });

  it.each([
    [{ keep: -1 }, 'keep: -1 is not a whole number'],
    [{ keep: 1.5 }, 'keep: 1.5 is not a whole number'],
    [{ via: 'leadr' }, 'here: via: target: "leadr" is nobody'],
    [{ target: 'n1' }, "unknown option 'target'"],
  ])('with %o is refused', (options, message) => {
    expect(() => compact().check?.(options as FaultOptions, 'here')).toThrow(message);
  });
});
