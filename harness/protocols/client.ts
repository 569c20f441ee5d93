import type { JsonValue } from '../core/json.ts';
import type { Op, OpError, ServerStamp } from '../history/op.ts';

/** How an invocation ended. `value` defaults to the invocation's. */
export type Completion =
  | { readonly type: 'ok'; readonly value?: JsonValue; readonly server?: ServerStamp }
  | {
      readonly type: 'fail';
      readonly error: OpError;
      readonly value?: JsonValue;
      readonly seen?: JsonValue;
      readonly server?: ServerStamp;
    }
  | { readonly type: 'info'; readonly error: OpError; readonly value?: JsonValue };

/** Applies operations to one node, one at a time. Never retries; never throws for a store's error. */
export interface Client {
  invoke(op: Op): Promise<Completion>;
}
