/** Checks what a config says of a cluster that is there already. */
import { z } from 'zod';
import { suggest } from '../../harness/core/suggest.ts';
import type { AttachConfig } from './config.ts';
import { closed, duration, nodeName, should, text } from './schema-parts.ts';

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

export const attach: z.ZodType<AttachConfig> = closed({
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
