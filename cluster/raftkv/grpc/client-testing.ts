/** A client that sends whatever it is told, without any opinion of its own. For tests. */
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { invariant } from '../../../harness/core/invariant.ts';
import { CHANNEL_OPTIONS } from '../../etcd-api/client.ts';
import { fullNameOf, PROTO_FILES, type ServiceName } from './definition.ts';

/** A message as proto-loader has it: 64-bit numbers as text, what has its default value left out. */
export type RawMessage = Readonly<Record<string, unknown>>;

export interface RawError {
  /** The name of a gRPC status. */
  readonly code: string;
  readonly details: string;
}

/** What went in, and came out, of one stream. */
export interface RawStream {
  send(request: RawMessage): void;
  halfClose(): void;
  cancel(): void;
  /** The next response; once the stream is over, how it ended. */
  next(): Promise<RawMessage | RawError>;
  /** Leaves responses unread from now on, or reads again. */
  pause(): void;
  resume(): void;
}

export interface RawClient extends Disposable {
  call(
    service: ServiceName,
    method: string,
    request: RawMessage,
    metadata?: Readonly<Record<string, string>>,
  ): Promise<RawMessage | RawError>;
  stream(
    service: ServiceName,
    method: string,
    metadata?: Readonly<Record<string, string>>,
  ): RawStream;
}

/** `address` is `host:port`. */
export function rawClient(address: string): RawClient {
  const definition = loadSync([...PROTO_FILES], { longs: String, enums: String });
  const client = new Client(address, credentials.createInsecure(), {
    ...CHANNEL_OPTIONS,
    'grpc.max_receive_message_length': -1,
  });
  const find = (service: string, name: string): MethodDefinition<object, object> => {
    const methods = definition[fullNameOf(service)] as
      | Readonly<Record<string, MethodDefinition<object, object>>>
      | undefined;
    const method = methods?.[name];
    invariant(method !== undefined, `no ${service}.${name}`);
    return method;
  };
  return {
    call: (service, name, request, metadata = {}) => {
      const { path, requestSerialize, responseDeserialize } = find(service, name);
      return new Promise((resolve) => {
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          metadataOf(metadata),
          (error, value) => {
            resolve(error === null ? (value as RawMessage) : rawError(error));
          },
        );
      });
    },
    stream: (service, name, metadata = {}) => {
      const { path, requestSerialize, responseDeserialize } = find(service, name);
      return rawStream(
        client.makeBidiStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          metadataOf(metadata),
        ),
      );
    },
    [Symbol.dispose]: () => client.close(),
  };
}

function rawStream(call: ClientDuplexStream<object, object>): RawStream {
  const arrived: (RawMessage | RawError)[] = [];
  const waiting: ((item: RawMessage | RawError) => void)[] = [];
  const arrive = (item: RawMessage | RawError): void => {
    const waiter = waiting.shift();
    if (waiter === undefined) arrived.push(item);
    else waiter(item);
  };
  call.on('data', (message: RawMessage) => arrive(message));
  call.on('error', () => undefined);
  call.on('status', ({ code, details }) => arrive({ code: status[code], details }));
  return {
    send: (request) => {
      call.write(request);
    },
    halfClose: () => call.end(),
    cancel: () => call.cancel(),
    next: () => {
      const item = arrived.shift();
      return item === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(item);
    },
    pause: () => {
      call.pause();
    },
    resume: () => {
      call.resume();
    },
  };
}

function metadataOf(fields: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return metadata;
}

function rawError({ code, details }: ServiceError): RawError {
  return { code: status[code], details };
}
