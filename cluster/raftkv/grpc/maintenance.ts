/** The service Maintenance: what there is of it by now; see docs/raftkv.md for what is not. */
import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { type Failure, failed, ok } from '../failures.ts';
import { type Context, statusOf, unary } from './context.ts';
import { longOfId, memberIdOf, numberOf } from './int64.ts';
import type { Long, WireHashKvResponse, WireHeaderResponse, WireStatusResponse } from './wire.ts';

const ALARM_ACTIVATE = 1;

export function maintenanceService(context: Context): UntypedServiceImplementation {
  const { api, header } = context;
  return {
    Status: unary<object, WireStatusResponse>(
      context,
      async () => ok(statusResponse(context)),
      () => true,
    ),
    HashKV: unary<{ readonly revision?: Long }, WireHashKvResponse>(context, async (wire) => {
      const result = await api.hashKv(numberOf(wire.revision));
      if (!result.ok) return result;
      const { hash, compactRevision, revision } = result.value;
      return ok({ header: header(revision), hash, compactRevision });
    }),
    // etcd's answer to this one has no header.
    MoveLeader: unary<{ readonly targetID?: Long }, WireHeaderResponse>(context, async (wire) => {
      const result = await api.moveLeader(memberIdOf(wire.targetID));
      return result.ok ? ok({}) : result;
    }),
    // Nothing raises an alarm yet, so there is none to list or to take back. No header either.
    Alarm: unary<{ readonly action?: number }, WireHeaderResponse>(context, async ({ action }) =>
      action === ALARM_ACTIVATE ? failed(notImplemented('alarms')) : ok({}),
    ),
    Defragment: unary(context, async () => failed(notImplemented('Defragment'))),
    Hash: unary(context, async () => failed(notImplemented('Hash (use HashKV)'))),
    Downgrade: unary(context, async () => failed(notImplemented('Downgrade'))),
    Snapshot: (call: ServerWritableStream<object, object>) => {
      call.emit('error', statusOf(notImplemented('Snapshot')));
    },
  };
}

function statusResponse({ api, header }: Context): WireStatusResponse {
  const status = api.status();
  return {
    header: header(),
    version: status.version,
    dbSize: status.dbSize,
    dbSizeInUse: status.dbSizeInUse,
    leader: status.leader === undefined ? undefined : longOfId(status.leader),
    raftIndex: status.raftIndex,
    raftTerm: status.raftTerm,
    raftAppliedIndex: status.raftApplied,
    errors: status.errors,
    isLearner: status.isLearner,
  };
}

function notImplemented(what: string): Failure {
  return { status: 'UNIMPLEMENTED', message: `raftkv does not implement ${what}` };
}
