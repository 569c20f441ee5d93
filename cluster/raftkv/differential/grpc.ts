/** Asks a cluster what a sequence of calls says, with nothing but gRPC. */
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import { msFromNanos, type NodeName } from '../../../harness/core/units.ts';
import { CHANNEL_OPTIONS } from '../../etcd-api/client.ts';
import { fullNameOf, PROTO_FILES } from '../grpc/definition.ts';
import type { TestCluster } from '../testing.ts';
import {
  type Answer,
  type CallSequence,
  type CallStep,
  eventsOf,
  IN_VAIN,
  type Message,
  type OpenStep,
  type Request,
  type RequestAt,
  type UnaryStep,
} from './calls.ts';
import type { Entry, Transcript } from './compare.ts';
import { Names } from './names.ts';
import { bytesText, normaliseValue } from './normalise.ts';

const CALL_MS_MAX = 15_000;
const UNTIL_MS_MAX = 15_000;
const LOOK_MS = 5;
const TITLE_MAX = 300;

type Method = MethodDefinition<object, Message>;

interface Stream {
  readonly call: ClientDuplexStream<object, Message>;
  /** Not yet asked for. */
  got: Message[];
  /** How the server ended it. */
  over: string | undefined;
  /** Called whenever there is something new. */
  wake: () => void;
}

/** A conversation with one cluster. Disposing of it closes its connections. */
export interface Session extends Disposable {
  readonly cluster: TestCluster;
  readonly clock: Clock;
  /** What differs from cluster to cluster is known by these names until they are given anew. */
  names: Names;
  readonly freshNames: () => Names;
  readonly clients: Map<NodeName, Client>;
  readonly streams: Map<string, Stream>;
  /** The newest that the system has spoken of. */
  revision: number;
}

