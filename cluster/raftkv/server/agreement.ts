/** Who a member that joins is, when those who are there do not all know the same. */
import { HarnessError } from '../../../harness/core/errors.ts';
import type { FoundCluster } from './config.ts';

type Found = FoundCluster['members'][number];

/** The last: one that was removed may have had the same addresses, and not all have heard of it. */
export function memberAt(found: FoundCluster, peerUrls: readonly string[]): Found | undefined {
  const wanted = [...peerUrls].toSorted().join();
  return found.members.findLast((member) => [...member.peerUrls].toSorted().join() === wanted);
}

/**
 * The answer that most of `answers` agree with, about who is at `peerUrls`; `isCertain` when those
 * are more than half of all `asked`. Whoever has missed something takes the new member for one that
 * was removed. A member with an empty disk under such an id could, with its vote, help one that
 * has missed something to lead, and what was committed would be lost. Of those that count for the
 * addition less than half can have missed it. Undefined: nobody knows of a member there.
 */
export function mostAgreed(
  answers: readonly FoundCluster[],
  peerUrls: readonly string[],
  asked: number,
): { readonly found: FoundCluster; readonly isCertain: boolean } | undefined {
  const camps = new Map<string, FoundCluster[]>();
  for (const found of answers) {
    const member = memberAt(found, peerUrls);
    if (member === undefined) continue;
    const name = `${found.cluster}/${member.id}`;
    camps.set(name, [...(camps.get(name) ?? []), found]);
  }
  const [most] = [...camps.values()].toSorted((a, b) => b.length - a.length);
  const [found] = most ?? [];
  if (most === undefined || found === undefined) return undefined;
  return { found, isCertain: 2 * most.length > asked };
}

/**
 * What one that joins makes of what it heard when it has waited long enough. Where nobody knows it,
 * any answer serves to say so. Throws `network-failed` when nobody answered or too few agreed.
 */
export function lastResort(
  answers: readonly FoundCluster[],
  peerUrls: readonly string[],
  addresses: readonly string[],
  timeoutMs: number,
): FoundCluster {
  const [any] = answers;
  if (any !== undefined && mostAgreed(answers, peerUrls, addresses.length) === undefined)
    return any;
  const at = `within ${timeoutMs} ms at ${addresses.join(', ')}`;
  throw new HarnessError(
    'network-failed',
    any === undefined
      ? `no member of the cluster answered ${at}; start them first, or check the addresses`
      : `of ${addresses.length} members ${answers.length} answered ${at}, and no majority of all ` +
          'agreed on who this member is; start more of them first',
  );
}
