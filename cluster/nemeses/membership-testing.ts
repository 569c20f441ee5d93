/** For tests of nemeses only: a list of members that every node knows at once, or does not answer. */
import { sleep } from '../../harness/core/clock.ts';
import { msFromNanos, type NodeName } from '../../harness/core/units.ts';
import type { Membership, MemberView } from '../../harness/protocols/membership.ts';
import type { NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { Outcome, RoleSample } from '../../harness/protocols/system.ts';
import { FakeCluster } from './testing.ts';

const ANSWER_MS = 10;

type Refusal = Exclude<Outcome<never>, { readonly type: 'ok' }>;

export function refusal(code: string): Refusal {
  return { type: 'fail', error: { code, definite: true } };
}

export function silence(code: string): Refusal {
  return { type: 'info', error: { code, definite: false } };
}

export class FakeMembers {
  readonly cluster: FakeCluster;
  /** `remove n1 via n2 at 30`: milliseconds of the test, when it was asked. */
  readonly asked: string[] = [];
  /** By `remove n1`: what is answered in turn instead of doing it. */
  readonly answers: Map<string, Refusal[]> = new Map();
  /** Changes that happen although nobody is told. */
  readonly happensUntold: Set<string> = new Set();
  /** Nodes whose list is not to be had. */
  readonly silent: Set<NodeName> = new Set();
  /** What they say of themselves, instead of what they are. */
  readonly roles: Map<NodeName, Partial<RoleSample>> = new Map();
  readonly #members: Map<NodeName, MemberView>;
  #ids = 0;

  constructor(size: number) {
    this.cluster = new FakeCluster(size);
    this.#members = new Map(this.cluster.nodes.map((node) => [node, this.#member(node, false)]));
  }

  /** `n1`, or `n1 (learner)`. */
  list(): string[] {
    return this.cluster.nodes.flatMap((node) => {
      const member = this.#members.get(node);
      return member === undefined ? [] : [member.isLearner ? `${node} (learner)` : node];
    });
  }

  context(seed = 1): NemesisContext {
    const ctx = this.cluster.context(seed, { membership: this.#membership() });
    const cluster = {
      ...ctx.cluster,
      roles: async () =>
        (await ctx.cluster.roles()).map((sample) => ({
          ...sample,
          ...this.roles.get(sample.node),
        })),
    };
    return { ...ctx, cluster };
  }

  #membership(): Membership {
    return {
      list: async (via) => {
        await sleep(this.cluster.clock, ANSWER_MS);
        if (this.silent.has(via)) return refusal('deadline-exceeded');
        return { type: 'ok', value: [...this.#members.values()] };
      },
      add: (node, { via, asLearner }) =>
        this.#ask(`add ${node}`, via, () => {
          this.#members.set(node, this.#member(node, asLearner));
        }),
      promote: (node, via) =>
        this.#ask(`promote ${node}`, via, () => {
          const member = this.#members.get(node);
          if (member !== undefined) this.#members.set(node, { ...member, isLearner: false });
        }),
      remove: (node, via) => this.#ask(`remove ${node}`, via, () => this.#members.delete(node)),
    };
  }

  async #ask(what: string, via: NodeName, act: () => void): Promise<Outcome<null>> {
    const { clock } = this.cluster;
    this.asked.push(`${what} via ${via} at ${Math.round(msFromNanos(clock.now()))}`);
    await sleep(clock, ANSWER_MS);
    const answer = this.answers.get(what)?.shift();
    if (answer === undefined || this.happensUntold.has(what)) act();
    return answer ?? { type: 'ok', value: null };
  }

  #member(node: NodeName, isLearner: boolean): MemberView {
    return { id: `a${++this.#ids}`, node, isLearner };
  }
}