/** Everything the calls answered, with names instead of ids. */
export async function runCalls(
  { steps, anyMember = false }: CallSequence,
  cluster: TestCluster,
  clock: Clock,
): Promise<Transcript> {
  using session = await openSession(cluster, clock, anyMember);
  const entries: Entry[] = [];
  for (const step of steps) {
    const entry = await perform(step, session);
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

export async function openSession(
  cluster: TestCluster,
  clock: Clock,
  anyMember = false,
): Promise<Session> {
  const [first = ''] = cluster.nodes;
  const reply = await cluster.client(first).memberList(CALL_MS_MAX);
  invariant(reply.ok, 'a cluster that is ready lists its members');
  const { header, members } = reply.value;
  const freshNames = (): Names => {
    const names = new Names();
    for (const node of cluster.all) {
      names.nameText(cluster.peerUrl(node), `peer of ${node}`);
      names.nameText(cluster.address(node), `client of ${node}`);
    }
    names.nameId(BigInt(header?.clusterId ?? 0), 'cluster');
    for (const { ID, name } of members) names.nameId(BigInt(ID), anyMember ? 'a member' : name);
    return names;
  };
  const clients = new Map<NodeName, Client>();
  const streams = new Map<string, Stream>();
  return {
    cluster,
    clock,
    names: freshNames(),
    freshNames,
    clients,
    streams,
    revision: 1,
    [Symbol.dispose]: () => {
      for (const { call } of streams.values()) call.cancel();
      for (const client of clients.values()) client.close();
    },
  };
}

/** Does one step, and says what was seen; undefined where there is nothing to see. */
export async function perform(step: CallStep, session: Session): Promise<Entry | undefined> {
  const { names, streams, cluster } = session;
  if ('call' in step) {
    const request = resolve(step.request, session);
    const answer = await callUntil({ ...step, request }, session);
    const title = names.inText(titleOf(step.call, request, step.at));
    return { title, seen: seenOf(answer, names) };
  }
  if ('kill' in step) {
    await cluster.control.kill(step.kill);
    return undefined;
  }
  if ('restart' in step) {
    await restart(step.restart, session);
    return undefined;
  }
  if ('open' in step) {
    open(step, session);
    return undefined;
  }
  if ('send' in step) {
    streamOf(step.send, streams).call.write(resolve(step.request, session));
    return undefined;
  }
  if ('receive' in step) {
    const stream = streamOf(step.receive, streams);
    const isDone = (): boolean => step.until(stream.got) || stream.over !== undefined;
    const waited = await waitFor(stream, session.clock, isDone);
    if (step.look === 'last') stream.got = stream.got.slice(-1);
    const parts = step.look === 'parts' ? stream.got.map(partLine).toSorted() : [];
    const entry = received(`receive on ${step.receive}`, stream, names, waited);
    return { ...entry, seen: [...entry.seen, ...parts] };
  }
  if ('drop' in step) {
    streamOf(step.drop, streams).call.cancel();
    streams.delete(step.drop);
    return undefined;
  }
  const stream = streamOf(step.end, streams);
  stream.call.end();
  const waited = await waitFor(stream, session.clock, () => stream.over !== undefined);
  streams.delete(step.end);
  return received(`end of ${step.end}`, stream, names, waited);
}

async function restart(asked: NodeName, session: Session): Promise<void> {
  if (session.cluster.system === 'etcd') return;
  await restartNode(nodeOf(asked, session.cluster), session);
}

/** A kill -9 and a start; serves when this resolves. */
export async function restartNode(node: NodeName, { cluster, clients }: Session): Promise<void> {
  await cluster.control.kill(node);
  await cluster.control.start(node);
  await cluster.ready();
  // A connection that was lost would wait before it tries again.
  clients.get(node)?.close();
  clients.delete(node);
}

async function callUntil(step: UnaryStep, session: Session): Promise<Answer> {
  const { clock } = session;
  const deadlineMs = msFromNanos(clock.now()) + UNTIL_MS_MAX;
  for (;;) {
    const answer = await callOnce(step, session);
    const isWanted = step.until?.(answer) ?? true;
    if (isWanted || msFromNanos(clock.now()) > deadlineMs) return answer;
    await sleep(clock, LOOK_MS);
  }
}

function callOnce({ call, request, at, metadata }: UnaryStep, session: Session): Promise<Answer> {
  const { path, requestSerialize, responseDeserialize } = methodOf(call);
  return new Promise((resolveAnswer) => {
    clientOf(at, session).makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      resolve(request, session),
      metadataOf(metadata),
      { deadline: session.clock.wallMs() + CALL_MS_MAX },
      (error, message) => {
        if (error !== null) {
          resolveAnswer({ type: 'error', ...errorOf(error) });
          return;
        }
        invariant(message !== undefined, `${call}: neither an error nor a message`);
        noteRevision(message, session);
        resolveAnswer({ type: 'ok', message });
      },
    );
  });
}

function open({ open: call, as, request, at, metadata }: OpenStep, session: Session): void {
  const { path, requestSerialize, responseDeserialize } = methodOf(call);
  const duplex = clientOf(at, session).makeBidiStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    metadataOf(metadata),
  );
  const stream: Stream = { call: duplex, got: [], over: undefined, wake: () => undefined };
  duplex.on('data', (message: Message) => {
    stream.got.push(message);
    stream.wake();
  });
  duplex.on('error', (error: ServiceError) => {
    const { code, details } = errorOf(error);
    stream.over = `${code}: ${details}`;
    stream.wake();
  });
  duplex.on('end', () => {
    // An error comes after the end of the messages, and says more.
    void session.clock.turn().then(() => {
      stream.over ??= 'ended';
      stream.wake();
      return undefined;
    });
  });
  session.streams.set(as, stream);
  if (request !== undefined) duplex.end(request);
}

/** What a transcript says of the waiting: nothing, when it was not in vain. */
async function waitFor(
  stream: Stream,
  clock: Clock,
  isDone: () => boolean,
): Promise<readonly string[]> {
  if (isDone()) return [];
  return new Promise((resolveWaited) => {
    const finish = (seen: readonly string[]): void => {
      timer.cancel();
      stream.wake = () => undefined;
      resolveWaited(seen);
    };
    const timer = clock.timer(UNTIL_MS_MAX, () => finish([IN_VAIN]));
    stream.wake = () => {
      if (isDone()) finish([]);
    };
  });
}

/**
 * What came since the last time. How events are cut into messages is a matter of time, and so is the
 * order of messages of different watches: so each watch has its own lines, in order.
 */
