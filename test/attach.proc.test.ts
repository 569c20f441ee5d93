/** A cluster that is there already: broken through what its owner gives, and left as it was found. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { breaksAndJudges } from './backends.ts';
import { sandbox } from './cli-testing.ts';
import { type OwnedCluster, ownedCluster } from './owned-cluster.ts';
import { stored } from './stored-run.ts';

const stack = new AsyncDisposableStack();
let cluster: OwnedCluster;

beforeAll(async () => {
  cluster = stack.use(await ownedCluster());
});

afterAll(async () => {
  await stack.disposeAsync();
});

describe('attached to processes, by commands of their owner', () => {
  breaksAndJudges(() => ({
    words: ['--config', cluster.config],
    leftovers: () => cluster.disturbances(),
  }));

  test('keys that were there stay as they are, and a run writes below a prefix of its own', async () => {
    const key = Buffer.from('k0');
    const before = await cluster.client('n1').put({ key, value: Buffer.from('mine') }, 10_000);
    expect(before.ok).toBe(true);
    await using box = await sandbox();
    const words = ['run', '--config', cluster.config, '--no-faults', '--duration', '2s', '-q'];
    expect(await box.schism(words)).toMatchObject({ code: 0 });
    const after = await cluster.client('n2').range({ key }, 10_000);
    expect.assert(after.ok);
    expect(after.value.kvs[0]?.value.toString()).toBe('mine');
    const { keys: prefix } = (await stored(box)).result.manifest.cluster ?? {};
    expect.assert(typeof prefix === 'string' && /^schism\/.+\/$/.test(prefix));
    const end = Buffer.from(prefix.replace(/\/$/, '0'));
    const own = await cluster
      .client('n3')
      .range({ key: Buffer.from(prefix), rangeEnd: end }, 10_000);
    expect.assert(own.ok);
    expect(own.value.kvs.length).toBeGreaterThan(5);
  });

  test('an interrupt in mid-fault puts everything back before the run ends', async () => {
    await using box = await sandbox();
    const hold = { at: '0s', for: '60s' };
    const schedule = [
      { ...hold, fault: 'kill', target: 'n2' },
      { ...hold, fault: 'latency', target: 'n1' },
    ];
    await writeFile(join(box.dir, 's.json'), JSON.stringify(schedule));
    const words = ['run', '--config', cluster.config, '--schedule', 's.json', '--duration', '60s'];
    const running = box.start(words);
    await box.recorded('"n2":"gone');
    await box.recorded('"latency"');
    running.kill('SIGINT');
    const { stdout } = await running;
    expect(stdout).toContain('kill');
    expect(await cluster.disturbances()).toEqual([]);
  });

  test('what the config does not give is refused with the reason, and the rest goes on', async () => {
    await using box = await sandbox();
    const nodes = Object.fromEntries(
      Object.entries(cluster.attach.nodes).map(([node, { client, direct, commands }]) => {
        const { kill, start } = commands ?? {};
        const given = kill === undefined || start === undefined ? {} : { kill, start };
        return [node, { client, ...(direct && { direct }), commands: given }];
      }),
    );
    const attach = { ...cluster.attach, nodes };
    const config = { backend: 'attach', system: 'raftkv', attach, faults: ['pause', 'partition'] };
    await writeFile(join(box.dir, 'c.json'), JSON.stringify(config));
    const { code, out } = await box.schism(['run', '--config', 'c.json', '--duration', '1s', '-q']);
    const words = out.replaceAll(/\s+/g, ' ');
    expect(code).toBe(2);
    expect(words).toContain(
      'fault pause cannot be had here: the config gives n1 neither a container nor the commands ' +
        'pause and resume',
    );
    expect(words).toContain('fault partition cannot be had here');
  });

  test('a config that tells of the cluster wrongly is refused before anything is touched', async () => {
    await using box = await sandbox();
    const { n1, n2 } = cluster.attach.nodes;
    expect.assert(n1 !== undefined && n2 !== undefined);
    const refused = async (nodes: object): Promise<string> => {
      const config = { backend: 'attach', system: 'raftkv', attach: { nodes } };
      await writeFile(join(box.dir, 'c.json'), JSON.stringify(config));
      const { code, out } = await box.schism(['run', '--config', 'c.json', '-q']);
      expect(code).toBe(3);
      return out.replaceAll(/\s+/g, ' ');
    };
    const bare = ({ client }: { readonly client: string }): object => ({ client });
    expect(await refused({ n1: bare(n1), n2: bare(n2) })).toContain(
      'attach.nodes: the cluster has 3 members, says n1, and the config names 2: name them all',
    );
    const mixed = { n1: bare(n1), n2: { client: n2.client, direct: n1.direct } };
    expect(await refused(mixed)).toContain('lead to different members');
    const probes = { ...n1.links?.probes, n2: '127.0.0.1:1' };
    const blind = { ...cluster.attach.nodes, n1: { ...n1, links: { ...n1.links, probes } } };
    expect(await refused(blind)).toContain('before any fault no bytes pass on n1>n2');
    const nowhere = { n1: { client: '127.0.0.1:1' } };
    expect(await refused(nowhere)).toContain('n1 does not answer at 127.0.0.1:1');
  });
});
