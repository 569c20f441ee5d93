/** Every sequence there is. */
import type { CallSequence } from '../calls.ts';
import type { Sequence } from '../sequence.ts';
import { ALARM_CALLS } from './calls-alarms.ts';
import { KEY_CALLS } from './calls-keys.ts';
import { LOCK_CALLS } from './calls-locks.ts';
import { STREAM_CALLS } from './calls-streams.ts';
import { WATCH_CALLS } from './calls-watches.ts';
import { KEY_SEQUENCES } from './keys.ts';
import { LEASE_SEQUENCES } from './leases.ts';
import { LOCK_SEQUENCES } from './locks.ts';
import { MEMBER_SEQUENCES } from './members.ts';
import { PAST_SEQUENCES } from './past.ts';
import { TRANSACTION_SEQUENCES } from './transactions.ts';

/** For etcdctl. */
export const COMMANDS: readonly Sequence[] = [
  ...KEY_SEQUENCES,
  ...TRANSACTION_SEQUENCES,
  ...PAST_SEQUENCES,
  ...LEASE_SEQUENCES,
  ...LOCK_SEQUENCES,
  ...MEMBER_SEQUENCES,
];

/** For gRPC. */
export const CALLS: readonly CallSequence[] = [
  ...KEY_CALLS,
  ...STREAM_CALLS,
  ...WATCH_CALLS,
  ...LOCK_CALLS,
  ...ALARM_CALLS,
];
