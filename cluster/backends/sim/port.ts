/** Where one life of a node meets the network. */
import type { NodeName } from '../../../harness/core/units.ts';
import type { Life } from './life.ts';
import type { SimNet } from './program.ts';

/** What a port needs of the network. */
export interface Wires {
  readonly nodes: readonly NodeName[];
  send(from: Port, to: NodeName, message: unknown): boolean;
}

/** Handlers belong to a life: a new one starts with none, and hears nothing before it sets them. */
export class Port implements SimNet {
  readonly life: Life;
  readonly nodes: readonly NodeName[];
  readonly #wires: Wires;
  #receive: ((from: NodeName, message: unknown) => void) | undefined;
  #broken: ((peer: NodeName) => void) | undefined;

  constructor(life: Life, wires: Wires) {
    this.life = life;
    this.nodes = wires.nodes;
    this.#wires = wires;
  }

  send(to: NodeName, message: unknown): boolean {
    return !this.life.isDead && this.#wires.send(this, to, message);
  }

  receive(handler: (from: NodeName, message: unknown) => void): void {
    this.#receive = handler;
  }

  broken(handler: (peer: NodeName) => void): void {
    this.#broken = handler;
  }

  /** One batch is one event: what its first message changes, the second one finds. */
  arrive(from: NodeName, messages: readonly unknown[]): void {
    this.life.deliver(() => {
      for (const message of messages) this.#receive?.(from, message);
    });
  }

  tellBroken(peer: NodeName): void {
    this.life.deliver(() => this.#broken?.(peer));
  }
}
