/**
 * One raftkv and one etcd that live on from sequence to sequence and are asked the same, command by
 * command: their answers, revisions and events must be equal all along.
 */
import { sleep } from '../../../harness/core/clock.ts';
import { invariant, unreachable } from '../../../harness/core/invariant.ts';
import type { TestCluster } from '../testing.ts';
import { ACCEPTED_IN_LOCKSTEP } from './accepted.ts';
import {
  type Answer,
  bytes,
  type CallStep,
  EVERY_KEY,
  eventsOf,
  IN_VAIN,
  type Message,
  type ReceiveStep,
  type Request,
} from './calls.ts';
import { freshCluster } from './clusters.ts';
import { accepts, difference, type Entry } from './compare.ts';
import type { Surroundings } from './compare-systems.ts';
import { openSession, perform, restartNode, type Session } from './grpc.ts';
import type { Command, StreamName } from './lockstep-commands.ts';
import { Model, type OpenWatch, watchOf } from './lockstep-model.ts';
import { type OneSystem, requestFor } from './lockstep-requests.ts';

/**
 * etcd writes what it applied every 100 ms. After a kill it applies again what was not written, in
 * another way if it was refused: see `RestartStep`.
 */
const STORED_MS = 500;
const STATUS_MS_MAX = 3_000;
/** Every 100 ms etcd looks whether a watch of the past has still something to tell. */
const LOOKED_MS = 500;
const LOOK: CallStep = { call: 'KV.Range', request: { key: bytes('k/0'), countOnly: true } };
const ALL = 'all';
const ALIVE = 'alive';
/** What no watch is called. */
const NO_WATCH = '77';

interface Side extends OneSystem {
  readonly session: Session;
  transcript: Entry[];
}

/** Thrown where the answers differ; the message is for a person. After it the two are no pair. */
class Diverged extends Error {
  override readonly name = 'Diverged';
}

export interface Pair extends AsyncDisposable {
  /** Throws when the answers differ. Else leaves no key, lease, watch or member behind. */
  play(commands: readonly Command[]): Promise<void>;
  /** So many times something was asked of both. */
  readonly asked: number;
}

