/** Makes of what was drawn what is sent to one of the two systems. */
import { bytes, type Request } from './calls.ts';
import type { MemberName } from './lockstep-commands.ts';

/** What only one of them has. */
export interface OneSystem {
  /** The id of its only voter. */
  readonly own: string;
  /** The id of the learner that was added last. */
  learner: string | undefined;
  /** Another after each that was removed: etcd makes ids of the URL and of the second. */
  learnerPort: number;
  /** By the name of the election. */
  readonly leads: Map<string, string>;
}

const BYTES: ReadonlySet<string> = new Set(['key', 'rangeEnd', 'value', 'name']);
const NOBODY = '1234';

/** As `Command` says; `revision` is the newest. */
export function requestFor(asked: Request, system: OneSystem, revision: number): Request {
  const fields = Object.entries(asked).map(([name, value]) => [
    name,
    BYTES.has(name) ? bytesOf(value) : resolved(value, system, revision),
  ]);
  return Object.fromEntries(fields) as Request;
}

function bytesOf(value: unknown): Buffer {
  if (typeof value === 'string') return bytes(value);
  return Buffer.alloc((value as { readonly bytes: number }).bytes, 'x');
}

function resolved(value: unknown, system: OneSystem, revision: number): unknown {
  if (Array.isArray(value)) return value.map((each) => resolved(each, system, revision));
  if (typeof value !== 'object' || value === null) return value;
  if ('ago' in value) return Math.max(0, revision - Number(value.ago));
  if ('leads' in value) return system.leads.get(String(value.leads)) ?? '1';
  if ('of' in value) return [`http://192.0.2.1:${system.learnerPort}`];
  if ('member' in value) return idOf(value.member as MemberName, system);
  return requestFor(value as Request, system, revision);
}

function idOf(name: MemberName, { own, learner = NOBODY }: OneSystem): string {
  return { n1: own, learner, nobody: NOBODY }[name];
}
