/** What one client saw in order: did it go back, and did it miss what it had written itself? */
import type { KeyOp } from '../key-history.ts';
import type { Place, Timeline } from './timeline.ts';

export interface BackwardsRead {
  readonly by: 'modRevision' | 'revision' | 'value';
  readonly first: KeyOp;
  readonly second: KeyOp;
  /** For `value`: the only writes of what the two reads returned. */
  readonly firstWrite?: KeyOp;
  readonly secondWrite?: KeyOp;
}

export interface SessionFindings {
  /** Older than what the same client had read in this mode at the same node. */
  readonly perNode: readonly BackwardsRead[];
  /** Older than what the same client had read at another node. Only a measurement. */
  readonly acrossNodes: number;
  /** Older than what the same client had been told it had stored. Only a measurement. */
  readonly missedOwnWrite: number;
}

interface Seen {
  readonly op: KeyOp;
  readonly place: Place;
}

/** `timelines`: one for each key, all with reads of one mode. */
export function sessionFindings(timelines: readonly Timeline[]): SessionFindings {
  const perNode = new Map<KeyOp, BackwardsRead>();
  let [acrossNodes, missedOwnWrite] = [0, 0];
  for (const timeline of timelines) {
    const newest = new Map<string, Seen>();
    const written = new Map<string, Seen>();
    const ops = [...timeline.reads, ...timeline.writes].toSorted((a, b) => a.start - b.start);
    for (const op of ops) {
      const place = timeline.placeOf(op);
      if (place === undefined) continue;
      const client = String(op.invoke.process);
      if (op.call.f !== 'read') {
        remember(written, client, { op, place });
        continue;
      }
      const node = `${client} ${op.invoke.node ?? ''}`;
      const before = newest.get(node);
      if (isOlder(place, before?.place))
        perNode.set(op, backwards(timeline.by, before as Seen, { op, place }));
      else if (isOlder(place, newest.get(client)?.place)) acrossNodes++;
      if (isOlder(place, written.get(client)?.place)) missedOwnWrite++;
      remember(newest, node, { op, place });
      remember(newest, client, { op, place });
    }
  }
  for (const found of storeWentBack(timelines))
    if (!perNode.has(found.second)) perNode.set(found.second, found);
  const found = [...perNode.values()].toSorted((a, b) => a.second.start - b.second.start);
  return { perNode: found, acrossNodes, missedOwnWrite };
}

/** Reads whose node answered at an older revision of the whole store than before. */
function* storeWentBack(timelines: readonly Timeline[]): Generator<BackwardsRead> {
  const reads = timelines.flatMap(({ reads: some }) => some).toSorted((a, b) => a.start - b.start);
  const newest = new Map<string, { readonly op: KeyOp; readonly revision: number }>();
  for (const op of reads) {
    const revision = op.completion?.server?.revision;
    if (revision === undefined) continue;
    const session = `${op.invoke.process} ${op.invoke.node ?? ''}`;
    const before = newest.get(session);
    if (before !== undefined && revision < before.revision)
      yield { by: 'revision', first: before.op, second: op };
    else newest.set(session, { op, revision });
  }
}

function isOlder(place: Place, than: Place | undefined): boolean {
  return than !== undefined && place.high < than.low;
}

function remember(seen: Map<string, Seen>, session: string, next: Seen): void {
  const known = seen.get(session);
  if (known === undefined || next.place.low > known.place.low) seen.set(session, next);
}

function backwards(by: Timeline['by'], first: Seen, second: Seen): BackwardsRead {
  const { write: firstWrite } = first.place;
  const { write: secondWrite } = second.place;
  return {
    by,
    first: first.op,
    second: second.op,
    ...(firstWrite !== undefined && { firstWrite }),
    ...(secondWrite !== undefined && { secondWrite }),
  };
}