function received(title: string, stream: Stream, names: Names, waited: readonly string[]): Entry {
  const got = stream.got;
  stream.got = [];
  const watches = Map.groupBy(got, ({ watchId }) => (typeof watchId === 'string' ? watchId : ''));
  const lines = [...watches]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([id, list]) => {
      const watch = id === '' ? '' : `watch ${id}: `;
      return list.flatMap((message) => messageLines(message, names).map((line) => watch + line));
    });
  return {
    title,
    seen: [...lines, ...(stream.over === undefined ? [] : [stream.over]), ...waited],
  };
}

/** One message among those that carry the events. */
function partLine(message: Message): string {
  const isLast = message['fragment'] === true ? 'more is to come' : 'the last';
  return `part of watch ${String(message['watchId'])}: ${eventsOf(message).length}, ${isLast}`;
}

function messageLines(message: Message, names: Names): string[] {
  const events = eventsOf(message);
  if (events.length === 0) return [JSON.stringify(normaliseValue(message, names, true))];
  const newest = Number((message['header'] as Message | null)?.['revision'] ?? 0);
  const last = events.at(-1) as { readonly kv?: { readonly modRevision?: string } } | undefined;
  const isBehind = newest < Number(last?.kv?.modRevision ?? 0);
  return [
    ...events.map((event) => JSON.stringify(normaliseValue(event, names))),
    ...(isBehind ? ['its header has a revision before that of its last event'] : []),
  ];
}

function seenOf(answer: Answer, names: Names): string[] {
  if (answer.type === 'error') return [`${answer.code}: ${names.inText(answer.details)}`];
  const normal = normaliseValue(answer.message, names, true) as Record<string, unknown>;
  return Object.entries(normal).flatMap(([name, value]) =>
    Array.isArray(value)
      ? [`${name}: ${value.length}`, ...value.map((each) => `  ${JSON.stringify(each)}`)]
      : [`${name}: ${JSON.stringify(value)}`],
  );
}

function errorOf(error: ServiceError): { readonly code: string; readonly details: string } {
  const code = status[error.code] ?? messageOf(error);
  return { code, details: error.details };
}

/** Responses within a transaction have no header that counts. */
function noteRevision(message: Message, session: Session): void {
  const header = message['header'] as { readonly revision?: string } | null | undefined;
  session.revision = Math.max(session.revision, Number(header?.revision ?? 0));
}

function resolve(request: RequestAt, session: Session): Request {
  return typeof request === 'function' ? request(session.revision) : request;
}

function titleOf(call: string, request: Request, at: NodeName | undefined): string {
  return `${call} ${textOf(request)}${at === undefined ? '' : ` (at ${at})`}`;
}

function textOf(request: Request): string {
  const text = JSON.stringify(withText(request));
  return text.length > TITLE_MAX ? `${text.slice(0, TITLE_MAX)}...` : text;
}

/** JSON writes buffers as lists of numbers. */
function withText(value: unknown): unknown {
  if (value instanceof Uint8Array) return bytesText(value);
  if (Array.isArray(value)) return value.map(withText);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withText(each)]));
}

function streamOf(name: string, streams: ReadonlyMap<string, Stream>): Stream {
  const stream = streams.get(name);
  invariant(stream !== undefined, `no stream '${name}' is open`);
  return stream;
}

function clientOf(asked: NodeName = 'n1', { clients, cluster }: Session): Client {
  const node = nodeOf(asked, cluster);
  const known = clients.get(node);
  if (known !== undefined) return known;
  const options = { ...CHANNEL_OPTIONS, 'grpc.max_receive_message_length': -1 };
  const client = new Client(cluster.address(node), credentials.createInsecure(), options);
  clients.set(node, client);
  return client;
}

/** Of a smaller cluster n1 stands in for those it has not. */
function nodeOf(asked: NodeName, { nodes }: TestCluster): NodeName {
  return nodes.includes(asked) ? asked : 'n1';
}

function metadataOf(fields: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return metadata;
}

let loaded: PackageDefinition | undefined;

function methodOf(name: string): Method {
  loaded ??= loadSync([...PROTO_FILES], { longs: String, enums: String, defaults: true });
  const [service = '', method = ''] = name.split('.');
  const methods = loaded[fullNameOf(service)] as Readonly<Record<string, Method>> | undefined;
  const found = methods?.[method];
  invariant(found !== undefined, `no .proto file has ${name}`);
  return found;
}