/** Fresh clusters of one node each; `flags`: of raftkv's. Disposing of it ends them. */
export async function openPair(
  { clock, undo }: Surroundings,
  flags: readonly string[] = [],
): Promise<Pair> {
  await using stack = new AsyncDisposableStack();
  const clusters = await Promise.all([
    freshCluster('etcd', {}, clock, undo),
    freshCluster('raftkv', { flags }, clock, undo),
  ]);
  for (const cluster of clusters) stack.use(cluster);
  const sides = await Promise.all(clusters.map(async (cluster) => sideOf(cluster, clock)));
  for (const { session } of sides) stack.use(session);
  const [etcd, raftkv] = sides;
  invariant(etcd !== undefined && raftkv !== undefined, 'there are two systems');
  const game = new Lockstep(etcd, raftkv);
  await game.compactOnce();
  const owned = stack.move();
  return {
    play: (commands) => game.play(commands),
    get asked() {
      return game.asked;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function sideOf(cluster: TestCluster, clock: Surroundings['clock']): Promise<Side> {
  const session = await openSession(cluster, clock);
  const status = await cluster.client('n1').status(STATUS_MS_MAX);
  invariant(status.ok, 'a node that is ready says its status');
  const own = status.value.header?.memberId ?? '';
  return { session, own, learner: undefined, learnerPort: 2380, leads: new Map(), transcript: [] };
}

class Lockstep {
  readonly #etcd: Side;
  readonly #raftkv: Side;
  asked = 0;
  #model: Model = new Model(0);

  constructor(etcd: Side, raftkv: Side) {
    this.#etcd = etcd;
    this.#raftkv = raftkv;
  }

  /** What was never compacted differs; see `accepted.ts`. */
  async compactOnce(): Promise<void> {
    await this.#call('KV.Put', { key: 'k/0', value: 'x' });
    await this.#both({ call: 'KV.Compact', request: { revision: 2, physical: true } });
    await this.#cleanUp();
  }

  async play(commands: readonly Command[]): Promise<void> {
    for (const side of [this.#etcd, this.#raftkv]) {
      side.transcript = [];
      side.learner = undefined;
      side.leads.clear();
      side.session.names = side.session.freshNames();
    }
    this.#model = new Model(this.#revision());
    await this.#watchAll();
    for (const command of commands) await this.#perform(command);
    await this.#receiveDue();
    for (const stream of this.#model.open) {
      await this.#both({ receive: stream, until: () => true });
      await this.#both({ drop: stream });
    }
    this.#model.open.clear();
    await this.#cleanUp();
  }

  async #perform(command: Command): Promise<void> {
    if ('call' in command) await this.#call(command.call, this.#ofOneAlarm(command.request));
    else if ('watch' in command) await this.#watch(command.watch, command.on);
    else if ('cancel' in command) await this.#cancel(command.cancel, command.on);
    else if ('progress' in command) await this.#progress(command.progress);
    else if ('keepAlive' in command) await this.#keepAlive(command.keepAlive);
    else if ('receive' in command) await this.#receiveDue();
    else if ('restart' in command) await this.#restart();
    else unreachable(command);
  }

  async #call(call: string, asked: Request): Promise<void> {
    const model = this.#model;
    // What was told late would be told without what was compacted.
    if (call === 'KV.Compact') {
      await this.#receiveDue();
      if (model.mayBeBehind) await sleep(this.#etcd.session.clock, LOOKED_MS);
      model.mayBeBehind = false;
    }
    let answered: Answer | undefined;
    await this.#each((side) => {
      const request = requestFor(asked, side, model.revision);
      // etcd 3.4 refuses to hash at exactly the compacted revision.
      const isAtCompacted = Number(request['revision']) === model.compactRevision;
      return {
        call,
        request: call === 'Maintenance.HashKV' && isAtCompacted ? {} : request,
        until: (answer: Answer) => {
          if (side === this.#etcd) answered = answer;
          note(side, call, answer);
          return true;
        },
      };
    });
    // Their answers may speak of a revision before their last write.
    if (/^(Lock|Election)/.test(call)) await this.#both(LOOK);
    model.revision = this.#revision();
    if (call !== 'KV.Compact' || answered?.type !== 'ok') return;
    model.compactRevision = Number(requestFor(asked, this.#etcd, model.revision)['revision']);
    for (const { session } of [this.#etcd, this.#raftkv]) session.names.forgetHashes();
  }

  /** With two kinds of alarms they differ; see docs/raftkv.md. */
  #ofOneAlarm(asked: Request): Request {
    if (asked['action'] !== 'ACTIVATE') return asked;
    this.#model.alarm ??= String(asked['alarm']);
    return { ...asked, alarm: this.#model.alarm };
  }

  async #watch(asked: Request, on: StreamName): Promise<void> {
    const model = this.#model;
    await this.#receiveDue();
    await this.#open('Watch.Watch', on);
    const request = { ...requestFor(asked, this.#etcd, model.revision) };
    if (model.isLostAt(Number(request['startRevision'])))
      request['startRevision'] = model.compactRevision + 1;
    const watch = watchOf('', on, request, model.revision);
    const due = model.due(watch);
    const isCompacted = watch.start < model.compactRevision;
    let created: Message | undefined;
    await this.#both({ send: on, request: { createRequest: request } });
    await this.#receive(on, (got) => {
      created = got.find((message) => message['created'] === true);
      if (created === undefined) return false;
      if (created['canceled'] === true) return true;
      return isCompacted ? got.length > 1 : got.flatMap(eventsOf).length >= due;
    });
    invariant(created !== undefined, 'a watch is created or refused');
    if (created['canceled'] === true) return;
    // One that was compacted is told nothing more, but can be cancelled once.
    if (watch.start <= model.revision && due === 0) model.mayBeBehind = true;
    const [noPut, noDelete] = [isCompacted || watch.noPut, isCompacted || watch.noDelete];
    const id = String(created['watchId']);
    model.watches.push({ ...watch, id, noPut, noDelete, told: model.revision });
  }

  async #cancel(which: number, on: StreamName): Promise<void> {
    const model = this.#model;
    await this.#receiveDue();
    await this.#open('Watch.Watch', on);
    const open = model.watches.filter((watch) => watch.on === on);
    const watch = which < 0 ? undefined : open[which % Math.max(1, open.length)];
    const watchId = watch?.id ?? NO_WATCH;
    await this.#both({ send: on, request: { cancelRequest: { watchId } } });
    if (watch === undefined) return;
    await this.#receive(on, (got) => got.some((message) => message['canceled'] === true));
    model.forget(watch);
  }

  /** One that is yet to begin keeps raftkv from answering; see docs/raftkv.md. */
  async #progress(on: StreamName): Promise<void> {
    const { watches, revision } = this.#model;
    if (watches.some((watch) => watch.on === on && watch.start > revision + 1)) return;
    await this.#receiveDue();
    await this.#open('Watch.Watch', on);
    await this.#both({ send: on, request: { progressRequest: {} } });
    await this.#receive(on, (got) => got.length > 0);
  }

  async #keepAlive(ID: number): Promise<void> {
    await this.#open('Lease.LeaseKeepAlive', ALIVE);
    await this.#both({ send: ALIVE, request: { ID } });
    await this.#receive(ALIVE, (got) => got.length > 0);
  }

  /** Streams end with the connection, in whatever words. */
  async #restart(): Promise<void> {
    if (this.#model.alarm !== undefined) return;
    // With it etcd stores that all before it is applied, what it refused too.
    await this.#call('KV.Put', { key: 'k/0', value: 'last' });
    await this.#receiveDue();
    const model = this.#model;
    for (const stream of model.open) await this.#both({ drop: stream });
    model.open.clear();
    model.watches.length = 0;
    await sleep(this.#etcd.session.clock, STORED_MS);
    await Promise.all(
      [this.#etcd, this.#raftkv].map(async ({ session }) => restartNode('n1', session)),
    );
    await this.#watchAll();
  }

  async #watchAll(): Promise<void> {
    await this.#open('Watch.Watch', ALL);
    await this.#both({ send: ALL, request: { createRequest: { ...EVERY_KEY, prevKv: true } } });
    await this.#receive(ALL, (got) => got.length > 0);
  }

  /** Until every watch has said all there was for it. */
  async #receiveDue(): Promise<void> {
    const model = this.#model;
    if (model.revision === model.seen) return;
    let all: readonly Message[] = [];
    await this.#receive(ALL, (got) => {
      all = got;
      return newestOf(got) >= model.revision;
    });
    for (const message of all) model.note(message);
    model.seen = model.revision;
    for (const on of model.open) {
      const due = model.watches
        .filter((watch) => watch.on === on)
        .map((watch): readonly [OpenWatch, number] => [watch, model.due(watch)])
        .filter(([, count]) => count > 0);
      if (due.length === 0) continue;
      await this.#receive(on, (got) => due.every(([{ id }, count]) => eventsFor(id, got) >= count));
    }
    model.allTold();
  }

  async #open(call: string, as: string): Promise<void> {
    if (this.#model.open.has(as)) return;
    this.#model.open.add(as);
    await this.#both({ open: call, as });
  }

  /** What is left must be equal, and then nothing is left. */
  async #cleanUp(): Promise<void> {
    const { alarm } = this.#model;
    if (alarm !== undefined)
      for (const member of ['n1', 'nobody']) {
        const request = { action: 'DEACTIVATE', memberID: { member }, alarm };
        await this.#call('Maintenance.Alarm', request);
      }
    await this.#call('KV.Range', { key: '\0', rangeEnd: '\0' });
    await this.#call('Maintenance.HashKV', {});
    if (this.#etcd.learner !== undefined)
      await this.#call('Cluster.MemberRemove', { ID: { member: 'learner' } });
    await this.#call('KV.DeleteRange', { key: '\0', rangeEnd: '\0' });
    const leases = new Map<Side, readonly string[]>();
    await this.#each((side) => ({
      call: 'Lease.LeaseLeases',
      request: {},
      until: (answer: Answer) => {
        leases.set(side, leasesOf(answer, side.session));
        return true;
      },
    }));
    for (const at of leases.get(this.#etcd)?.keys() ?? [])
      await this.#each((side) => ({
        call: 'Lease.LeaseRevoke',
        request: { ID: leases.get(side)?.[at] },
      }));
    const request = { revision: this.#revision(), physical: true };
    await this.#both({ call: 'KV.Compact', request });
  }

  #revision(): number {
    return Math.max(this.#etcd.session.revision, this.#raftkv.session.revision);
  }

  #receive(stream: string, until: ReceiveStep['until']): Promise<void> {
    return this.#both({ receive: stream, until });
  }

  #both(step: CallStep): Promise<void> {
    return this.#each(() => step);
  }

  async #each(stepFor: (side: Side) => CallStep): Promise<void> {
    const [etcd, raftkv] = [this.#etcd, this.#raftkv];
    this.asked++;
    const [one, other] = await Promise.all([
      perform(stepFor(etcd), etcd.session),
      perform(stepFor(raftkv), raftkv.session),
    ]);
    if (one === undefined || other === undefined) return;
    const accepted = ACCEPTED_IN_LOCKSTEP.some((each) => accepts(each, one, other));
    etcd.transcript.push(one);
    raftkv.transcript.push(accepted ? one : other);
    const isLate = etcd.session.revision !== raftkv.session.revision;
    const found = difference(
      { name: 'etcd', transcript: etcd.transcript.slice(-SHOWN) },
      { name: 'raftkv', transcript: raftkv.transcript.slice(-SHOWN) },
    );
    if (found !== undefined) throw new Diverged(found);
    if (one.seen.includes(IN_VAIN)) throw new Diverged(`${one.title}: both waited in vain`);
    invariant(!isLate, `${one.title}: the revisions differ, the answers do not`);
  }
}

