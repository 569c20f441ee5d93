/** How clients reach a node: each call is a connection of its own, which no partition cuts. */
import type { VirtualClock } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import type { Log } from '../../../harness/core/log.ts';
import type { Random } from '../../../harness/core/prng.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import { type DelayDistribution, drawMs } from './delay.ts';
import type { Life } from './life.ts';
import type { Trace } from './trace.ts';

/** How a client's call ended. `refused`: the node did nothing; `lost` and `timeout`: nobody knows. */
export type CallResult<T> =
  | { readonly type: 'answer'; readonly value: T }
  | { readonly type: 'refused' }
  | { readonly type: 'lost' }
  | { readonly type: 'timeout' };

/** Who calls: a workload's client, whoever watches the cluster, or whoever operates it. */
export type Caller = 'client' | 'observer' | 'operator';

/** What clients find at a node's address. */
export type Served<Api> =
  | 'refusing'
  | 'silent'
  | {
      readonly life: Life;
      /** Undefined: it does not serve yet. */
      api(): Api | undefined;
      /** Connections of clients, each with what happens when the life ends under it. */
      readonly calls: Set<() => void>;
    };

export interface ClientLinkOptions<Api> {
  readonly node: NodeName;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly latency: DelayDistribution;
  readonly log: Log;
  readonly served: () => Served<Api>;
  readonly trace: Trace;
}

export class ClientLink<Api> {
  readonly #options: ClientLinkOptions<Api>;
  readonly #delays: Readonly<Record<Caller, Random>>;

  constructor(options: ClientLinkOptions<Api>) {
    const { random } = options;
    this.#options = options;
    this.#delays = {
      client: random,
      observer: random.fork('observer'),
      operator: random.fork('operator'),
    };
  }

  /** Never throws. After the time nobody listens, but the node may still do what it was asked. */
  call<T>(
    ask: (api: Api) => Promise<T>,
    timeoutMs: number,
    caller: Caller,
  ): Promise<CallResult<T>> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.timer(timeoutMs, () => resolve({ type: 'timeout' }));
      const delays = this.#delays[caller];
      this.#travel(delays, () => {
        this.#arrive(ask, (result) => {
          this.#travel(delays, () => {
            timer.cancel();
            resolve(result);
          });
        });
      });
    });
  }

  #arrive<T>(ask: (api: Api) => Promise<T>, reply: (result: CallResult<T>) => void): void {
    const { served, trace, node } = this.#options;
    const there = served();
    if (there === 'silent') return;
    if (there === 'refusing') {
      reply({ type: 'refused' });
      return;
    }
    const { life, calls } = there;
    const lost = (): void => reply({ type: 'lost' });
    calls.add(lost);
    life.deliver(() => {
      const api = there.api();
      trace?.(`call ${node}${api === undefined ? ' refused' : ''}`);
      const end = (result: CallResult<T>): void => {
        // Otherwise its life ended meanwhile, and the client was told so.
        if (calls.delete(lost)) reply(result);
      };
      if (api === undefined) {
        end({ type: 'refused' });
        return;
      }
      ask(api).then(
        (value) => end({ type: 'answer', value }),
        (error: unknown) => {
          const message = messageOf(error);
          this.#options.log.error('a call to a simulated node threw', { node, error: message });
          end({ type: 'lost' });
        },
      );
    });
  }

  #travel(delays: Random, arrive: () => void): void {
    const { clock, latency } = this.#options;
    clock.timer(drawMs(latency, delays), arrive);
  }
}
