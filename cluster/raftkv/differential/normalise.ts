/** Takes out of an output what no two clusters share, and leaves all else as it is. */
import type { Names } from './names.ts';

/** A remaining time is rounded down, and some of it has passed: this many seconds are allowed. */
const PASSED_SECONDS_MAX = 30;
const BYTES_SHOWN = 100;

/** Of one field, by its name: how a value that says nothing is written. */
const MEANINGLESS: Readonly<Record<string, string>> = {
  raft_term: '<term>',
  raftTerm: '<term>',
  raftIndex: '<index>',
  raftAppliedIndex: '<index>',
  dbSize: '<size>',
  dbSizeInUse: '<size>',
  took: '<time>',
};

/**
 * The keys of a lease are in no order, not even in two answers of one server. Leases come from
 * etcd's leader in the order in which they will expire, from its followers in none.
 */
const SETS: readonly string[] = ['keys', 'leases'];

/** What etcdctl wrote to stdout. `unordered`: lines and members are sorted once they have names. */
export function normaliseOutput(text: string, names: Names, unordered: boolean): string {
  const lines = sortedKeys(withoutRemaining(text).split('\n')).map((line) =>
    normaliseLine(line, names, unordered),
  );
  return (unordered ? lines.map(sortedCluster).toSorted() : lines).join('\n');
}

/**
 * What etcdctl wrote to stderr: the errors. Its client logs each attempt and the number of attempts
 * depends on time, so the same attempt is kept once.
 */
export function normaliseErrors(text: string, names: Names, unordered: boolean): string {
  const lines = text.split('\n').map((line) => {
    const logged = asJson(line);
    if (!isFields(logged)) return normaliseText(line, names);
    return names.inText(`logged: ${String(logged['msg'])}: ${String(logged['error'])}`);
  });
  const kept = lines.filter((line, at) => line !== lines[at - 1] || !line.startsWith('logged'));
  return (unordered ? kept.toSorted() : kept).join('\n');
}

/** A message of the API, or any other plain value; bytes are shown as text. */
export function normaliseValue(value: unknown, names: Names, unordered = false): unknown {
  if (value instanceof Uint8Array) return names.inText(bytesText(value));
  if (Array.isArray(value)) return value.map((each) => normaliseValue(each, names, unordered));
  if (typeof value === 'bigint') return names.id(value);
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && names.isId(BigInt(value))
      ? names.id(BigInt(value))
      : value;
  if (typeof value === 'string') return names.inText(value);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, each]) => [
    name,
    normaliseField(name, each, names, unordered),
  ]);
  return withoutPassedTime(Object.fromEntries(fields) as Record<string, unknown>);
}

function normaliseField(name: string, value: unknown, names: Names, unordered: boolean): unknown {
  const meaningless = MEANINGLESS[name];
  if (meaningless !== undefined) return meaningless;
  if (name === 'hash') return names.hash(String(value));
  // A version of a key is a number, or decimal digits.
  if (name === 'version' && typeof value === 'string' && value.includes('.')) return '<version>';
  const normal = normaliseValue(value, names, unordered);
  const isSet = SETS.includes(name) || (name === 'members' && unordered);
  return Array.isArray(normal) && isSet ? sorted(normal) : normal;
}

function withoutPassedTime(fields: Record<string, unknown>): Record<string, unknown> {
  for (const granted of ['granted-ttl', 'grantedTTL']) {
    const ttl = granted === 'grantedTTL' ? 'TTL' : 'ttl';
    if (isPassed(fields[ttl], fields[granted])) fields[ttl] = '<remaining>';
  }
  return fields;
}

function isPassed(remaining: unknown, granted: unknown): boolean {
  const passed = Number(granted) - Number(remaining);
  return Number(remaining) >= 0 && passed >= 0 && passed <= PASSED_SECONDS_MAX;
}

