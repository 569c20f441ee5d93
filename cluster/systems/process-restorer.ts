/** Restores backups on this machine: a tool makes a data folder, and one process starts on it. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../../harness/core/clock.ts';
import { withDeadline } from '../../harness/core/deadline.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import { type NodeName, nanosFromMs } from '../../harness/core/units.ts';
import type { DeployRequest } from '../../harness/protocols/system.ts';
import { type Child, type ChildSpec, startChild } from '../backends/child.ts';
import { logTail } from '../backends/log-tail.ts';
import { reservePorts } from '../backends/ports.ts';
import { exitText } from '../backends/process.ts';
import { EtcdClient } from '../etcd-api/client.ts';
import type { ContentCalls } from '../etcd-api/contents.ts';
import type { Restoration, Restorer } from './member-admin.ts';
import { ANY_KEY } from './member-operator.ts';
import type { MemberFlags } from './member-options.ts';

/** More than any workload writes; a quota of two gigabytes would fill the machine's disk. */
const BACKUP_BYTES_MAX = 256 * 2 ** 20;
/** The newest stay, for whoever looks into a run that failed. */
const FILES_KEPT = 4;
const LOOK_AGAIN_MS = 20;
const READ_MS_MAX = 1_000;

type Program = Pick<ChildSpec, 'file' | 'args' | 'env'>;

/** What only the system knows. */
export interface RestorePrograms {
  /** Makes `member.dataDir`, which does not exist, out of a file; exit code 0: it is made. */
  tool(file: string, member: MemberFlags): Program;
  member(member: MemberFlags): Program;
}

/** Disposing of it ends what is under way. */
export class ProcessRestorer implements Restorer, AsyncDisposable {
  readonly #request: DeployRequest;
  readonly #programs: RestorePrograms;
  readonly #bytesMax: number;
  #count = 0;
  #current: FileRestoration | undefined;
  #isClosed = false;

  constructor(
    request: DeployRequest,
    programs: RestorePrograms,
    bytesMax: number = BACKUP_BYTES_MAX,
  ) {
    this.#request = request;
    this.#programs = programs;
    this.#bytesMax = bytesMax;
  }

  begin(node: NodeName): Restoration | undefined {
    if (this.#current !== undefined || this.#isClosed) return undefined;
    const number = ++this.#count;
    const dir = join(this.#request.dir, 'restored');
    const place = { node, dir, number, bytesMax: this.#bytesMax };
    const ended = (): void => {
      this.#current = undefined;
    };
    try {
      // `data` is what is deleted when the run passes.
      mkdirSync(join(dir, 'data'), { recursive: true });
      rmSync(backupFile(dir, number - FILES_KEPT), { force: true });
      this.#current = new FileRestoration(this.#request, this.#programs, place, ended);
    } catch (error) {
      throw new HarnessError('store-failed', `no file for a backup: ${messageOf(error)}`);
    }
    return this.#current;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#current?.[Symbol.asyncDispose]();
  }
}

interface Place {
  readonly node: NodeName;
  readonly dir: string;
  readonly number: number;
  readonly bytesMax: number;
}

function backupFile(dir: string, number: number): string {
  return join(dir, 'data', `${number}.backup`);
}

class FileRestoration implements Restoration {
  readonly #request: DeployRequest;
  readonly #programs: RestorePrograms;
  readonly #place: Place;
  readonly #file: number;
  readonly #owned = new AsyncDisposableStack();
  #bytes = 0;
  #ending: Promise<void> | undefined;

  constructor(request: DeployRequest, programs: RestorePrograms, place: Place, ended: () => void) {
    this.#request = request;
    this.#programs = programs;
    this.#place = place;
    this.#file = openSync(backupFile(place.dir, place.number), 'w');
    this.#owned.defer(ended);
    this.#owned.defer(() => closeSync(this.#file));
  }

  /** At once, so that nothing waits in memory: the disk is this machine's. */
  take(piece: Uint8Array): void {
    this.#bytes += piece.length;
    const { bytesMax } = this.#place;
    if (this.#bytes > bytesMax)
      throw new HarnessError('unsupported', `a backup of more than ${bytesMax} bytes`);
    writeSync(this.#file, piece);
  }

  async restore(timeoutMs: number): Promise<ContentCalls> {
    const { clock, random, runId } = this.#request;
    const { node, dir, number } = this.#place;
    const until = clock.now() + nanosFromMs(timeoutMs);
    const ports = await reservePorts(2, random.fork(`restore/${number}`));
    this.#own(ports);
    const [peer, client] = ports.list.map((port) => `127.0.0.1:${port}`);
    const member: MemberFlags = {
      // The name of the one it was taken from, as an operator would give it who replaces that one.
      node,
      dataDir: join(dir, 'data', `${number}`),
      peer: peer ?? '',
      client: client ?? '',
      urls: new Map([[node, `http://${peer}`]]),
      token: `${runId}-restored-${number}`,
    };
    // Hundreds of megabytes with etcd; what it holds is known when this ends.
    this.#own({
      [Symbol.asyncDispose]: async () => rmSync(member.dataDir, { recursive: true, force: true }),
    });
    const tool = await this.#start('restore', this.#programs.tool(backupFile(dir, number), member));
    const { code, signal } = await withDeadline(clock, timeoutMs, 'restore', tool.exited);
    if (this.#ending !== undefined) throw new HarnessError('deadline', 'the run ended');
    if (code !== 0) throw this.#refused(`it was not restored (${exitText({ code, signal })})`);
    const process = await this.#start('member', this.#programs.member(member));
    const calls = new EtcdClient(member.client, clock);
    this.#own({ [Symbol.asyncDispose]: async () => calls[Symbol.dispose]() });
    while (!(await calls.range({ key: ANY_KEY }, READ_MS_MAX)).ok) {
      if (this.#ending === undefined && process.state().state === 'gone')
        throw this.#refused(`no member runs on it (${exitText(await process.exited)})`);
      if (this.#ending !== undefined || clock.now() >= until)
        throw new HarnessError('deadline', `the restored member did not serve in ${timeoutMs} ms`);
      await sleep(clock, LOOK_AGAIN_MS);
    }
    return calls;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#ending ??= this.#owned.disposeAsync();
    return this.#ending;
  }

  async #start(what: string, program: Program): Promise<Child> {
    const { undo, clock, log } = this.#request;
    const spec = { ...program, name: `restored-${what}`, logPath: this.#logPath };
    const child = await startChild(spec, { undo, clock, log });
    this.#own(child);
    return child;
  }

  /** What comes when it has ended already is ended at once. */
  #own(resource: AsyncDisposable): void {
    if (this.#ending === undefined) this.#owned.use(resource);
    else this.#ending = this.#ending.then(() => resource[Symbol.asyncDispose]());
  }

  get #logPath(): string {
    return join(this.#place.dir, `restored-${this.#place.number}.log`);
  }

  #refused(why: string): HarnessError {
    const [last = ''] = logTail(this.#logPath).trim().split('\n').slice(-1);
    return new HarnessError('bad-input', `${why}: ${last}`);
  }
}
