/** Checks what config and test files say; every complaint names the place, and what may stand there. */
import { z } from 'zod';
import { HarnessError } from '../../harness/core/errors.ts';
import type { Checker } from '../../harness/protocols/checker.ts';
import type { Nemesis } from '../../harness/protocols/nemesis.ts';
import type { System } from '../../harness/protocols/system.ts';
import type { Workload } from '../../harness/protocols/workload.ts';
import type { DeclaredTest } from '../suite/chaos-test.ts';
import { attach } from './attach-schema.ts';
import type { SchismConfig } from './config.ts';
import { closed, count, duration, flag, nodeName, should, text } from './schema-parts.ts';

export const WORKERS_MAX = 64;
export const REPEATS_MAX = 10_000;
export const INFRA_RETRIES_MAX = 10;

/** Throws `bad-option` that begins with `file`; further complaints are its details. */
export function parseConfig(value: unknown, file: string): SchismConfig {
  const parsed = CONFIG.safeParse(value);
  if (parsed.success) return parsed.data;
  return complain(parsed.error, file);
}

/** Throws `bad-option` that begins with `where`, the call that these options were given to. */
export function parseTestOptions(
  value: unknown,
  where: string,
  expectsViolation: boolean,
): Pick<DeclaredTest, 'options' | 'expects'> {
  if (!expectsViolation) {
    const plain = PLAIN_TEST.safeParse(value);
    return plain.success ? { options: plain.data } : complain(plain.error, where);
  }
  const parsed = VIOLATION_TEST.safeParse(value);
  if (!parsed.success) return complain(parsed.error, where);
  const { anomaly, within = '1 run', ...options } = parsed.data;
  return { options, expects: { within, ...(anomaly !== undefined && { anomaly }) } };
}

function complain(error: z.ZodError, where: string): never {
  const lines = error.issues.map((issue) => `${where}: ${placeOf(issue.path)}${issue.message}`);
  const [first = `${where}: cannot be used`, ...rest] = lines;
  throw new HarnessError(
    'bad-option',
    first,
    rest.length === 0 ? {} : { details: rest.join('\n') },
  );
}

/** `attach.nodes.n1: `; nothing for the whole. */
function placeOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '' : `${path.map(String).join('.')}: `;
}

const value = z.union(
  [z.string(), z.number(), z.boolean()],
  should('a text, a number or a boolean'),
);
const options = z.record(z.string(), value, should('an object: an option mapped to its value'));
const mode = z.enum(['linearizable', 'serializable'], should('linearizable or serializable'));
function isFunction(given: unknown): boolean {
  return typeof given === 'function';
}

/** What something of one's own may be called: a part of a path, and of a list. */
const OWN_NAME = /^[a-z][a-z0-9-]{0,40}$/;

/** A value of our own interfaces, from the code of a config; checked by what it must have. */
function made<T extends { readonly name: string }>(
  be: string,
  ...members: readonly (keyof T & string)[]
): z.ZodType<T> {
  const has = (given: unknown): boolean =>
    typeof given === 'object' && given !== null && members.every((name) => name in given);
  const isNamed = ({ name }: T): boolean => typeof name === 'string' && OWN_NAME.test(name);
  return z
    .custom<T>(has, { error: `must be ${be}, with ${members.join(', ')}`, abort: true })
    .refine(isNamed, 'has no name of small letters, digits and hyphens');
}

const scheduleLine = z
  .object({ at: text, fault: text, for: text }, should('a fault of a schedule'))
  .catchall(z.json(should('a value that JSON has')));