function normaliseLine(line: string, names: Names, unordered: boolean): string {
  const parsed = asJson(line);
  if (isFields(parsed) || Array.isArray(parsed)) {
    const normal = normaliseValue(parsed, names, unordered);
    return JSON.stringify(unordered && Array.isArray(normal) ? sorted(normal) : normal);
  }
  return normaliseText(line, names);
}

function sorted(values: readonly unknown[]): unknown[] {
  const texts = values.map((each) => ({ each, text: JSON.stringify(each) }));
  return texts.toSorted((a, b) => (a.text < b.text ? -1 : 1)).map(({ each }) => each);
}

const FIELD_LINES: readonly (readonly [RegExp, string])[] = [
  [/^"(RaftTerm|RaftIndex|RaftAppliedIndex|DBSize|DBSizeInUse)" : \d+$/, '"$1" : <number>'],
  [/^"Version" : "\d.*"$/, '"Version" : <version>'],
  [/took = [\d.]+[µnm]?s/, 'took = <time>'],
  // endpoint status: address, id, version, size, leader?, learner?, term, index, applied, errors.
  [
    /^([^,]+), ([0-9a-f]+), [\d.]+[^,]*, [\d.]+ [kM]?B, (true|false), (true|false), \d+, \d+, \d+,/,
    '$1, $2, <version>, <size>, $3, $4, <term>, <index>, <index>,',
  ],
];

/** What a new member is to be started with. */
function sortedCluster(line: string): string {
  return line.replace(
    /^(ETCD_INITIAL_CLUSTER=")(.*)"$/,
    (_, before: string, members: string) => `${before}${members.split(',').toSorted().join(',')}"`,
  );
}

/** The two lines of a lease, in fields. */
function withoutRemaining(text: string): string {
  return text.replace(
    /^"TTL" : (-?\d+)\n"GrantedTTL" : (\d+)$/m,
    (all, remaining: string, granted: string) =>
      isPassed(remaining, granted) ? `"TTL" : <remaining>\n"GrantedTTL" : ${granted}` : all,
  );
}

/** The keys of a lease, in fields, are in no order. */
function sortedKeys(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.startsWith('"GrantedTTL" : '));
  if (first < 0) return lines;
  return [...lines.slice(0, first + 1), ...lines.slice(first + 1).toSorted()];
}

/** A line of the plain format, or of fields. */
function normaliseText(line: string, names: Names): string {
  // Ids are padded with blanks.
  let text = line.replaceAll(/ +(?= [0-9a-f]{11,16}\b)/g, '');
  for (const [pattern, into] of FIELD_LINES) text = text.replace(pattern, into);
  text = text.replace(/^("Hash" : |[\d.:]+, )(\d+)$/, (_, before: string, hash: string) => {
    return `${before}${names.hash(hash)}`;
  });
  text = text.replace(
    /TTL\((\d+)s\), remaining\((-?\d+)s\)/,
    (all, granted: string, remaining: string) =>
      isPassed(remaining, granted) ? `TTL(${granted}s), remaining(<remaining>)` : all,
  );
  text = text.replace(/attached keys\(\[(.*)\]\)/, (_, keys: string) => {
    return `attached keys([${keys.split(' ').toSorted().join(' ')}])`;
  });
  return names.inText(text);
}

/** Numbers that a double cannot hold become bigints; undefined when it is no JSON. */
function asJson(line: string): unknown {
  if (!/^[[{]/.test(line)) return undefined;
  try {
    return JSON.parse(line, (_, value: unknown, context?: { readonly source?: string }) => {
      if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
      return context?.source === undefined ? value : BigInt(context.source);
    });
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As text where it is one, else hex; of many bytes only the beginning and how many they are. */
export function bytesText(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, BYTES_SHOWN));
  const text = shown.toString('latin1');
  const readable = /^[\x20-\x7e]*$/.test(text) ? text : `0x${shown.toString('hex')}`;
  return bytes.length > BYTES_SHOWN ? `${readable}... (${bytes.length} bytes)` : readable;
}
