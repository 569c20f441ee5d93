/** The service Lock. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Bugs } from '../bugs.ts';
import { lock } from '../concurrency/mutex.ts';
import { failed, ok } from '../failures.ts';
import { checkDelete } from '../mvcc/validate.ts';
import type { Context } from './context.ts';
import { deleteRangeRequestOf } from './convert.ts';
import { leaseIdOf } from './int64.ts';
import type { WaitingCalls } from './waiting-calls.ts';
import type {
  WireHeaderResponse,
  WireLockRequest,
  WireLockResponse,
  WireUnlockRequest,
} from './wire.ts';

export function lockService(
  { api, header }: Context,
  calls: WaitingCalls,
  bugs: Bugs,
): UntypedServiceImplementation {
  return {
    Lock: calls.unary<WireLockRequest, WireLockResponse>(async (wire, signal) => {
      const request = { name: wire.name ?? new Uint8Array(0), lease: leaseIdOf(wire.lease) };
      const result = await lock(api, request, bugs, signal);
      if (!result.ok) return result;
      const { key, revision } = result.value;
      return ok({ header: header(revision), key });
    }),
    // Whatever key it is, there or not.
    Unlock: calls.unary<WireUnlockRequest, WireHeaderResponse>(async (wire) => {
      const request = deleteRangeRequestOf(wire);
      const wrong = checkDelete(request);
      if (wrong !== undefined) return failed(wrong);
      const result = await api.deleteRange(request);
      return result.ok ? ok({ header: header(result.value.revision) }) : result;
    }),
  };
}
