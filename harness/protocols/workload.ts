import type { Random } from '../core/prng.ts';
import type { NodeName } from '../core/units.ts';
import type { Generator, Offer } from '../generator/generator.ts';
import type { ReadMode } from '../history/op.ts';
import type { Checker } from './checker.ts';
import type { Client } from './client.ts';
import type { Apis, Capability } from './system.ts';

/** The options every workload shares, resolved from flags and configuration. */
export interface WorkloadOptions {
  readonly clients: number;
  readonly nodes: readonly NodeName[];
  /** Operations per second over all clients; 0: as fast as they go. */
  readonly rate: number;
  readonly clientTimeoutMs: number;
  /** As of the run: timeouts of a workload's own allow for it. */
  readonly latencyMs?: number;
  readonly readModes: readonly ReadMode[];
  /** What the system can do, so that more is asked where more can be answered. */
  readonly capabilities: readonly Capability[];
  /** The workload's own options, checked by its `options`. */
  readonly own: Readonly<Record<string, string>>;
}

export interface WorkloadInstance {
  /** Endless: the runner ends it when the time is over. Client threads only. */
  readonly main: Generator;
  /** Finite: reads back every key that the history names, after heal and recovery. */
  final(keys: readonly string[]): Generator;
  /** One operation that shows that a node serves; repeated per node until ok, in `recover`. */
  readonly probe: Pick<Offer, 'f' | 'key' | 'value' | 'mode'>;
  client(apis: Apis): Client;
  /** Functions that it alone asks of the whole store, where several workloads share a cluster. */
  readonly asks?: readonly string[];
}

/** What is asked, and which checkers judge it: one file. */
export interface Workload {
  readonly name: string;
  readonly summary: string;
  /** How many workloads share its clients, where it is made of several; absent: it is one. */
  readonly parts?: number;
  readonly needs: readonly Capability[];
  /** The read modes that it asks in; a run may choose among them. */
  readonly readModes: readonly ReadMode[];
  readonly options: Readonly<Record<string, string>>;
  build(options: WorkloadOptions, random: Random): WorkloadInstance;
  /** Rebuilt from stored options alone, so that any stored history can be judged again. */
  checkers(options: WorkloadOptions): readonly Checker[];
}