/** Steps of a transcript that are compared: all before were equal. */
const SHOWN = 6;

function note(side: Side, call: string, answer: Answer): void {
  if (answer.type !== 'ok') return;
  const { member, leader } = answer.message;
  if (call === 'Cluster.MemberAdd') side.learner = (member as { readonly ID: string }).ID;
  // It was the learner: nobody else is ever removed.
  if (call === 'Cluster.MemberRemove') side.learnerPort++;
  if (call !== 'Election.Campaign') return;
  const { name, rev } = leader as { readonly name: Buffer; readonly rev: string };
  side.leads.set(name.toString('latin1'), rev);
}

/** In the order of their names, which both have alike. */
function leasesOf(answer: Answer, { names }: Session): readonly string[] {
  if (answer.type !== 'ok') return [];
  const list = (answer.message['leases'] ?? []) as readonly { readonly ID: string }[];
  const named = list.map(({ ID }) => ({ ID, name: names.inText(ID) }));
  return named.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ ID }) => ID);
}

function newestOf(got: readonly Message[]): number {
  const last = got.flatMap(eventsOf).at(-1) as
    | { readonly kv: { readonly modRevision: string } }
    | undefined;
  return Number(last?.kv.modRevision ?? 0);
}

function eventsFor(id: string, got: readonly Message[]): number {
  return got.filter(({ watchId }) => watchId === id).flatMap(eventsOf).length;
}
