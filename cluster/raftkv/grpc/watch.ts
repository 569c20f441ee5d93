/** The service Watch: one stream carries many watches, each pulled only while the client reads. */
import type { ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Timer } from '../../../harness/core/clock.ts';
import type { Bytes } from '../bytes.ts';
import type { KeyRange, Watch, WatchBatch, WatchRequest } from '../mvcc/types.ts';
import type { Context } from './context.ts';
import { wireEvent } from './convert.ts';
import { fragmentsOf } from './fragments.ts';
import { numberOf } from './int64.ts';
import type { Stream, StreamEvents, Streams } from './stream.ts';
import type { WireWatchCreate, WireWatchRequest, WireWatchResponse } from './wire.ts';

/** What is read at once; a revision is never divided. As etcd's. */
const EVENTS_A_PULL = 1_000;
/** Of what concerns no watch, or all of them. */
const NO_WATCH_ID = -1;
const NO_PUT = 0;
const NO_DELETE = 1;
const FIRST_KEY: Bytes = Uint8Array.of(0);

export interface WatchLimits {
  /** Beyond which responses are divided for those who ask for it. */
  readonly maxResponseBytes: number;
  readonly progressNotifyMs: number;
}

export function watchService(
  context: Context,
  streams: Streams,
  limits: WatchLimits,
): UntypedServiceImplementation {
  return {
    Watch: (call: ServerDuplexStream<WireWatchRequest, WireWatchResponse>) => {
      streams.open(call, (stream) => new WatchStream(context, stream, limits));
    },
  };
}

interface OpenWatch {
  readonly id: number;
  readonly watch: Watch;
  readonly startRevision: number;
  readonly isFragmented: boolean;
  readonly wantsProgress: boolean;
  /** Nothing was sent since progress was last looked at. */
  isQuiet: boolean;
}

class WatchStream implements StreamEvents<WireWatchRequest> {
  readonly #context: Context;
  readonly #stream: Stream<WireWatchResponse>;
  readonly #limits: WatchLimits;
  readonly #watches = new Map<number, OpenWatch>();
  /** Ended by a compaction; as in etcd their ids are taken until they are cancelled too. */
  readonly #compacted = new Set<number>();
  /** Those that may have something to say, in turn. */
  readonly #awake = new Set<OpenWatch>();
  #nextId = 0;
  #isFull = false;
  #isScheduled = false;
  #isClosed = false;
  #isProgressAsked = false;
  #timer: Timer | undefined;

  constructor(context: Context, stream: Stream<WireWatchResponse>, limits: WatchLimits) {
    this.#context = context;
    this.#stream = stream;
    this.#limits = limits;
  }

  request(request: WireWatchRequest): void {
    if (request.createRequest !== undefined) this.#create(request.createRequest);
    else if (request.cancelRequest !== undefined)
      this.#cancel(numberOf(request.cancelRequest.watchId));
    else if (request.progressRequest !== undefined) {
      this.#isProgressAsked = true;
      this.#schedule();
    }
  }

  /** The watches go on: only the client's own end of the stream ends them. */
  halfClosed(): void {}

  drained(): void {
    this.#isFull = false;
    this.#stream.resume();
    this.#schedule();
  }

  closed(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const { watch } of this.#watches.values()) watch[Symbol.dispose]();
    this.#watches.clear();
    this.#awake.clear();
  }

