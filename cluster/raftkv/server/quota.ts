/**
 * The space quota, with etcd's two looks at it: before a request is proposed, and again when it is
 * applied, since others may have written in between. The second comes too late to undo anything, so
 * the request is done and answered with an error all the same.
 */
import { FAILURES, type Failure } from '../failures.ts';
import type { RequestOp, TxnRequest } from '../mvcc/types.ts';
import type { CommandRequest } from './command.ts';

/** etcd's estimates of what is stored beside key and value. */
const LEASE_COST = 64;
const KEY_COST = 256;

/** What a command will need of the file, as etcd estimates it; 0: it may always be done. */
export function costOf(command: CommandRequest): number {
  if (command.type === 'put') return putCost(command.request);
  if (command.type === 'txn') return txnCost(command.request);
  return command.type === 'lease-grant' ? LEASE_COST : 0;
}

function putCost({ key, value }: { readonly key: Uint8Array; readonly value: Uint8Array }): number {
  return KEY_COST + key.length + value.length;
}

/** Inner transactions cost nothing: etcd looks at the puts of the outermost one only. */
function txnCost({ success, failure }: TxnRequest): number {
  return Math.max(branchCost(success), branchCost(failure));
}

function branchCost(ops: readonly RequestOp[]): number {
  let cost = 0;
  for (const op of ops) if (op.type === 'put') cost += putCost(op.request);
  return cost;
}

/** `room`: bytes. What costs nothing may always be done: it is how room is made. */
export function fits(command: CommandRequest, room: number): boolean {
  const cost = costOf(command);
  return cost === 0 || cost < room;
}

export interface QuotaOptions {
  /** Undefined: there is no limit. */
  readonly limitBytes: number | undefined;
  /** Of the backend, with what is not committed to it yet. */
  readonly sizeBytes: () => number;
  readonly isOn: () => boolean;
  /** Resolves when this member's alarm is on, or could not be raised. */
  readonly raise: () => Promise<unknown>;
}

/** One member's: the sizes of files differ, so each raises an alarm of its own. */
export class Quota {
  readonly #options: QuotaOptions;
  #raising: Promise<unknown> | undefined;

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  /** Bytes by which the file may still grow. */
  get room(): number {
    const { limitBytes, sizeBytes } = this.#options;
    return limitBytes === undefined ? Number.POSITIVE_INFINITY : limitBytes - sizeBytes();
  }

  /** Before it is proposed: undefined when it may be; else why not, once the alarm is raised. */
  refusal(command: CommandRequest): Promise<Failure> | undefined {
    return fits(command, this.room) ? undefined : this.#refuse();
  }

  async #refuse(): Promise<Failure> {
    await this.#raise();
    return FAILURES.noSpace;
  }

  /** It was applied without room for it. Resolves when whoever asked may be told. */
  async exceeded(): Promise<void> {
    if (!this.#options.isOn()) await this.#raise();
  }

  /** Many requests find out at once: one entry of the log is enough. */
  async #raise(): Promise<void> {
    const raising = this.#raising ?? this.#options.raise();
    this.#raising = raising;
    await raising;
    if (this.#raising === raising) this.#raising = undefined;
  }
}
