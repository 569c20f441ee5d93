import { createReadStream } from 'node:fs';
import { messageOf, systemCodeOf } from '../harness/core/errors.ts';
import type { Anomaly, CheckContext, Checker, CheckResult } from '../harness/protocols/checker.ts';
import type { LogPatternDetails } from '../harness/protocols/details.ts';
import { counted, listed } from './text.ts';

export interface LogPatternOptions {
  /** Lines to look for, besides those of a crash. */
  readonly patterns?: readonly RegExp[];
  /** Lines that match one of these are fine, besides those of members that come and go. */
  readonly ignore?: readonly RegExp[];
}

type Match = LogPatternDetails['matches'][number];
type NodeLog = CheckContext['logs'][number];

/** How a Go process, a zap logger or etcd's old log format says that it cannot go on. */
const CRASHES: readonly RegExp[] = [
  /\bpanic: /,
  /"level":"(?:fatal|panic)"/,
  /^\[?signal SIG/,
  /\bfatal error: /,
  /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ C \| /,
];

/**
 * How members end when those who belong to the cluster change, in the words of a crash: etcd 3.4, when
 * it serves one more request after its removal; etcd and raftkv, when they were added and nobody
 * was there who let them in.
 */
const NO_CRASHES: readonly RegExp[] = [
  /\bfailed to find local ID in cluster members\b/,
  /\bcannot fetch cluster info from peer urls\b/,
  /\berror validating peerURLs\b/,
  /\bcannot go on: (?:no member (?:of the cluster answered|with the peer URLs)|of \d+ members)\b/,
  // A full disk is the machine's: whoever promises nothing more then does as it should.
  /\bno space left on device\b|\bENOSPC\b/,
];

const LINE_MAX = 16_384;
const QUOTED_MAX = 400;
const MATCHES_PER_LOG_MAX = 20;
const LOG_BYTES_MAX = 512 * 2 ** 20;

/** Did a node crash, by its own words? Their logs are data: quoted, never believed to be ours. */
export function logPattern(options: LogPatternOptions = {}): Checker {
  const patterns = [...CRASHES, ...(options.patterns ?? [])].map(stateless);
  const ignore = [...NO_CRASHES, ...(options.ignore ?? [])].map(stateless);
  const patternOf = (line: string): RegExp | undefined =>
    ignore.some((pattern) => pattern.test(line))
      ? undefined
      : patterns.find((pattern) => pattern.test(line));
  return { name: 'log-pattern', check: (_, ctx) => checkLogs(ctx.logs, patternOf) };
}

/** A pattern with the flag g or y remembers where it matched last. */
function stateless(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, ''));
}

async function checkLogs(
  logs: readonly NodeLog[],
  patternOf: (line: string) => RegExp | undefined,
): Promise<CheckResult> {
  const anomalies: Anomaly[] = [];
  const matches: Match[] = [];
  const notes: string[] = [];
  let lines = 0;
  for (const log of logs) {
    const read = await readLog(log, patternOf);
    lines += read.lines;
    notes.push(...read.notes);
    for (const { match, pattern } of read.found) {
      matches.push(match);
      anomalies.push(anomalyOf(match, pattern));
    }
  }
  const covered =
    logs.length === 0
      ? 'no logs'
      : `${counted(lines, 'line')} of ${counted(logs.length, 'log')}` +
        (notes.length === 0 ? '' : `; ${listed(notes)}`);
  return {
    checker: 'log-pattern',
    verdict: anomalies.length > 0 ? 'invalid' : 'valid',
    anomalies,
    covered,
    details: { matches, notes } as unknown as CheckResult['details'],
  };
}

function anomalyOf(match: Match, pattern: RegExp): Anomaly {
  const { node, line, text } = match;
  return {
    kind: 'crash-in-log',
    ops: [],
    certificate: { node, line, text, pattern: pattern.source, flags: pattern.flags },
    explanation: `Line ${line} of the log of ${node} says that it crashed: ${JSON.stringify(text)}`,
  };
}

interface LogRead {
  readonly lines: number;
  readonly found: readonly { readonly match: Match; readonly pattern: RegExp }[];
  readonly notes: readonly string[];
}

/** Streams a log; a log that cannot be read is a note, since its node may never have started. */
async function readLog(
  { node, path }: NodeLog,
  patternOf: (line: string) => RegExp | undefined,
): Promise<LogRead> {
  const found: { match: Match; pattern: RegExp }[] = [];
  const notes: string[] = [];
  let lines = 0;
  try {
    for await (const line of linesOf(path)) {
      lines++;
      const pattern = patternOf(line);
      if (pattern === undefined) continue;
      found.push({ match: { node, line: lines, text: quoted(line, pattern) }, pattern });
      if (found.length < MATCHES_PER_LOG_MAX) continue;
      notes.push(`the log of ${node} has more matches than are told`);
      break;
    }
  } catch (error) {
    notes.push(
      systemCodeOf(error) === 'ENOENT'
        ? `${node} has no log`
        : `the log of ${node} could not be read: ${messageOf(error)}`,
    );
  }
  return { lines, found, notes };
}

/** The line, or of a long one the part that matched. */
function quoted(line: string, pattern: RegExp): string {
  if (line.length <= QUOTED_MAX) return line;
  const from = Math.max(0, (pattern.exec(line)?.index ?? 0) - 20);
  return line.slice(from, from + QUOTED_MAX);
}

/** The lines of a file; of a longer line its beginning, of a longer file its beginning. */
export async function* linesOf(path: string): AsyncGenerator<string, void, undefined> {
  const stream = createReadStream(path, { encoding: 'utf8', end: LOG_BYTES_MAX });
  let line = '';
  for await (const chunk of stream as AsyncIterable<string>) {
    const parts = chunk.split('\n');
    const last = parts.pop() ?? '';
    for (const part of parts) {
      yield (line + part).slice(0, LINE_MAX);
      line = '';
    }
    if (line.length < LINE_MAX) line += last;
  }
  if (line !== '') yield line.slice(0, LINE_MAX);
}