  #create(wire: WireWatchCreate): void {
    const { api, header } = this.#context;
    const range = watchRangeOf(wire);
    const asked = numberOf(wire.watchId);
    // Of before the watch: events come after it.
    const before = header();
    const refusal = this.#refusal(range, asked);
    if (refusal !== undefined) {
      this.#write(NO_WATCH_ID, {
        header: before,
        created: true,
        canceled: true,
        cancelReason: refusal,
      });
      return;
    }
    const id = asked === 0 ? this.#freeId() : asked;
    const request: WatchRequest = {
      ...range,
      startRevision: startOf(wire),
      prevKv: wire.prevKv === true,
      noPut: wire.filters?.includes(NO_PUT) === true,
      noDelete: wire.filters?.includes(NO_DELETE) === true,
    };
    const wake = (): void => {
      const woken = this.#watches.get(id);
      if (woken !== undefined) this.#wake(woken);
    };
    const open: OpenWatch = {
      id,
      watch: api.watch(request, wake),
      startRevision: request.startRevision,
      isFragmented: wire.fragment === true,
      wantsProgress: wire.progressNotify === true,
      isQuiet: true,
    };
    this.#watches.set(id, open);
    this.#write(id, { header: before, created: true });
    if (open.wantsProgress) this.#timer ??= this.#arm();
    this.#wake(open);
  }

  /** In etcd's words. */
  #refusal({ key, end }: KeyRange, id: number): string | undefined {
    const isOpenEnded = end?.length === 1 && end[0] === 0;
    if (end !== undefined && !isOpenEnded && Buffer.compare(key, end) >= 0)
      return 'mvcc: watcher range is empty';
    if (id !== 0 && this.#isTaken(id))
      return 'mvcc: duplicate watch ID provided on the WatchStream';
    return undefined;
  }

  #isTaken(id: number): boolean {
    return this.#watches.has(id) || this.#compacted.has(id);
  }

  #freeId(): number {
    while (this.#isTaken(this.#nextId)) this.#nextId++;
    return this.#nextId++;
  }

  #cancel(id: number): void {
    const open = this.#watches.get(id);
    if (open !== undefined) this.#close(open);
    else if (!this.#compacted.delete(id)) return;
    this.#write(id, { header: this.#context.header(), canceled: true });
    this.#schedule();
  }

  #close(open: OpenWatch): void {
    this.#watches.delete(open.id);
    this.#awake.delete(open);
    open.watch[Symbol.dispose]();
  }

  #wake(open: OpenWatch): void {
    this.#awake.add(open);
    this.#schedule();
  }

  /** Not at once: it is woken from within an apply. */
  #schedule(): void {
    if (this.#isScheduled || this.#isFull || this.#isClosed) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      try {
        this.#pump();
      } catch (error) {
        this.#stream.broken(error);
      }
    });
  }

  #pump(): void {
    while (!this.#isFull && !this.#isClosed) {
      const [open] = this.#awake;
      if (open === undefined) break;
      this.#awake.delete(open);
      if (!this.#pull(open)) continue;
      // Maybe more, but after the others.
      if (this.#watches.has(open.id)) this.#awake.add(open);
    }
    if (this.#isProgressAsked && !this.#isFull && !this.#isClosed) this.#answerProgress();
  }

  /** False: there was nothing to send. */
  #pull(open: OpenWatch): boolean {
    const batch = open.watch.pull(EVENTS_A_PULL);
    if (batch === undefined) return false;
    this.#send(open, batch);
    return true;
  }

  #send(open: OpenWatch, batch: WatchBatch): void {
    const { header } = this.#context;
    open.isQuiet = false;
    if (batch.type === 'compacted') {
      this.#close(open);
      this.#compacted.add(open.id);
      this.#write(open.id, {
        header: header(0),
        canceled: true,
        compactRevision: batch.compactRevision,
      });
      return;
    }
    const events = batch.events.map(wireEvent);
    const base = { header: header(batch.revision) };
    if (!open.isFragmented) {
      this.#write(open.id, { ...base, events });
      return;
    }
    const parts = fragmentsOf(events, this.#limits.maxResponseBytes);
    for (const [at, part] of parts.entries())
      this.#write(open.id, {
        ...base,
        events: part,
        ...(at < parts.length - 1 && { fragment: true }),
      });
  }

  /** Every watch has said all up to the store's revision; one that is yet to begin has not. */
  #answerProgress(): void {
    const revision = this.#context.api.header().revision;
    const all = [...this.#watches.values()];
    if (all.some(({ startRevision }) => startRevision > revision + 1)) return;
    this.#isProgressAsked = false;
    this.#write(NO_WATCH_ID, { header: this.#context.header(revision) });
  }

  #arm(): Timer {
    return this.#context.clock.timer(this.#limits.progressNotifyMs, () => {
      try {
        this.#notifyProgress();
      } catch (error) {
        this.#stream.broken(error);
      }
      this.#timer = this.#isClosed ? undefined : this.#arm();
    });
  }

  /** Only to those who heard nothing since the last time. */
  #notifyProgress(): void {
    for (const open of this.#watches.values()) {
      if (this.#isFull || this.#isClosed) return;
      if (!open.wantsProgress) continue;
      if (open.isQuiet) this.#tellProgress(open);
      open.isQuiet = true;
    }
  }

  #tellProgress(open: OpenWatch): void {
    const revision = this.#context.api.header().revision;
    if (open.startRevision > revision + 1) return;
    // What is there comes first: after progress at a revision nothing of it may follow.
    if (this.#pull(open)) {
      if (this.#watches.has(open.id)) this.#wake(open);
      return;
    }
    this.#write(open.id, { header: this.#context.header(revision) });
  }

  /** `to`: the watch's id. */
  #write(to: number, response: Omit<WireWatchResponse, 'watchId'>): void {
    const watchId = to === 0 ? undefined : to;
    if (this.#stream.write({ ...response, watchId }) === 'ready') return;
    this.#isFull = true;
    // Requests are answered too: a client that reads nothing shall not make us remember it all.
    this.#stream.pause();
  }
}

/** Before all revisions means from the first one: it is 0 that means from now on. */
function startOf({ startRevision }: WireWatchCreate): number {
  const revision = numberOf(startRevision);
  return revision < 0 ? 1 : revision;
}

/** No key means the first one, and none is the range of that: as etcd. */
function watchRangeOf({ key, rangeEnd }: WireWatchCreate): KeyRange {
  // Copied, since a watch outlives the message whose memory its key would hold.
  const first = key === undefined || key.length === 0 ? FIRST_KEY : Uint8Array.from(key);
  return rangeEnd === undefined || rangeEnd.length === 0
    ? { key: first }
    : { key: first, end: Uint8Array.from(rangeEnd) };
}
