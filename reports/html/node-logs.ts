/** Lines that nodes wrote, on the clock of the run. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunManifest } from '../../harness/protocols/run.ts';
import { clean, clipped } from '../words.ts';
import type { PageLogLine, PageViolation } from './page-format.ts';

/** What one node wrote; `time` of its lines is microseconds since the start of the run. */
export interface NodeLog {
  readonly node: string;
  readonly lines: readonly PageLogLine[];
  /** Lines that say no time. */
  readonly left: number;
}

const LINES_MAX = 2000;
/** Of a longer file the end is read. */
const BYTES_MAX = 64e6;
const TEXT_MAX = 400;

/** All files that end in `.log` below `<testDir>/nodes/<node>`; no folder is no log. */
export async function readNodeLogs(
  testDir: string,
  manifest: RunManifest,
): Promise<readonly NodeLog[]> {
  const logs: NodeLog[] = [];
  for (const node of manifest.config.nodes) {
    const dir = join(testDir, 'nodes', node);
    const names = (await readdir(dir).catch(() => [])).filter((name) => name.endsWith('.log'));
    // A log that cannot be read must not cost the report.
    for (const name of names.toSorted())
      logs.push(...(await readLog(join(dir, name), node, originOf(manifest)).catch(() => [])));
  }
  return logs;
}

/** Milliseconds since 1970 at which the run's clock said 0; simulated nodes count from 1970. */
function originOf({ config, startedAt }: RunManifest): number {
  const started = config.backend === 'sim' ? 0 : Date.parse(startedAt);
  return Number.isFinite(started) ? started : 0;
}

async function readLog(path: string, node: string, originMs: number): Promise<readonly NodeLog[]> {
  await using file = await open(path);
  const { size } = await file.stat();
  const buffer = Buffer.alloc(Math.min(size, BYTES_MAX));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
  const texts = buffer.toString('utf8', 0, bytesRead).trimEnd().split(/\r?\n/);
  const lines = texts.flatMap((text) => logLine(text, node, originMs) ?? []);
  return [{ node, lines, left: texts.length - lines.length }];
}

/**
 * A line of zap's or pino's JSON, or one that begins with an ISO time; undefined when it says no
 * time.
 */
export function logLine(text: string, node: string, originMs: number): PageLogLine | undefined {
  const parsed = text.startsWith('{') ? jsonLine(text) : plainLine(text);
  if (parsed === undefined || !Number.isFinite(parsed.atMs)) return undefined;
  return {
    time: Math.round((parsed.atMs - originMs) * 1000),
    source: clean(node),
    level: clipped(clean(parsed.level), 10),
    text: clipped(clean(parsed.text), TEXT_MAX),
  };
}

interface ParsedLine {
  readonly atMs: number;
  readonly level: string;
  readonly text: string;
}

function jsonLine(text: string): ParsedLine | undefined {
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
  const { level, ts, time, msg, caller: _, ...rest } = fields;
  const at = ts ?? time;
  const others = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return {
    atMs: timeOf(at),
    level: typeof level === 'string' ? level : '',
    text: [typeof msg === 'string' ? msg : '', ...others].join(' '),
  };
}

/** zap writes an ISO time or seconds, pino milliseconds. */
function timeOf(at: unknown): number {
  if (typeof at === 'string') return isoTime(at);
  if (typeof at !== 'number') return Number.NaN;
  return at < 1e11 ? at * 1000 : at;
}

/** A time without a zone is taken as UTC; a zone may stand without its colon. */
function isoTime(text: string): number {
  const [, day, time, zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:?\d\d)?/.exec(text) ?? [];
  if (day === undefined || time === undefined) return Number.NaN;
  const seconds = Date.parse(`${day}T${time.slice(0, 8)}${zone.replace(/(\d\d)(\d\d)$/, '$1:$2')}`);
  return seconds + Number(`0${time.slice(8)}`) * 1000;
}

function plainLine(text: string): ParsedLine | undefined {
  const word = /^\S+(?: \d\d:\S+)?/.exec(text)?.[0] ?? '';
  const atMs = isoTime(word);
  return Number.isFinite(atMs)
    ? { atMs, level: '', text: text.slice(word.length).trim() }
    : undefined;
}

/** The lines nearest to violations, or the last ones of a run without: as many as a page can hold. */
export function linesAround(
  logs: readonly NodeLog[],
  violations: readonly PageViolation[],
): { readonly lines: readonly PageLogLine[]; readonly left: number } {
  const all = logs.flatMap(({ lines }) => lines).toSorted((a, b) => a.time - b.time);
  const untimed = logs.reduce((sum, { left }) => sum + left, 0);
  if (all.length <= LINES_MAX) return { lines: all, left: untimed };
  const moments = violations.slice(0, 5).map(({ to }) => to);
  const distance = ({ time }: PageLogLine): number =>
    moments.length === 0 ? -time : Math.min(...moments.map((moment) => Math.abs(time - moment)));
  const nearest = all.toSorted((a, b) => distance(a) - distance(b)).slice(0, LINES_MAX);
  const lines = nearest.toSorted((a, b) => a.time - b.time);
  return { lines, left: untimed + all.length - lines.length };
}
