/**
 * The messages of `etcd-api/rpc.proto` as the server takes and gives them. What has its default
 * value is left out, both ways: that is how proto3 writes it.
 */
import type { Bytes } from '../bytes.ts';

/** 64 bits; signed or not says the field. */
export interface Long {
  readonly low: number;
  readonly high: number;
}

export interface WireHeader {
  readonly clusterId?: Long;
  readonly memberId?: Long;
  readonly revision?: number;
  readonly raftTerm?: number;
}

interface Headed {
  readonly header?: WireHeader;
}

export interface WireKeyValue {
  readonly key: Bytes;
  readonly createRevision?: number | undefined;
  readonly modRevision: number;
  readonly version?: number | undefined;
  readonly value?: Bytes | undefined;
  readonly lease?: Long | undefined;
}

interface WireKeyRange {
  readonly key?: Bytes;
  readonly rangeEnd?: Bytes;
}

export interface WireRangeRequest extends WireKeyRange {
  readonly limit?: Long;
  readonly revision?: Long;
  readonly sortOrder?: number;
  readonly sortTarget?: number;
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly minModRevision?: Long;
  readonly maxModRevision?: Long;
  readonly minCreateRevision?: Long;
  readonly maxCreateRevision?: Long;
}
export interface WireRangeResponse extends Headed {
  readonly kvs: readonly WireKeyValue[];
  readonly more?: true | undefined;
  readonly count?: number | undefined;
}

export interface WirePutRequest {
  readonly key?: Bytes;
  readonly value?: Bytes;
  readonly lease?: Long;
  readonly prevKv?: boolean;
  readonly ignoreValue?: boolean;
  readonly ignoreLease?: boolean;
}
export interface WirePutResponse extends Headed {
  readonly prevKv?: WireKeyValue | undefined;
}

export interface WireDeleteRangeRequest extends WireKeyRange {
  readonly prevKv?: boolean;
}
export interface WireDeleteRangeResponse extends Headed {
  readonly deleted?: number | undefined;
  readonly prevKvs: readonly WireKeyValue[];
}

export interface WireCompare extends WireKeyRange {
  readonly result?: number;
  readonly target?: number;
  readonly version?: Long;
  readonly createRevision?: Long;
  readonly modRevision?: Long;
  readonly value?: Bytes;
  readonly lease?: Long;
}

/** At most one. */
export interface WireRequestOp {
  readonly requestRange?: WireRangeRequest;
  readonly requestPut?: WirePutRequest;
  readonly requestDeleteRange?: WireDeleteRangeRequest;
  readonly requestTxn?: WireTxnRequest;
}
/** Exactly one. */
export interface WireResponseOp {
  readonly responseRange?: WireRangeResponse;
  readonly responsePut?: WirePutResponse;
  readonly responseDeleteRange?: WireDeleteRangeResponse;
  readonly responseTxn?: WireTxnResponse;
}

export interface WireTxnRequest {
  readonly compare?: readonly WireCompare[];
  readonly success?: readonly WireRequestOp[];
  readonly failure?: readonly WireRequestOp[];
}
export interface WireTxnResponse extends Headed {
  readonly succeeded?: true | undefined;
  readonly responses: readonly WireResponseOp[];
}

export interface WireCompactionRequest {
  readonly revision?: Long;
}

/** What has nothing to say but where and when. */
export interface WireHeaderResponse extends Headed {}

export interface WireEvent {
  /** 1: DELETE. */
  readonly type?: 1 | undefined;
  readonly kv: WireKeyValue;
  readonly prevKv?: WireKeyValue | undefined;
}

