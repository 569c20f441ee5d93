/** What every handler is made of: the node, its headers, who may ask, and how to refuse. */
import {
  type handleUnaryCall,
  type Metadata,
  type ServerUnaryCall,
  type StatusObject,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import type { Clock } from '../../../harness/core/clock.ts';
import type { Log } from '../../../harness/core/log.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import { FAILURES, type Failure, type Result } from '../failures.ts';
import type { NodeApi } from '../server/api.ts';
import { longOfId } from './int64.ts';
import type { Long, WireHeader } from './wire.ts';

/** A voter never becomes a learner, but a member that just started may not know yet what it is. */
const VOTER_IS_SURE_MS = 50;

export interface Context {
  readonly api: NodeApi;
  readonly clock: Clock;
  readonly log: Log;
  /** Of this revision, else of the store's newest; 0 says none, as etcd does here and there. */
  readonly header: (revision?: number) => WireHeader;
  /** Refuses what a learner does not serve, and those who insist on a leader when there is none. */
  readonly refusal: (metadata: Metadata, isForLearners: boolean) => Failure | undefined;
}

export function createContext(api: NodeApi, clock: Clock, log: Log): Context {
  return { api, clock, log, header: headersOf(api), refusal: refusalsOf(api, clock) };
}

function headersOf(api: NodeApi): Context['header'] {
  let cluster: string | undefined;
  let member: string | undefined;
  let clusterId: Long = { low: 0, high: 0 };
  let memberId: Long = { low: 0, high: 0 };
  return (revision) => {
    const now = api.header();
    if (now.cluster !== cluster || now.member !== member) {
      [cluster, member] = [now.cluster, now.member];
      [clusterId, memberId] = [longOfId(cluster), longOfId(member)];
    }
    const raftTerm = now.term;
    if (revision === 0) return { clusterId, memberId, raftTerm };
    return { clusterId, memberId, revision: revision ?? now.revision, raftTerm };
  };
}

function refusalsOf(api: NodeApi, clock: Clock): Context['refusal'] {
  let voterUntilMs = Number.NEGATIVE_INFINITY;
  const isLearner = (): boolean => {
    const nowMs = msFromNanos(clock.now());
    if (nowMs < voterUntilMs) return false;
    if (api.status().isLearner) return true;
    voterUntilMs = nowMs + VOTER_IS_SURE_MS;
    return false;
  };
  return (metadata, isForLearners) => {
    if (!isForLearners && isLearner()) return FAILURES.learner;
    if (requiresLeader(metadata) && api.status().leader === undefined) return FAILURES.noLeader;
    return undefined;
  };
}

/** Clients ask so by metadata: rather no answer than one of a member without a leader. */
export function requiresLeader(metadata: Metadata): boolean {
  const [value] = metadata.get('hasleader');
  return value !== undefined && value.toString().toLowerCase() === 'true';
}

export function statusOf(failure: Failure): Partial<StatusObject> {
  return { code: status[failure.status], details: failure.message };
}

/** For what no handler should do: throw. */
export function bugStatus(context: Context, where: string, error: unknown): Partial<StatusObject> {
  const stack = error instanceof Error ? error.stack : undefined;
  context.log.error('a request met a bug', { where, error: String(error), stack });
  return { code: status.INTERNAL, details: `raftkv: a bug, see the log: ${String(error)}` };
}

export type Handle<Request, Response> = (
  request: Request,
  call: ServerUnaryCall<Request, Response>,
) => Promise<Result<Response>>;

/** A handler of grpc-js that answers with the response or refuses, and never throws. */
export function unary<Request, Response>(
  context: Context,
  handle: Handle<Request, Response>,
  isForLearners: (request: Request) => boolean = () => false,
): UntypedHandleCall {
  const handler: handleUnaryCall<Request, Response> = (call, callback) => {
    const settle = async (): Promise<void> => {
      try {
        const refusal = context.refusal(call.metadata, isForLearners(call.request));
        if (refusal !== undefined) {
          callback(statusOf(refusal));
          return;
        }
        const result = await handle(call.request, call);
        if (result.ok) callback(null, result.value);
        else callback(statusOf(result.failure));
      } catch (error) {
        callback(bugStatus(context, call.getPath(), error));
      }
    };
    void settle();
  };
  return handler as UntypedHandleCall;
}
