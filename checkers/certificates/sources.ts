import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { Deed } from './deeds.ts';

/** What a certificate names, looked up in the history. */
export interface Case {
  readonly roles: ReadonlyMap<string, Deed>;
  /** Every client operation of the key. */
  readonly all: readonly Deed[];
  readonly certificate: Anomaly['certificate'];
  /** What the register begins with, as JSON text. */
  readonly begin: string;
}

/**
 * Whether a value can have come into the register only once: by one operation (this one, if it is
 * given), or by being there from the start and never put there again.
 */
export function onlySource(
  { all, begin }: Pick<Case, 'all' | 'begin'>,
  value: string | undefined,
  by?: Deed,
): boolean {
  const makers = all.filter(
    ({ puts, end }) => puts !== undefined && puts === value && end !== 'failed',
  );
  if (value === begin) return makers.length === 0 && by === undefined;
  const [maker] = makers;
  if (makers.length !== 1 || maker === undefined) return false;
  return by === undefined || maker.invoke.index === by.invoke.index;
}
