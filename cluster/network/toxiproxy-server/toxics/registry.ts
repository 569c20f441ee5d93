import { bandwidth } from './bandwidth.ts';
import { cut } from './cut.ts';
import { hold } from './hold.ts';
import { latency } from './latency.ts';
import { limitData } from './limit-data.ts';
import { noop } from './noop.ts';
import { resetPeer } from './reset-peer.ts';
import { slicer } from './slicer.ts';
import { slowClose } from './slow-close.ts';
import { timeout } from './timeout.ts';
import type { ToxicKind } from './toxic.ts';

/** Every type of toxic that this server knows; `hold` and `cut` are ours. */
export const TOXICS: ReadonlyMap<string, ToxicKind> = new Map(
  [noop, latency, bandwidth, timeout, resetPeer, slowClose, slicer, limitData, hold, cut].map(
    (kind) => [kind.type, kind],
  ),
);
