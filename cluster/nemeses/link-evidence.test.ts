import { describe, expect, test } from 'vitest';
import type { LinkState, Matrix } from '../../harness/protocols/network.ts';
import type { Excuses } from './evidence.ts';
import { judgeShaped, type LinkClaim, type Look } from './link-evidence.ts';

const LINK = { from: 'n1', to: 'n2' } as const;
const BACK = { from: 'n2', to: 'n1' } as const;
const NOBODY: Excuses = { hit: new Set(), links: new Set() };

/** Both directions take the same round trip. */
function look(rttMs: number, ...names: readonly string[]): Look {
  const matrix: Matrix = [LINK, BACK].map((link): LinkState => ({ ...link, state: 'open', rttMs }));
  return { matrix, names };
}

/** A latency of 300 ms from n1 to n2, beside whatever was there before. */
function claimAfter(before: Look): LinkClaim {
  return { shape: { kind: 'latency', latencyMs: 300, jitterMs: 0 }, links: [LINK], before };
}

describe('a link that should be slower', () => {
  test('is, by what round trips grew', () => {
    const evidence = judgeShaped(claimAfter(look(2)), look(302, 'latency.1:n1>n2'), NOBODY);
    expect(evidence).toMatchObject({
      result: 'installed',
      probe: { slower: { 'n1>n2': '+300 ms' } },
    });
  });

  test('is not where they did not grow, whatever reads back', () => {
    const evidence = judgeShaped(claimAfter(look(2)), look(3, 'latency.1:n1>n2'), NOBODY);
    expect(evidence).toMatchObject({ result: 'failed' });
  });

  test.each([
    ['on this link', look(402, 'latency.1:n1>n2')],
    ['the other way', look(402, 'latency.1:n2>n1')],
    ['of which nothing was read', look(702)],
  ])('is read back where another fault went meanwhile: %s', (_name, before) => {
    const now = look(302, 'latency.2:n1>n2');
    expect(judgeShaped(claimAfter(before), now, NOBODY)).toMatchObject({
      result: 'installed',
      probe: { relieved: ['n1>n2'], readBack: ['latency.2:n1>n2'] },
    });
    expect(judgeShaped(claimAfter(before), look(2), NOBODY)).toMatchObject({ result: 'failed' });
  });

  test('is read back beside another one that is slower by its round trips', () => {
    const THIRD = { from: 'n1', to: 'n3' } as const;
    const matrix = (first: number, third: number): Matrix => [
      { ...LINK, state: 'open', rttMs: first },
      { ...BACK, state: 'open', rttMs: first },
      { ...THIRD, state: 'open', rttMs: third },
      { from: 'n3', to: 'n1', state: 'open', rttMs: third },
    ];
    const before: Look = { matrix: matrix(402, 2), names: ['latency.1:n1>n2'] };
    const shape = { kind: 'latency', latencyMs: 300, jitterMs: 0 } as const;
    const claim: LinkClaim = { shape, links: [LINK, THIRD], before };
    const both: Look = {
      matrix: matrix(302, 302),
      names: ['latency.2:n1>n2', 'latency.2:n1>n3'],
    };
    expect(judgeShaped(claim, both, NOBODY)).toMatchObject({
      result: 'installed',
      probe: { slower: { 'n1>n3': '+300 ms' }, relieved: ['n1>n2'] },
    });
    const one: Look = { ...both, names: ['latency.2:n1>n3'] };
    expect(judgeShaped(claim, one, NOBODY)).toMatchObject({ result: 'failed' });
  });

  test('has no excuse in what stayed on it, or was elsewhere', () => {
    const stays = claimAfter(look(402, 'latency.1:n1>n2'));
    const now = look(403, 'latency.1:n1>n2', 'latency.2:n1>n2');
    expect(judgeShaped(stays, now, NOBODY)).toMatchObject({ result: 'failed' });
    const elsewhere = claimAfter(look(2, 'latency.1:n3>n2'));
    expect(judgeShaped(elsewhere, look(3, 'latency.2:n1>n2'), NOBODY)).toMatchObject({
      result: 'failed',
    });
  });
});
