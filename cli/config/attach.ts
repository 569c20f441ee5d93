import { HarnessError } from '../../harness/core/errors.ts';
import { suggest } from '../../harness/core/suggest.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { AttachConfig } from './config.ts';

/** What etcd starts with when it is not told otherwise. */
const USUAL_TIMING = { heartbeat: '100ms', election: '1s' } as const;

export interface AttachedRun {
  readonly nodes: readonly NodeName[];
  /** How the cluster was started, as far as a run must know. */
  readonly systemOptions: Readonly<Record<string, string>>;
}

/**
 * What a run on a cluster is that is there already. `options` are those of the command line: only what
 * the cluster was started with can be told, nothing be changed. Throws `bad-option`.
 */
export function attachedRun(
  attach: AttachConfig | undefined,
  flags: {
    readonly nodes?: string;
    readonly bug?: string;
    readonly options: Readonly<Record<string, string>>;
  },
): AttachedRun {
  if (attach === undefined)
    bad("--backend: 'attach' needs --config FILE with `attach`, which says where the nodes are");
  const nodes = Object.keys(attach.nodes);
  if (nodes.length === 0) bad('--backend: `attach` in the config names no nodes');
  const asked = flags.nodes?.split(',') ?? nodes;
  if (asked.toSorted().join() !== nodes.toSorted().join())
    bad(`--nodes: the cluster has those that the config names: ${nodes.join(',')}`);
  if (flags.bug !== undefined) bad('--bug: the cluster runs already; start it with the bug');
  const known = Object.keys(USUAL_TIMING);
  const other = Object.keys(flags.options).find((name) => !known.includes(name));
  if (other !== undefined)
    bad(
      `--system-option: '${other}' is for clusters that are started; ` +
        `of one that runs already it can be told: ${known.join(', ')}${suggest(other, known)}`,
    );
  return {
    nodes,
    systemOptions: { ...USUAL_TIMING, ...attach.timing, ...flags.options },
  };
}

function bad(message: string): never {
  throw new HarnessError('bad-option', message);
}
