/** Restores backups of raftkv in this process, on virtual time: one member on a disk in memory. */
import type { Clock } from '../../harness/core/clock.ts';
import { withDeadline } from '../../harness/core/deadline.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import { silentLog } from '../../harness/core/log.ts';
import type { Random } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Reply } from '../etcd-api/client.ts';
import { type RestorePlan, restoreBackup } from '../raftkv/backup/restore.ts';
import type { Result } from '../raftkv/failures.ts';
import type { NodeConfig } from '../raftkv/server/config.ts';
import { startNode } from '../raftkv/server/node.ts';
import type { Transport } from '../raftkv/server/transport.ts';
import { MemoryDisk } from '../raftkv/storage/memory-disk.ts';
import type { Restoration, Restorer } from './member-admin.ts';
import { errorOf, hashKv, range } from './raftkv-sim-client.ts';

export interface SimRestorerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Of a cluster of this one node. */
  readonly config: (node: NodeName) => NodeConfig;
}

/** Disposing of it ends what is under way. */
export class SimRestorer implements Restorer, AsyncDisposable {
  readonly #options: SimRestorerOptions;
  #count = 0;
  #current: Restoration | undefined;

  constructor(options: SimRestorerOptions) {
    this.#options = options;
  }

  begin(node: NodeName): Restoration | undefined {
    if (this.#current !== undefined) return undefined;
    const number = ++this.#count;
    const config = { ...this.#options.config(node), token: `restored-${number}` };
    const random = this.#options.random.fork(`${number}`);
    this.#current = restoration({ ...this.#options, random }, config, () => {
      this.#current = undefined;
    });
    return this.#current;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current?.[Symbol.asyncDispose]();
  }
}

function restoration(
  { clock, random }: Pick<SimRestorerOptions, 'clock' | 'random'>,
  config: NodeConfig,
  ended: () => void,
): Restoration {
  const owned = new AsyncDisposableStack();
  owned.defer(ended);
  const pieces: Uint8Array[] = [];
  return {
    take: (piece) => {
      pieces.push(piece);
    },
    restore: async (timeoutMs) => {
      const disk = new MemoryDisk();
      await restoreOn(disk, Buffer.concat(pieces), config);
      const node = owned.use(
        await startNode(config, {
          clock,
          log: silentLog,
          random,
          disk,
          openTransport: () => Promise.resolve(alone),
          findCluster: () => Promise.reject(new HarnessError('unsupported', 'it joins nobody')),
        }),
      );
      await withDeadline(clock, timeoutMs, 'start the restored member', node.serving);
      const { api } = node;
      return {
        range: (request) => answered(range(api, request)),
        hashKV: (_timeoutMs, revision = '0') => answered(hashKv(api, revision)),
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Whatever goes wrong is the backup's fault: there is no machine that could be. */
async function restoreOn(disk: MemoryDisk, backup: Uint8Array, config: NodeConfig): Promise<void> {
  const { name, initialCluster, token, bugs } = config;
  const plan: RestorePlan = {
    name,
    initialCluster,
    token,
    ...(bugs !== undefined && { bugs }),
  };
  try {
    await restoreBackup(disk, backup, plan);
  } catch (error) {
    throw new HarnessError('bad-input', messageOf(error), { cause: error });
  }
}

const alone: Transport = {
  setPeers: () => undefined,
  send: () => undefined,
  call: () => Promise.resolve(undefined),
  activeSinceMs: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** As a reply without a wire: nothing of it is lost. */
async function answered<T>(result: Promise<Result<T>>): Promise<Reply<T>> {
  const settled = await result;
  return settled.ok
    ? { ok: true, value: settled.value }
    : { ok: false, error: errorOf(settled.failure) };
}
