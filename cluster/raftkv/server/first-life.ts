/** How a member finds out what it is before it runs: from its disk, or, the first time, from others. */
import type { Recovered, Storage } from '../storage/types.ts';
import type { FoundCluster, NodeConfig } from './config.ts';
import type { NodeHost } from './host.ts';
import { existingCluster, newCluster } from './identity.ts';

/** A member that joins knows nobody, not even whom to answer, before it has the others' log. */
export async function findOthers(
  config: NodeConfig,
  host: NodeHost,
  { recovered }: Storage,
): Promise<FoundCluster | undefined> {
  if (config.initialState === 'new') return undefined;
  const knowsOthers =
    recovered !== undefined &&
    (recovered.snapshot.index > 0 ||
      recovered.entries.some(({ payload }) => payload.kind === 'config'));
  return knowsOthers ? undefined : host.findCluster();
}

/** What the first start begins with, once it is on disk. */
export async function bootstrap(
  config: NodeConfig,
  found: FoundCluster | undefined,
  storage: Storage,
): Promise<Recovered> {
  const { identity, hardState, entries } =
    found === undefined ? newCluster(config) : existingCluster(config, found);
  await storage.bootstrap(identity, hardState, entries);
  const snapshot = { index: 0, term: 0, config: { voters: [], learners: [] } };
  return { identity, hardState, entries, snapshot, repairs: [] };
}
