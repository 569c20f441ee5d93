/** `--leave-running`: which clusters can be left, and how to reach and remove one. */
import { join } from 'node:path';
import { HarnessError } from '../harness/core/errors.ts';
import type { JsonValue } from '../harness/core/json.ts';
import type { RunConfig, RunResult } from '../harness/protocols/run.ts';
import { testDir } from '../harness/store/layout.ts';
import { clean, clipped } from '../reports/words.ts';

/** Throws `bad-option` for a cluster that ends with us, or was never ours. */
export function requireLeavable({ backend, system }: Pick<RunConfig, 'backend' | 'system'>): void {
  const why = {
    memory: `${system} lives in this process`,
    sim: 'a simulated cluster lives in this process',
    attach: 'an attached cluster is never ended',
    process: undefined,
    docker: undefined,
  }[backend];
  if (why !== undefined)
    throw new HarnessError('bad-option', `--leave-running: ${why}; leave the flag out`);
}

const ADDRESS_MAX = 200;

/** What is said of a cluster that was left: how to reach its nodes, their data, how to remove it. */
export function leftText({ manifest }: RunResult, runPath: string): string {
  const { config, cluster = {} } = manifest;
  const members = recordOf(cluster['members']);
  const width = Math.max(...config.nodes.map((node) => node.length));
  const nodes = config.nodes.map((node) => {
    const { client, clientLink } = recordOf(members[node]);
    const places = [textOf(client), textOf(clientLink)].flatMap((place, at) =>
      place === undefined ? [] : [at === 0 ? place : `through its link: ${place}`],
    );
    return `   ${node.padEnd(width)}  ${places.join('   ') || 'address unknown'}`;
  });
  const data = join(testDir(runPath, config.workload), 'nodes');
  const { latencyMs } = config;
  const between = latencyMs === undefined ? '' : ` and its ${latencyMs} ms between nodes`;
  return [
    ` The cluster of run ${manifest.run} was left running, with its faults healed${between}.`,
    ...nodes,
    ` Logs and data   ${data}`,
    ' To remove it    schism doctor --clean   (when this command has ended)',
    ` Its run is pinned, so that nothing prunes it: schism runs unpin ${manifest.run}`,
    '',
  ].join('\n');
}

function recordOf(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return value as Readonly<Record<string, JsonValue>>;
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? clipped(clean(value), ADDRESS_MAX) : undefined;
}
