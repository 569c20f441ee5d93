/**
 * For tests: what a storage may hold after a crash. It keeps every state that log and backend went
 * through since they were last known to be durable; a restart must find one of them.
 */
import { expect } from 'vitest';
import { messageOf } from '../../../harness/core/errors.ts';
import { invariant, unreachable } from '../../../harness/core/invariant.ts';
import type { Random } from '../../../harness/core/prng.ts';
import type { Entry, HardState } from '../raft/types.ts';
import { command, contents, entryTexts, IDENTITY, metaAt, snapshotAt } from './fixtures.ts';
import { MemoryDisk } from './memory-disk.ts';
import { openStorage } from './storage.ts';
import type { Storage } from './types.ts';

export interface Fault {
  readonly fault: { readonly after: number; readonly written: number };
  /** How the process ends after the disk has failed. */
  readonly end: 'kill' | 'power';
}

export type Action =
  | {
      readonly do: 'save';
      /** So many entries at the end are replaced. */
      readonly back: number;
      readonly sizes: readonly number[];
      readonly zeros: boolean;
      readonly hardState: boolean;
      readonly mustSync: boolean;
    }
  | { readonly do: 'commit'; readonly ahead: number; readonly size: number }
  | { readonly do: 'sync-backend' }
  | { readonly do: 'compact'; readonly behind: number }
  | { readonly do: 'install'; readonly ahead: number; readonly size: number }
  | {
      readonly do: 'defragment';
      /** Done between the two steps of it. */
      readonly meanwhile: Exclude<
        Action,
        { readonly do: 'defragment' | 'commit' | 'restart' }
      > | null;
    }
  | { readonly do: 'restart'; readonly end: 'kill' | 'power'; readonly fault: Fault | null };

interface LogState {
  readonly start: { readonly index: number; readonly term: number };
  readonly entries: readonly Entry[];
  readonly hardState: HardState;
  /** Which backend file belongs to it: one more for each install. */
  readonly generation: number;
}

interface DbState {
  readonly generation: number;
  readonly applied: number;
  readonly contents: readonly string[];
}

/** All states since the last that is durable for certain, which is the first. */
interface Past<T> {
  states: T[];
  /** Of `states`: the first that a killed process may be found with. */
  written: number;
}

const SEGMENT_BYTES = 700;

export class StorageModel {
  readonly counts = { restarts: 0, faults: 0, repairs: 0, installs: 0, segments: 0, rewrites: 0 };
  readonly #random: Random;
  #disk = new MemoryDisk();
  #opened: Storage | undefined;
  #log: Past<LogState>;
  #db: Past<DbState>;
  #value = 0;

  constructor(random: Random) {
    this.#random = random;
    const hardState = { term: 1, vote: null, commit: 0 };
    const start = { index: 0, term: 0 };
    this.#log = past({ start, entries: [], hardState, generation: 0 });
    this.#db = past({ generation: 0, applied: 0, contents: [] });
  }

  async start(): Promise<void> {
    this.#opened = await openStorage(this.#disk, { segmentBytes: SEGMENT_BYTES });
    await this.#opened.bootstrap(IDENTITY, last(this.#log).hardState, []);
  }

