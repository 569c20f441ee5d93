/** What a run left on disk, read back by the tests that look into it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { NodeName } from '../harness/core/units.ts';
import type { History } from '../harness/history/history.ts';
import { readHistory } from '../harness/history/jsonl.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import type { EvidenceDetails, FaultBand, ReadModesDetails } from '../harness/protocols/details.ts';
import type { RunResult } from '../harness/protocols/run.ts';
import type { RoleSample } from '../harness/protocols/system.ts';
import { findLeftovers, type Leftover } from '../harness/runner/sweep.ts';
import { storedHistory } from '../harness/store/store.ts';
import type { Sandbox } from './cli-testing.ts';

export interface Stored {
  readonly dir: string;
  readonly result: RunResult;
  readonly history: History;
}

/** The only run of a sandbox. */
export async function stored(box: Sandbox): Promise<Stored> {
  const dir = await box.runDir();
  const result = JSON.parse(await readFile(join(dir, 'results.json'), 'utf8')) as RunResult;
  const { history } = await readHistory(storedHistory(dir, result.manifest.config.workload));
  return { dir, result, history };
}

/** Of this sandbox's run: what others left on the machine is none of it. */
export async function leftProcesses(box: Sandbox): Promise<readonly Leftover[]> {
  const { run } = JSON.parse(await readFile(join(await box.runDir(), 'run.json'), 'utf8')) as {
    readonly run: string;
  };
  return findLeftovers().filter((leftover) => leftover.run === run);
}

export function check({ result }: Stored, name: string): CheckResult {
  const found = result.checks.find(({ checker }) => checker === name);
  expect.assert(found !== undefined, `no checker ${name}`);
  return found;
}

export function evidenceOf(run: Stored): EvidenceDetails {
  return check(run, 'evidence').details as unknown as EvidenceDetails;
}

export function readModeRows(run: Stored): ReadModesDetails['modes'] {
  return (check(run, 'read-modes').details as unknown as ReadModesDetails).modes;
}

/** Nodes that say they lead while the band lasts, with the newest term each. */
export function leadersDuring({ history }: Stored, band: FaultBand): Map<NodeName, number> {
  const leaders = new Map<NodeName, number>();
  for (const { f, time, value } of history.observations()) {
    if (f !== 'roles' || time < band.beginNanos || time > (band.endNanos ?? Infinity)) continue;
    for (const { node, role, term = 0 } of value as unknown as readonly RoleSample[])
      if (role === 'leader') leaders.set(node, term);
  }
  return leaders;
}

/** When it was asked to end: what the probe then saw comes a good while after. */
function undoAsked({ history }: Stored, { lane, id, endNanos = Infinity }: FaultBand): number {
  const asked = [...history.faults()].filter(
    (op) => op.type === 'invoke' && op.lane === lane && op.id === id,
  );
  return asked[1]?.time ?? endNanos;
}

/** Between the moments when a cut surely held. */
const MARGIN_NANOS = 50e6;

/**
 * Asserts of a run of n1, n2 and n3 whose faults cut off the leader `out`, `in` and `both`: exactly
 * those links measured cut, another node led, and the old leader acknowledged no write meanwhile.
 */
export function expectLeaderCutOff(run: Stored, bands: readonly FaultBand[]): void {
  expect(bands.map(({ result }) => result)).toEqual(['installed', 'installed', 'installed']);
  for (const [at, band] of bands.entries()) {
    const [leader = ''] = band.targets;
    const others = ['n1', 'n2', 'n3'].filter((node) => node !== leader);
    const outward = others.map((node) => `${leader}>${node}`);
    const inward = others.map((node) => `${node}>${leader}`);
    const expected = [outward, inward, [...outward, ...inward]][at] ?? [];
    expect([...(band.cut ?? [])].toSorted()).toEqual(expected.toSorted());
    const leaders = leadersDuring(run, band);
    expect(others.some((node) => leaders.has(node))).toBe(true);
    for (const { invoke, completion } of run.history.operations()) {
      if (invoke.node !== leader || invoke.f !== 'write' || completion?.type !== 'ok') continue;
      const began = invoke.time > band.beginNanos + MARGIN_NANOS;
      const ended = completion.time < undoAsked(run, band) - MARGIN_NANOS;
      expect({ acknowledgedDuringTheCut: began && ended ? completion : undefined }).toEqual({});
    }
  }
}
