import { invariant, unreachable } from '../harness/core/invariant.ts';
import type { JsonValue } from '../harness/core/json.ts';
import type { Op } from '../harness/history/op.ts';
import type { Client, Completion } from '../harness/protocols/client.ts';
import type { Apis, Call, Outcome, RegisterApi } from '../harness/protocols/system.ts';

export interface RegisterTimeouts {
  readonly readMs: number;
  readonly writeMs: number;
}

/** Maps `read`, `write` and `cas` to a store's registers, one request each. */
export function registerClient(apis: Apis, timeouts: RegisterTimeouts): Client {
  const { register } = apis;
  invariant(register !== undefined, 'the system offers registers, or the workload was refused');
  return { invoke: async (op) => completionOf(op, await ask(register, op, timeouts)) };
}

function ask(
  register: RegisterApi,
  op: Op,
  timeouts: RegisterTimeouts,
): Promise<Outcome<JsonValue>> {
  const { key, value } = op;
  invariant(key !== undefined, 'register operations have a key');
  const call = (timeoutMs: number): Call =>
    op.id === undefined ? { timeoutMs } : { timeoutMs, id: op.id };
  switch (op.f) {
    case 'read':
      return register.read(key, op.mode ?? 'linearizable', call(timeouts.readMs));
    case 'write':
      return register.write(key, value, call(timeouts.writeMs));
    case 'cas': {
      invariant(Array.isArray(value) && value.length === 2, 'cas: [from, to]');
      const [from = null, to = null] = value as readonly JsonValue[];
      return register.cas(key, from, to, call(timeouts.writeMs));
    }
    default:
      throw new TypeError(`register: no operation '${op.f}'`);
  }
}

function completionOf(op: Op, outcome: Outcome<JsonValue>): Completion {
  switch (outcome.type) {
    case 'ok':
      return { ...outcome, value: op.f === 'read' ? outcome.value : op.value };
    case 'fail':
    case 'info':
      return outcome;
    default:
      return unreachable(outcome);
  }
}
