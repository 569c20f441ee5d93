/** Checks what a config file says; every complaint names the place, and what may stand there. */
import { z } from 'zod';
import { HarnessError } from '../../harness/core/errors.ts';
import { suggest } from '../../harness/core/suggest.ts';
import type { SchismConfig } from './config.ts';

/** Throws `bad-option` that begins with `file`; further complaints are its details. */
export function parseConfig(value: unknown, file: string): SchismConfig {
  const parsed = CONFIG.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(
    (issue) => `${file}: ${placeOf(issue.path)}${issue.message}`,
  );
  const [first = `${file}: not a config`, ...rest] = lines;
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

/** Complains of a value that is of no use, and shows one that is. */
function should(be: string): { readonly error: (issue: { readonly input?: unknown }) => string } {
  return {
    error: ({ input }) => (input === undefined ? `is missing; it is ${be}` : `must be ${be}`),
  };
}

/** An object that may have these keys and no others. */
function closed<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return 'must be an object with keys';
      const names = issue.keys.map((key) => `'${key}'${suggest(key, known)}`);
      return `has no ${names.join(', ')}; it has: ${known.join(', ')}`;
    },
  });
}

const text = z.string(should('a text')).min(1, 'must not be empty');
const duration = z.string(should("a text such as '500ms', '30s' or '5m'"));
const value = z.union(
  [z.string(), z.number(), z.boolean()],
  should('a text, a number or a boolean'),
);
const options = z.record(z.string(), value, should('an object: an option mapped to its value'));
const mode = z.enum(['linearizable', 'serializable'], should('linearizable or serializable'));
const nodeName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, 'is no name of a node: small letters, digits and hyphens');

const ADDRESS =
  /^(?:http:\/\/)?(?<host>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?):(?<port>\d{1,5})\/?$/;
const PORT_MAX = 65_535;
const ADDRESS_HELP = "an address such as '127.0.0.1:2379' or 'http://n1:2379'";
/** Comes out as `host:port`. */
const address = z
  .string(should(ADDRESS_HELP))
  .regex(ADDRESS, `must be ${ADDRESS_HELP}; TLS cannot be spoken yet`)
  .refine(
    (written) => Number(ADDRESS.exec(written)?.groups?.['port']) <= PORT_MAX,
    'has no such port',
  )
  .transform((written) => {
    const { host = '', port = '' } = ADDRESS.exec(written)?.groups ?? {};
    return `${host}:${port}`;
  });
const argv = z
  .array(z.string(), should("a list: the program and its arguments, such as ['ssh', 'n1', 'up']"))
  .min(1, 'must name a program')
  .exactOptional();

const commands = closed({ kill: argv, start: argv, pause: argv, resume: argv }).superRefine(
  ({ kill, start, pause, resume }, ctx) => {
    const complain = (message: string): void => ctx.addIssue({ code: 'custom', message });
    if ((kill === undefined) !== (start === undefined))
      complain('kill and start go together: what is killed must come back');
    if ((pause === undefined) !== (resume === undefined))
      complain('pause and resume go together: what is stopped must go on');
  },
);

const links = closed({
  toxiproxy: address.transform((at) => `http://${at}`),
  peer: address,
  probes: z.record(nodeName, address, should('an object: each peer mapped to an address')),
});

const attachNode = closed({
  client: address,
  direct: address.exactOptional(),
  links: links.exactOptional(),
  container: text.exactOptional(),
  commands: commands.exactOptional(),
}).superRefine(({ container, commands: own }, ctx) => {
  if (container !== undefined && own !== undefined)
    ctx.addIssue({ code: 'custom', message: 'give container or commands, not both' });
});

const attach = closed({
  nodes: z.record(nodeName, attachNode, should('an object: each node mapped to where it is')),
  timing: closed({
    heartbeat: duration.exactOptional(),
    election: duration.exactOptional(),
  }).exactOptional(),
}).superRefine(({ nodes }, ctx) => {
  for (const { path, message } of disagreements(nodes))
    ctx.addIssue({ code: 'custom', path: ['nodes', ...path], message });
});

type AttachNodes = z.infer<typeof attach>['nodes'];
interface Disagreement {
  readonly path: readonly string[];
  readonly message: string;
}

/** What is wrong between nodes. */
function disagreements(nodes: AttachNodes): Disagreement[] {
  const all = Object.entries(nodes);
  const names = Object.keys(nodes);
  const linked = all.find(([, node]) => node.links !== undefined)?.[0];
  const found: Disagreement[] = [];
  for (const [name, node] of all) {
    for (const key of ['client', 'direct', 'container'] as const) {
      const other = all.find(([, each]) => each[key] !== undefined && each[key] === node[key])?.[0];
      if (other !== undefined && other !== name)
        found.push({ path: [name, key], message: `is the same as that of ${other}` });
    }
    if (node.links === undefined) {
      if (linked !== undefined)
        found.push({ path: [name], message: `has no links, but ${linked} has: give all or none` });
      continue;
    }
    const peers = names.filter((each) => each !== name);
    const { probes } = node.links;
    const missing = peers.filter((peer) => probes[peer] === undefined);
    const strange = Object.keys(probes).filter((peer) => !peers.includes(peer));
    const path = [name, 'links', 'probes'];
    if (missing.length > 0) found.push({ path, message: `lacks ${missing.join(', ')}` });
    for (const peer of strange)
      found.push({ path, message: `${peer} is no peer${suggest(peer, peers)}` });
  }
  return found;
}

const CONFIG = closed({
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
  requireFaults: z.boolean(should('true or false')).exactOptional(),
  faultInterval: duration.exactOptional(),
  faultDuration: duration.exactOptional(),
  schedule: text.exactOptional(),
  duration: duration.exactOptional(),
  quietStart: duration.exactOptional(),
  seed: z.union([z.int(), z.string()], should('a number or a text')).exactOptional(),
  checkTimeout: duration.exactOptional(),
  checkMemory: text.exactOptional(),
  unknown: z.enum(['fail', 'warn', 'pass'], should('fail, warn or pass')).exactOptional(),
  output: text.exactOptional(),
  attach: attach.exactOptional(),
});