/** Of a run: in a config, in a project and in a test. */
const RUN = {
  system: text.exactOptional(),
  backend: z
    .enum(
      ['memory', 'process', 'sim', 'docker', 'attach'],
      should('one of memory, process, sim, docker, attach'),
    )
    .exactOptional(),
  systemOptions: options.exactOptional(),
  bug: text.exactOptional(),
  nodes: z
    .union([z.int(), z.array(nodeName)], should("a number, or names such as ['n1', 'n2']"))
    .exactOptional(),
  latency: duration.exactOptional(),
  workload: z.union([text, z.array(text)], should('a name, or a list of names')).exactOptional(),
  workloadOptions: options.exactOptional(),
  clients: z
    .union([z.int(), z.string()], should("a number, or '2n' for two a node"))
    .exactOptional(),
  clientTimeout: duration.exactOptional(),
  rate: z.number(should('a number of operations a second')).exactOptional(),
  readModes: z.array(mode, should('a list of read modes')).exactOptional(),
  promises: closed({
    linearizable: mode.exactOptional(),
    serializable: mode.exactOptional(),
  }).exactOptional(),
  faults: z
    .union([z.array(text), z.literal(false)], should("false, or a list such as ['partition']"))
    .exactOptional(),
  requireFaults: flag().exactOptional(),
  faultInterval: duration.exactOptional(),
  faultDuration: duration.exactOptional(),
  schedule: z
    .union(
      [text, z.array(scheduleLine)],
      should("a file, or faults such as [{ at: '5s', fault: 'pause', for: '2s' }]"),
    )
    .exactOptional(),
  duration: duration.exactOptional(),
  quietStart: duration.exactOptional(),
  seed: z.union([z.int(), z.string()], should('a number or a text')).exactOptional(),
  checkTimeout: duration.exactOptional(),
  checkMemory: text.exactOptional(),
  unknown: z.enum(['fail', 'warn', 'pass'], should('fail, warn or pass')).exactOptional(),
  sometimes: z.array(text, should("a list such as ['leader-changed-under-load']")).exactOptional(),
  thresholds: z
    .record(
      z.string(),
      z.array(text, should("a list of expressions such as ['rate>0.999']")),
      should("an object such as { ops_unknown: ['rate<0.1'] }"),
    )
    .exactOptional(),
};

/** The names of all options of a run. */
export const RUN_OPTIONS: readonly string[] = Object.keys(RUN);

const project = closed({ name: text.max(100, 'is longer than 100 letters'), ...RUN });
const projects = z.array(project, should('a list of projects')).superRefine((all, ctx) => {
  for (const [at, { name }] of all.entries())
    if (all.findIndex((other) => other.name === name) !== at)
      ctx.addIssue({ code: 'custom', path: [at], message: `there is a project '${name}' already` });
});

const reporter = z.union(
  [text, z.tuple([text, closed({ outputFile: text })])],
  should("a name such as 'junit', or ['junit', { outputFile: 'junit.xml' }]"),
);

const always = ['always', 'on-failure'] as const;
const retain = closed({
  history: z.enum(always, should('always or on-failure')).exactOptional(),
  logs: z.enum(always, should('always or on-failure')).exactOptional(),
  data: z.enum([...always, 'never'], should('always, on-failure or never')).exactOptional(),
  runs: closed({
    max: count(1, 1_000_000).exactOptional(),
    maxSize: text.exactOptional(),
    maxAge: text.exactOptional(),
    failedMaxAge: text.exactOptional(),
  }).exactOptional(),
});

const CONFIG = closed({
  ...RUN,
  systems: z
    .array(made<System>('a system', 'name', 'options', 'available', 'deploy'))
    .exactOptional(),
  workloads: z
    .array(made<Workload>('a workload', 'name', 'options', 'build', 'checkers'))
    .exactOptional(),
  nemeses: z
    .record(
      z.string().regex(OWN_NAME, 'is no name of a fault: small letters, digits and hyphens'),
      z.custom<() => Nemesis>(isFunction, 'must be a function that makes a fault'),
      should('an object: each name mapped to a function that makes the fault'),
    )
    .exactOptional(),
  output: text.exactOptional(),
  attach: attach.exactOptional(),
  testDir: text.exactOptional(),
  projects: projects.exactOptional(),
  workers: count(1, WORKERS_MAX).exactOptional(),
  maxFailures: count(0, REPEATS_MAX).exactOptional(),
  infraRetries: count(0, INFRA_RETRIES_MAX).exactOptional(),
  forbidOnly: flag().exactOptional(),
  passWithNoTests: flag().exactOptional(),
  reporters: z.array(reporter, should('a list of reporters')).exactOptional(),
  retain: retain.exactOptional(),
});

const TEST = {
  ...RUN,
  checks: z
    .array(made<Checker>('a check', 'name', 'check'), should('a list of checks'))
    .superRefine((all, ctx) => {
      for (const [at, { name }] of all.entries())
        if (all.findIndex((other) => other.name === name) !== at)
          ctx.addIssue({
            code: 'custom',
            path: [at],
            message: `there is a check '${name}' already`,
          });
    })
    .exactOptional(),
  tags: z
    .array(
      z.string().regex(/^@[^\s,]+$/, "is no tag: it begins with '@' and has no spaces"),
      should("a list such as ['@slow']"),
    )
    .exactOptional(),
};
const PLAIN_TEST = closed(TEST);
const VIOLATION_TEST = closed({
  ...TEST,
  anomaly: text.exactOptional(),
  within: z
    .string(should("a text such as '10 runs'"))
    .regex(/^[1-9]\d{0,3} runs?$/, "must be a number of runs such as '10 runs'")
    .exactOptional(),
});
