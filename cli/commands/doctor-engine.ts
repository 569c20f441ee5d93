/** What `schism doctor` says of the container engine. */
import {
  countText,
  type Found,
  findMade,
  isOrphan,
  removeMade,
} from '../../cluster/backends/docker/cleanup.ts';
import { callEngine, type Engine, openEngine } from '../../cluster/backends/docker/engine.ts';
import { inspectImage } from '../../cluster/backends/docker/images.ts';
import { isStale } from '../../cluster/backends/docker/images-stale.ts';
import { RECIPES } from '../../cluster/backends/docker/images-table.ts';
import { type Clock, realClock } from '../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { Shell } from '../program.ts';

/** `good` lines are what works here. */
export type Line = (good: boolean, text: string) => unknown;

/** As much of what an engine says of itself as faults need. See the API: `GET /info`. */
interface EngineInfo {
  readonly OSType?: string;
  readonly Architecture?: string;
  readonly CgroupVersion?: string;
  readonly SecurityOptions?: readonly string[];
  readonly CpuCfsQuota?: boolean;
  readonly MemoryLimit?: boolean;
  readonly SwapLimit?: boolean;
}

/** True when nothing of a dead run is left; no engine at all is as good. */
export async function describeEngine(
  shell: Shell,
  clean: boolean,
  line: Line,
  open: typeof openEngine = openEngine,
): Promise<boolean> {
  const clock = realClock();
  try {
    const engine = await open(shell.env);
    await describeAbilities(shell, engine, clock, line);
    return await describeMade(shell, engine, clock, { clean, line });
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    line(false, messageOf(error));
    return true;
  }
}

async function describeAbilities(
  shell: Shell,
  engine: Engine,
  clock: Clock,
  line: Line,
): Promise<void> {
  const info = (await callEngine(clock, 'ask what it can', () =>
    engine.docker.info(),
  )) as EngineInfo;
  const isRootless = info.SecurityOptions?.some((option) => option.includes('rootless')) === true;
  const how = [
    `${info.OSType}/${info.Architecture}`,
    `cgroup v${info.CgroupVersion ?? '1'}`,
    ...(isRootless ? ['rootless'] : []),
    engine.isLocal ? 'containers are reached directly' : `ports are reached at ${engine.host}`,
  ];
  line(true, `container engine ${engine.version}: ${how.join(', ')}`);
  const limits: readonly (readonly [string, boolean | undefined])[] = [
    ['cpu', info.CpuCfsQuota],
    ['memory', info.MemoryLimit],
    ['swap', info.SwapLimit],
  ];
  const names = (can: boolean): string =>
    limits.flatMap(([name, has]) => (Boolean(has) === can ? [name] : [])).join(', ');
  shell.out(`       limits: ${names(true) || 'none'}`);
  shell.out(names(false) === '' ? '\n' : ` (not: ${names(false)})\n`);
  for (const { tag } of RECIPES) {
    const image = await inspectImage(engine, tag, clock);
    const state =
      image === undefined ? 'not built' : isStale(tag, image.labels) ? 'stale' : 'built';
    shell.out(`       ${tag}: ${state}${state === 'built' ? '' : ' (schism images build)'}\n`);
  }
}

async function describeMade(
  shell: Shell,
  engine: Engine,
  clock: Clock,
  { clean, line }: { readonly clean: boolean; readonly line: Line },
): Promise<boolean> {
  const left = (await findMade(engine, clock)).filter(isOrphan);
  if (left.length === 0) {
    line(true, 'nothing was left on it by a run of this machine');
    return true;
  }
  for (const found of left) shell.out(`       ${describe(found)}\n`);
  if (!clean) {
    line(false, `${countText(left)} of dead runs are still there: schism doctor --clean`);
    return false;
  }
  const stuck = await removeMade(engine, left, clock);
  line(stuck.length === 0, `removed ${left.length - stuck.length} of ${countText(left)}`);
  for (const { found, why } of stuck) shell.out(`       still there: ${describe(found)}: ${why}\n`);
  return stuck.length === 0;
}

function describe({ kind, name, run, state }: Found): string {
  return `${kind} ${name}${state === undefined ? '' : ` (${state})`} of run ${run}`;
}
