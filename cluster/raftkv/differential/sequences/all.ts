/** Every sequence there is. */
import type { CallSequence } from '../calls.ts';
import type { Sequence } from '../sequence.ts';
import { KEY_CALLS } from './calls-keys.ts';
import { STREAM_CALLS } from './calls-streams.ts';
import { KEY_SEQUENCES } from './keys.ts';
import { LEASE_SEQUENCES } from './leases.ts';
import { MEMBER_SEQUENCES } from './members.ts';
import { PAST_SEQUENCES } from './past.ts';
import { TRANSACTION_SEQUENCES } from './transactions.ts';

/** For etcdctl. */
export const COMMANDS: readonly Sequence[] = [
  ...KEY_SEQUENCES,
  ...TRANSACTION_SEQUENCES,
  ...PAST_SEQUENCES,
  ...LEASE_SEQUENCES,
  ...MEMBER_SEQUENCES,
];

/** For gRPC. */
export const CALLS: readonly CallSequence[] = [...KEY_CALLS, ...STREAM_CALLS];
