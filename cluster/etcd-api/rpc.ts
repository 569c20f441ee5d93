/** The shapes of `rpc.proto` as proto-loader gives and takes them; only what is used is typed. */
import { fileURLToPath } from 'node:url';
import type { MethodDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { invariant } from '../../harness/core/invariant.ts';

/** 64-bit numbers arrive as decimal text; see `int64` in `stamp.ts`. */
export type Int64 = string;

export interface ResponseHeader {
  readonly clusterId: Int64;
  readonly memberId: Int64;
  readonly revision: Int64;
  readonly raftTerm: Int64;
}

export interface KeyValue {
  readonly key: Buffer;
  readonly createRevision: Int64;
  readonly modRevision: Int64;
  readonly version: Int64;
  readonly value: Buffer;
}

export interface RangeRequest {
  readonly key: Buffer;
  readonly rangeEnd?: Buffer;
  readonly limit?: number;
  readonly revision?: Int64;
  readonly serializable?: boolean;
}
export interface RangeResponse {
  readonly header: ResponseHeader | null;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: Int64;
}

export interface PutRequest {
  readonly key: Buffer;
  readonly value: Buffer;
}
export interface HeaderResponse {
  readonly header: ResponseHeader | null;
}

export interface DeleteRangeRequest {
  readonly key: Buffer;
  readonly rangeEnd?: Buffer;
}
export interface DeleteRangeResponse extends HeaderResponse {
  readonly deleted: Int64;
}

export interface Compare {
  readonly key: Buffer;
  readonly result: 'EQUAL' | 'GREATER' | 'LESS' | 'NOT_EQUAL';
  readonly target: 'VERSION' | 'CREATE' | 'MOD' | 'VALUE';
  /** Exactly one, the one that `target` names. */
  readonly version?: Int64;
  readonly createRevision?: Int64;
  readonly modRevision?: Int64;
  readonly value?: Buffer;
}
export type RequestOp =
  | { readonly requestRange: RangeRequest }
  | { readonly requestPut: PutRequest }
  | { readonly requestDeleteRange: DeleteRangeRequest };
export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}
export interface TxnResponse extends HeaderResponse {
  readonly succeeded: boolean;
  readonly responses: readonly { readonly responseRange?: RangeResponse | null }[];
}

export interface CompactionRequest {
  readonly revision: Int64;
  readonly physical?: boolean;
}

export interface Member {
  readonly ID: Int64;
  /** Empty until the member has started for the first time. */
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly isLearner: boolean;
}
/** The list as it was asked for, or as it is after a change. */
export interface MemberListResponse extends HeaderResponse {
  readonly members: readonly Member[];
}
export interface MemberAddRequest {
  readonly peerURLs: readonly string[];
  readonly isLearner?: boolean;
}
export interface MemberIdRequest {
  readonly ID: Int64;
}

export interface StatusResponse extends HeaderResponse {
  readonly version: string;
  /** Whom this member believes to lead; `0`: nobody. */
  readonly leader: Int64;
  readonly raftIndex: Int64;
  readonly raftTerm: Int64;
  readonly raftAppliedIndex: Int64;
  readonly isLearner: boolean;
}

export interface HashKVResponse extends HeaderResponse {
  readonly hash: number;
  readonly compactRevision: Int64;
}

/** One of a stream; all blobs together are a file. */
export interface SnapshotResponse extends HeaderResponse {
  readonly remainingBytes: Int64;
  readonly blob: Buffer;
}

/** What one call needs to know: where it goes and how its messages become bytes. */
export type Method<Request, Response> = MethodDefinition<Request, Response>;

export interface Methods {
  readonly range: Method<RangeRequest, RangeResponse>;
  readonly put: Method<PutRequest, HeaderResponse>;
  readonly deleteRange: Method<DeleteRangeRequest, DeleteRangeResponse>;
  readonly txn: Method<TxnRequest, TxnResponse>;
  readonly compact: Method<CompactionRequest, HeaderResponse>;
  readonly memberList: Method<{ readonly linearizable?: boolean }, MemberListResponse>;
  readonly memberAdd: Method<MemberAddRequest, MemberListResponse>;
  readonly memberRemove: Method<MemberIdRequest, MemberListResponse>;
  readonly memberPromote: Method<MemberIdRequest, MemberListResponse>;
  readonly status: Method<object, StatusResponse>;
  readonly hashKV: Method<{ readonly revision?: Int64 }, HashKVResponse>;
  readonly moveLeader: Method<{ readonly targetID: Int64 }, HeaderResponse>;
  readonly defragment: Method<object, HeaderResponse>;
  readonly snapshot: Method<object, SnapshotResponse>;
}

let loaded: Methods | undefined;

/** Reads `rpc.proto`, once; it lies beside this file in source and in the built package. */
export function methods(): Methods {
  loaded ??= load();
  return loaded;
}

function load(): Methods {
  const path = fileURLToPath(new URL('./rpc.proto', import.meta.url));
  const definition = loadSync(path, { longs: String, enums: String, defaults: true });
  const find = <Request, Response>(service: string, name: string): Method<Request, Response> =>
    findMethod(definition, service, name) as unknown as Method<Request, Response>;
  return {
    range: find('KV', 'Range'),
    put: find('KV', 'Put'),
    deleteRange: find('KV', 'DeleteRange'),
    txn: find('KV', 'Txn'),
    compact: find('KV', 'Compact'),
    memberList: find('Cluster', 'MemberList'),
    memberAdd: find('Cluster', 'MemberAdd'),
    memberRemove: find('Cluster', 'MemberRemove'),
    memberPromote: find('Cluster', 'MemberPromote'),
    status: find('Maintenance', 'Status'),
    hashKV: find('Maintenance', 'HashKV'),
    moveLeader: find('Maintenance', 'MoveLeader'),
    defragment: find('Maintenance', 'Defragment'),
    snapshot: find('Maintenance', 'Snapshot'),
  };
}

function findMethod(
  definition: PackageDefinition,
  service: string,
  name: string,
): MethodDefinition<object, object> {
  const methodsOf = definition[`etcdserverpb.${service}`] as
    | Readonly<Record<string, MethodDefinition<object, object>>>
    | undefined;
  const method = methodsOf?.[name];
  invariant(method !== undefined, `rpc.proto has no ${service}.${name}`);
  return method;
}
