/** The service Maintenance: what there is of it by now; see docs/raftkv.md for what is not. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { type Failure, failed, ok, type Result } from '../failures.ts';
import { ALARM_TYPES, type Alarm } from '../server/alarms.ts';
import type { NodeApi } from '../server/api.ts';
import { type Context, unary } from './context.ts';
import { longOfId, memberIdOf, numberOf } from './int64.ts';
import { snapshotHandler } from './snapshot.ts';
import type { Streams } from './stream.ts';
import type {
  Long,
  WireAlarm,
  WireAlarmRequest,
  WireAlarmResponse,
  WireHashKvResponse,
  WireHeaderResponse,
  WireStatusResponse,
} from './wire.ts';

/** Numbers of etcd's enum, as those of the types of alarms, which begin with `NONE`. */
const ALARM_ACTIONS = ['GET', 'ACTIVATE', 'DEACTIVATE'] as const;

export function maintenanceService(
  context: Context,
  streams: Streams,
): UntypedServiceImplementation {
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
    // Nor have these two.
    Alarm: unary<WireAlarmRequest, WireAlarmResponse>(context, async (wire) => {
      const result = await alarm(api, wire);
      return result.ok ? ok({ alarms: result.value.map(wireAlarm) }) : result;
    }),
    Defragment: unary<object, object>(context, async () => {
      const result = await api.defragment();
      return result.ok ? ok({}) : result;
    }),
    Hash: unary(context, async () => failed(notImplemented('Hash (use HashKV)'))),
    Downgrade: unary(context, async () => failed(notImplemented('Downgrade'))),
    Snapshot: snapshotHandler(context, streams),
  };
}

async function alarm(
  api: NodeApi,
  { action = 0, memberID, alarm: number = 0 }: WireAlarmRequest,
): Promise<Result<readonly Alarm[]>> {
  const type = ALARM_TYPES[number - 1];
  const member = memberIdOf(memberID);
  switch (ALARM_ACTIONS[action]) {
    case 'GET': {
      const all = await api.alarms();
      const isAsked = (each: Alarm): boolean => type === undefined || each.type === type;
      return all.ok ? ok(all.value.filter(isAsked)) : all;
    }
    case 'ACTIVATE':
      return type === undefined ? ok([]) : api.setAlarm({ member, type }, true);
    case 'DEACTIVATE':
      return type === undefined ? ok([]) : api.setAlarm({ member, type }, false);
    case undefined:
    default:
      return ok([]);
  }
}

function wireAlarm({ member, type }: Alarm): WireAlarm {
  return { memberID: longOfId(member), alarm: ALARM_TYPES.indexOf(type) + 1 };
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