  /** With `during`, the disk fails within the action, and the process ends then. */
  async act(action: Action, during: Fault | undefined): Promise<void> {
    if (action.do === 'restart') {
      await this.#restart(action.end, action.fault ?? undefined);
      return;
    }
    if (during !== undefined) this.#disk.failAfter({ ...during.fault, code: 'EIO' });
    try {
      await this.#work(action);
      this.#disk.failAfter({ after: Number.MAX_SAFE_INTEGER, code: 'EIO' });
    } catch (error) {
      expect(messageOf(error)).toContain('a fault of the disk');
      await expect(this.#storage.backend.load()).rejects.toBe(error);
      this.counts.faults++;
      await this.#restart(during?.end ?? 'kill', undefined);
    }
  }

  get #storage(): Storage {
    invariant(this.#opened !== undefined, 'the model was not started');
    return this.#opened;
  }

  async #work(action: Exclude<Action, { do: 'restart' }>): Promise<void> {
    switch (action.do) {
      case 'save':
        return await this.#save(action);
      case 'commit':
        return this.#commit(action.ahead, action.size);
      case 'sync-backend': {
        const synced = last(this.#db);
        await this.#storage.backend.sync();
        this.#db = since(this.#db, synced);
        return;
      }
      case 'compact':
        return await this.#compact(action.behind);
      case 'install':
        return await this.#install(action.ahead, action.size);
      case 'defragment':
        return await this.#defragment(action.meanwhile ?? undefined);
      default:
        return unreachable(action);
    }
  }

  async #save(action: Extract<Action, { do: 'save' }>): Promise<void> {
    const before = last(this.#log);
    const lastIndex = endOf(before);
    // What is applied is committed, and never replaced.
    const floor = Math.max(before.start.index, last(this.#db).applied, before.hardState.commit);
    const first = Math.max(floor, lastIndex - action.back) + 1;
    const term = before.hardState.term + (action.hardState ? 1 : 0);
    const entries = action.sizes.map((size, at) =>
      command(first + at, term, action.zeros ? Buffer.alloc(size) : this.#text(size)),
    );
    const kept = before.entries.filter(({ index }) => entries.length === 0 || index < first);
    const hardState = action.hardState
      ? { term, vote: this.#random.pick(['a1', 'b2', null]), commit: floor }
      : before.hardState;
    const after = { ...before, entries: [...kept, ...entries], hardState };
    this.#log.states.push(after);
    await this.#storage.save({
      entries,
      ...(action.hardState && { hardState }),
      mustSync: action.mustSync,
    });
    this.#log.written = this.#log.states.length - 1;
    if (action.mustSync) this.#log = past(after);
  }

  /** Only what is durable in the log is applied. */
  #commit(ahead: number, size: number): void {
    const { backend } = this.#storage;
    const before = last(this.#db);
    const durable = Math.min(...this.#log.states.map(endOf));
    if (durable < before.applied) return;
    const applied = Math.min(before.applied + ahead, durable);
    const value = this.#text(size).toString('latin1');
    const key = `${this.#random.int(0, 3)}`;
    backend.put('key', key, Buffer.from(value, 'latin1'));
    const others = before.contents.filter((item) => !item.startsWith(`key/${key}=`));
    const changed = [...others, `key/${key}=${value}`].toSorted();
    this.#db.states.push({ ...before, applied, contents: changed });
    backend.commit(applied);
    this.#db.written = this.#db.states.length - 1;
  }

  async #compact(behind: number): Promise<void> {
    const before = last(this.#log);
    const db = last(this.#db);
    const index = Math.max(before.start.index, db.applied - behind);
    if (index > endOf(before)) return;
    const term = termAt(before, index);
    const entries = before.entries.filter((entry) => entry.index > index);
    const after = { ...before, start: { index, term }, entries };
    this.#log.states.push(after);
    await this.#storage.compact(metaAt(index, term));
    this.#log = past(after);
    this.#db = since(this.#db, db);
  }

  async #install(ahead: number, size: number): Promise<void> {
    const before = last(this.#log);
    const index = Math.max(before.start.index, last(this.#db).applied, before.hardState.commit);
    const meta = metaAt(index + 1 + ahead, before.hardState.term);
    const value = this.#text(size).toString('latin1');
    const generation = before.generation + 1;
    const start = { index: meta.index, term: meta.term };
    const after = { ...before, start, entries: [], generation };
    this.#log.states.push(after);
    const db = { generation, applied: meta.index, contents: [`key/from=${value}`] };
    this.#db.states.push(db);
    await this.#storage.install({ meta, data: await snapshotAt(meta.index, value) });
    this.counts.installs++;
    this.#log = past(after);
    this.#db = past(db);
  }

  async #defragment(meanwhile: Exclude<Action, { do: 'restart' }> | undefined): Promise<void> {
    const { backend } = this.#storage;
    const rewritten = await this.#storage.rewrite();
    if (meanwhile !== undefined) await this.#work(meanwhile);
    const before = { size: backend.size, contents: await contents(backend) };
    const isAdopted = await this.#storage.adopt(rewritten);
    expect(isAdopted).toBe(meanwhile?.do !== 'install');
    expect(await contents(backend)).toEqual(before.contents);
    expect(await this.#disk.list()).not.toContain('db.rewritten');
    if (!isAdopted) return;
    this.counts.rewrites++;
    this.#db = past(last(this.#db));
  }

  async #restart(end: 'kill' | 'power', during: Fault | undefined): Promise<void> {
    this.#end(end);
    let opened: Storage | undefined;
    if (during !== undefined) {
      this.#disk.failAfter({ ...during.fault, code: 'EIO' });
      opened = await this.#open();
      if (opened === undefined) {
        this.counts.faults++;
        this.#end(during.end);
      } else this.#disk.failAfter({ after: Number.MAX_SAFE_INTEGER, code: 'EIO' });
    }
    this.counts.restarts++;
    this.#opened = opened ?? (await this.#open());
    await this.#compare();
  }

  /** Undefined: the disk failed within, as it was told to; a refusal is thrown. */
  async #open(): Promise<Storage | undefined> {
    try {
      return await openStorage(this.#disk, { segmentBytes: SEGMENT_BYTES });
    } catch (error) {
      if (messageOf(error).includes('a fault of the disk')) return undefined;
      throw error;
    }
  }

  #end(end: 'kill' | 'power'): void {
    this.#disk = end === 'kill' ? this.#disk.crash() : this.#disk.powerFailure(this.#random);
    // What was only written may be gone from now on, even if the next end is a kill.
    if (end === 'power') {
      this.#log.written = 0;
      this.#db.written = 0;
    }
  }

  /** What was found must be one of the states that are possible, and is the only one after that. */
  async #compare(): Promise<void> {
    const { recovered, backend } = this.#storage;
    expect(recovered).toBeDefined();
    invariant(recovered !== undefined, 'the folder was bootstrapped');
    expect(recovered.identity).toEqual(IDENTITY);
    this.counts.repairs += recovered.repairs.length;
    const names = await this.#disk.list();
    this.counts.segments = Math.max(this.counts.segments, names.length - 1);
    expect(names.filter((name) => /incoming|rewritten/.test(name))).toEqual([]);

    const found = logText(recovered.snapshot, recovered.entries, recovered.hardState);
    const logs = this.#log.states.slice(this.#log.written);
    const log = logs.findLast((state) => textOf(state) === found);
    if (log === undefined)
      expect.fail(`the log is\n${found}\nand not one of\n${logs.map(textOf).join('\n')}`);
    const db = { generation: log.generation, applied: backend.applied };
    const text = JSON.stringify({ ...db, contents: await contents(backend) });
    // Of another generation everything is possible but what was known of this one.
    const first = this.#db.states[this.#db.written]?.generation === log.generation;
    const dbs = this.#db.states.slice(first ? this.#db.written : 0);
    const match = dbs.findLast((state) => JSON.stringify(state) === text);
    if (match === undefined)
      expect.fail(`the backend is\n${text}\nand not one of\n${JSON.stringify(dbs, null, 1)}`);
    this.#log = past({ ...log, hardState: recovered.hardState });
    // A restart syncs the log, but not the backend: the log still has what that may lose.
    const at = this.#db.states.indexOf(match);
    const states = this.#db.states.slice(0, at + 1);
    this.#db = {
      states: states.filter(({ generation }) => generation === log.generation),
      written: 0,
    };
    this.#db.written = this.#db.states.length - 1;
  }

  #text(size: number): Buffer {
    this.#value++;
    return Buffer.alloc(size, `v${this.#value} `);
  }
}

function past<T>(state: T): Past<T> {
  return { states: [state], written: 0 };
}

/** `state` is durable now. */
function since<T>(before: Past<T>, state: T): Past<T> {
  const at = before.states.indexOf(state);
  return { states: before.states.slice(at), written: Math.max(0, before.written - at) };
}

function last<T>({ states }: Past<T>): T {
  const state = states.at(-1);
  invariant(state !== undefined, 'there is always a state');
  return state;
}

function endOf({ entries, start }: LogState): number {
  return entries.at(-1)?.index ?? start.index;
}

function termAt({ start, entries }: LogState, index: number): number {
  return entries.find((entry) => entry.index === index)?.term ?? start.term;
}

function logText(
  start: { readonly index: number; readonly term: number },
  entries: readonly Entry[],
  { term, vote, commit }: HardState,
): string {
  return JSON.stringify([start.index, start.term, entryTexts(entries), term, vote, commit]);
}

/** The commit index is raised to where the log starts; see `openStorage`. */
function textOf({ start, entries, hardState }: LogState): string {
  const commit = Math.max(hardState.commit, start.index);
  return logText(start, entries, { ...hardState, commit });
}