export interface WireWatchCreate extends WireKeyRange {
  readonly startRevision?: Long;
  readonly progressNotify?: boolean;
  readonly filters?: readonly number[];
  readonly prevKv?: boolean;
  readonly watchId?: Long;
  readonly fragment?: boolean;
}
/** At most one. */
export interface WireWatchRequest {
  readonly createRequest?: WireWatchCreate;
  readonly cancelRequest?: { readonly watchId?: Long };
  readonly progressRequest?: object;
}
export interface WireWatchResponse {
  readonly header: WireHeader;
  readonly watchId?: number | undefined;
  readonly created?: true;
  readonly canceled?: true;
  readonly compactRevision?: number;
  readonly cancelReason?: string;
  readonly fragment?: true;
  readonly events?: readonly WireEvent[];
}

export interface WireLeaseGrantRequest {
  readonly TTL?: Long;
  readonly ID?: Long;
}
export interface WireLeaseGrantResponse extends Headed {
  readonly ID?: Long | undefined;
  readonly TTL: number;
}
export interface WireLeaseId {
  readonly ID?: Long;
}
export interface WireLeaseKeepAliveResponse extends Headed {
  readonly ID?: Long | undefined;
  /** Absent: there is no such lease. */
  readonly TTL?: number | undefined;
}
export interface WireTimeToLiveRequest {
  readonly ID?: Long;
  readonly keys?: boolean;
}
export interface WireTimeToLiveResponse extends Headed {
  readonly ID?: Long | undefined;
  readonly TTL: number;
  readonly grantedTTL?: number;
  readonly keys?: readonly Bytes[];
}
export interface WireLeasesResponse extends Headed {
  readonly leases: readonly { readonly ID?: Long | undefined }[];
}

export interface WireMember {
  readonly ID: Long;
  readonly name?: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs: readonly string[];
  readonly isLearner?: boolean;
}
export interface WireMemberAddRequest {
  readonly peerURLs?: readonly string[];
  readonly isLearner?: boolean;
}
export interface WireMemberUpdateRequest {
  readonly ID?: Long;
  readonly peerURLs?: readonly string[];
}
export interface WireMemberId {
  readonly ID?: Long;
}
export interface WireMembersResponse extends Headed {
  readonly member?: WireMember;
  readonly members: readonly WireMember[];
}

export interface WireStatusResponse extends Headed {
  readonly version: string;
  readonly dbSize: number;
  readonly leader?: Long | undefined;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftAppliedIndex: number;
  readonly errors: readonly string[];
  readonly dbSizeInUse: number;
  readonly isLearner: boolean;
}
export interface WireAlarmRequest {
  readonly action?: number;
  readonly memberID?: Long;
  readonly alarm?: number;
}
export interface WireAlarm {
  readonly memberID: Long;
  readonly alarm: number;
}
export interface WireAlarmResponse {
  readonly alarms: readonly WireAlarm[];
}

export interface WireHashKvResponse extends Headed {
  readonly hash: number;
  readonly compactRevision?: number | undefined;
}

/** A piece of a backup; it has no header. */
export interface WireSnapshotResponse {
  readonly remainingBytes?: number | undefined;
  readonly blob: Bytes;
}

export interface WireLockRequest {
  readonly name?: Bytes;
  readonly lease?: Long;
}
export interface WireLockResponse extends Headed {
  readonly key: Bytes;
}
export interface WireUnlockRequest {
  readonly key?: Bytes;
}

export interface WireLeaderKey {
  readonly name?: Bytes | undefined;
  readonly key?: Bytes;
  readonly rev?: Long;
  readonly lease?: Long | undefined;
}
export interface WireCampaignRequest {
  readonly name?: Bytes;
  readonly lease?: Long;
  readonly value?: Bytes;
}
export interface WireCampaignResponse extends Headed {
  readonly leader: Omit<WireLeaderKey, 'rev'> & { readonly rev: number };
}
/** To resign there is no value. */
export interface WireProclaimRequest {
  readonly leader?: WireLeaderKey;
  readonly value?: Bytes;
}
export interface WireLeaderRequest {
  readonly name?: Bytes;
}
export interface WireLeaderResponse extends Headed {
  readonly kv: WireKeyValue;
}
