import type { Property } from './property.ts';

const REFUSED = 'no workload asks for leases yet, so that none can expire';

/** A lease ran out in time, with nobody to keep it alive. */
export const leaseExpired: Property = {
  name: 'lease-expired',
  advice: 'there is nothing to change yet',
  refused: REFUSED,
  find: () => ({ nothing: REFUSED }),
};
