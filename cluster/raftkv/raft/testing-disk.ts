/** What a member of the tests keeps: a disk as plain data, and a list of commands as its machine. */
import { invariant } from '../../../harness/core/invariant.ts';
import type { Bytes } from '../bytes.ts';
import type { Configuration, Entry, HardState, MemberId, Persist, SnapshotMeta } from './types.ts';

export interface Applied {
  readonly index: number;
  readonly command: string;
}

/** The state machine: every command that was applied, and up to where the log is. */
export interface MachineState {
  readonly index: number;
  readonly commands: readonly Applied[];
}

export interface DiskState {
  readonly hardState: HardState;
  readonly snapshot: SnapshotMeta;
  /** The state machine at `snapshot`. */
  readonly machine: MachineState;
  readonly entries: readonly Entry[];
}

const NOTHING: MachineState = { index: 0, commands: [] };

/** Of a member that was never started. */
export function emptyDisk(): DiskState {
  return {
    hardState: { term: 0, vote: null, commit: 0 },
    snapshot: { index: 0, term: 0, config: { voters: [], learners: [] } },
    machine: NOTHING,
    entries: [],
  };
}

export interface LogOptions {
  readonly voters: readonly MemberId[];
  readonly learners?: readonly MemberId[];
  /** One entry each; the first is the configuration. */
  readonly terms?: readonly number[];
  /** By default that of the last entry. */
  readonly term?: number;
}

/**
 * A disk as the paper draws logs: a row of terms, from index 1 on. The first entry, the only one
 * that is committed, is the configuration that the cluster starts with; the others are commands
 * that name their own index and term.
 */
export function diskWith({ voters, learners = [], terms = [1], term }: LogOptions): DiskState {
  const config: Configuration = { voters, learners };
  const entries = terms.map((entryTerm, at): Entry => {
    const data = Buffer.from(at === 0 ? '' : `${at + 1}@${entryTerm}`);
    const payload: Entry['payload'] =
      at === 0 ? { kind: 'config', config, data } : { kind: 'command', data };
    return { index: at + 1, term: entryTerm, payload };
  });
  const last = entries.at(-1)?.term ?? 0;
  return { ...emptyDisk(), hardState: { term: term ?? last, vote: null, commit: 1 }, entries };
}

/** The same new disk for each voter and learner. */
export function newCluster(
  voters: readonly MemberId[],
  learners: readonly MemberId[] = [],
): Map<MemberId, DiskState> {
  return new Map([...voters, ...learners].map((id) => [id, diskWith({ voters, learners })]));
}

/** The disk after a write: snapshot, entries, hard state. */
export function written(
  disk: DiskState,
  { snapshot, entries, hardState }: Pick<Persist, 'snapshot' | 'entries' | 'hardState'>,
): DiskState {
  let { snapshot: meta, machine, entries: log } = disk;
  if (snapshot !== undefined) {
    meta = snapshot.meta;
    machine = decodeState(snapshot.data);
    log = [];
  }
  const [first] = entries;
  if (first !== undefined) {
    const kept = first.index - meta.index - 1;
    invariant(kept >= 0 && kept <= log.length, `a gap before ${first.index} on disk`);
    log = [...log.slice(0, kept), ...entries];
  }
  return { hardState: hardState ?? disk.hardState, snapshot: meta, machine, entries: log };
}

/** The disk after its log was dropped up to `meta`; `machine` is at least as new. */
export function withoutLogUpTo(
  disk: DiskState,
  meta: SnapshotMeta,
  machine: MachineState,
): DiskState {
  return {
    ...disk,
    snapshot: meta,
    machine: machineAt(machine, meta.index),
    entries: disk.entries.filter(({ index }) => index > meta.index),
  };
}

/** What the machine was at an earlier index. */
export function machineAt(machine: MachineState, index: number): MachineState {
  invariant(index <= machine.index, `the machine is at ${machine.index}, not yet at ${index}`);
  return { index, commands: machine.commands.filter((applied) => applied.index <= index) };
}

export function applyEntry(machine: MachineState, { index, payload }: Entry): MachineState {
  invariant(index === machine.index + 1, `${index} is applied after ${machine.index}`);
  if (payload.kind !== 'command') return { ...machine, index };
  const command = Buffer.from(payload.data).toString();
  return { index, commands: [...machine.commands, { index, command }] };
}

export function encodeState(machine: MachineState): Bytes {
  return Buffer.from(JSON.stringify(machine));
}

export function decodeState(data: Bytes): MachineState {
  return JSON.parse(Buffer.from(data).toString()) as MachineState;
}

/** `term:command`, `term:-` for a leader's first entry, `term:{voters|learners}`. */
export function textOf({ term, payload }: Entry): string {
  if (payload.kind === 'none') return `${term}:-`;
  if (payload.kind === 'command') return `${term}:${Buffer.from(payload.data).toString()}`;
  const { voters, learners } = payload.config;
  const listed =
    learners.length === 0 ? voters.join(' ') : `${voters.join(' ')}|${learners.join(' ')}`;
  return `${term}:{${listed}}`;
}
