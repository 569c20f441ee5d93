import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Dockerode from 'dockerode';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { realClock, sleep } from '../../../harness/core/clock.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import { isAlive, readStat } from '../../../harness/runner/watchdog-proc.ts';
import { describeWith } from '../../../test/requires.ts';
import { findMade, isOrphan, ownerLabel, removeMade, undoRun } from './cleanup.ts';
import { type Engine, openEngine } from './engine.ts';
import { IMAGE, LABEL } from './labels.ts';

const clock = realClock();
let dir: string;
let engine: Engine;
let run: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-cleanup-'));
  engine = await openEngine(process.env);
  run = `cleanup-${process.pid}-${dir.slice(-6)}`;
});
afterEach(async () => {
  await removeMade(engine, await findMade(engine, clock, { run }), clock);
  await rm(dir, { recursive: true, force: true });
});

/**
 * A harness that is about to die: with a watchdog, it makes a network, a volume, and pairs of
 * containers that share a network namespace, one of them paused; then it goes on making more.
 */
const HARNESS = `
import Dockerode from 'dockerode';
const [undoUrl, cleanupUrl, clockUrl, logUrl, run, image, dir] = process.argv.slice(1);
const { startWatchdog } = await import(undoUrl);
const { ownerLabel, undoRun } = await import(cleanupUrl);
const { realClock } = await import(clockUrl);
const { silentLog } = await import(logUrl);
const docker = new Dockerode();
const undo = await startWatchdog({ runId: run, clock: realClock(), log: silentLog,
  logPath: dir + '/watchdog.log' });
await undo.add(undoRun({ docker }, run));
const Labels = { 'schism.run': run, 'schism.owner': ownerLabel(), 'schism.role': 'node' };
await docker.createNetwork({ Name: run, Internal: true, Labels });
await docker.createVolume({ Name: run, Labels });
const start = async (NetworkMode, Binds = []) => {
  const made = await docker.createContainer({ Image: image, Cmd: ['--listen', '127.0.0.1:0'],
    Labels, HostConfig: { NetworkMode, Binds } });
  await made.start();
  return made.id;
};
const pair = async () => {
  const links = await start(run, [run + ':/data']);
  return [links, await start('container:' + links)];
};
const [first] = await Promise.all([pair(), pair(), pair(), pair(), pair()]);
// A busy kernel may fail to freeze a program that has just begun.
for (let tries = 5; ; tries--)
  try { await docker.getContainer(first[1]).pause(); break; }
  catch (error) { if (tries === 0) throw error; }
console.log(JSON.stringify({ watchdog: undo.pid }));
for (;;) await start(run);
`;

async function dyingHarness(): Promise<{ kill(): Promise<void>; readonly watchdog: number }> {
  const urls = [
    '../../../harness/runner/undo.ts',
    './cleanup.ts',
    '../../../harness/core/clock.ts',
    '../../../harness/core/log.ts',
  ].map((path) => new URL(path, import.meta.url).href);
  const args = ['--input-type=module', '-e', HARNESS, ...urls, run, IMAGE.links, dir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    ...(JSON.parse(line) as { watchdog: number }),
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The engine's own socket, for those who come by TCP. */
async function relayTo({ docker }: Engine): Promise<{ readonly port: number } & AsyncDisposable> {
  const { socketPath } = docker.modem as unknown as { readonly socketPath: string };
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(socketPath);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describeWith('engine', 'cleaning up an engine', () => {
  test('after kill -9 of the harness nothing of its run is left, and the watchdog says so', async () => {
    const harness = await dyingHarness();
    expect(new Set((await findMade(engine, clock, { run })).map(({ kind }) => kind))).toEqual(
      new Set(['container', 'network', 'volume']),
    );
    await harness.kill();
    const startTime = readStat(harness.watchdog)?.startTime ?? '';
    for (let looks = 0; looks < 400 && isAlive(harness.watchdog, startTime); looks++)
      await sleep(clock, 100);
    expect(await findMade(engine, clock, { run })).toEqual([]);
    expect(await readFile(join(dir, 'watchdog.log'), 'utf8')).toMatch(
      new RegExp(`0: removed 1\\d containers, 1 network, 1 volume of run ${run}\n`),
    );
  });

  test('only what one run made is found, with who made it', async () => {
    const labels = { [LABEL.run]: run, [LABEL.owner]: ownerLabel(), [LABEL.role]: 'network' };
    const { id } = await engine.docker.createNetwork({ Name: run, Labels: labels });
    const found = await findMade(engine, clock, { run });
    const owner = ownerLabel();
    expect(found).toEqual([{ kind: 'network', id, name: run, run, owner, role: 'network' }]);
    expect(await findMade(engine, clock, { run: `${run}-other` })).toEqual([]);
    expect((await findMade(engine, clock)).map((each) => each.id)).toContain(id);
    expect(found.filter(isOrphan)).toEqual([]);
  });

  test('what cannot go is named with the reason; what is gone already counts as removed', async () => {
    await engine.docker.createVolume({ Name: run, Labels: { [LABEL.run]: run } });
    // Not labelled, as if somebody else used the volume.
    const user = await engine.docker.createContainer({
      Image: IMAGE.links,
      HostConfig: { Binds: [`${run}:/data`] },
    });
    const found = await findMade(engine, clock, { run });
    const [stuck] = await removeMade(engine, found, clock);
    await user.remove({ force: true });
    expect(stuck).toMatchObject({ found: { kind: 'volume', name: run } });
    expect(stuck?.why).toMatch(/in use/);
    expect(await removeMade(engine, found, clock)).toEqual([]);
    expect(await removeMade(engine, found, clock)).toEqual([]);
  });

  test('an engine that is reached by TCP is cleaned by the same command', async () => {
    await using relay = await relayTo(engine);
    const remote = { docker: new Dockerode({ protocol: 'http', host: '127.0.0.1', ...relay }) };
    const mine = { [LABEL.run]: run, [LABEL.owner]: ownerLabel() };
    await remote.docker.createNetwork({ Name: run, Labels: mine });
    // Another machine's run may have the same short name.
    const theirs = { ...mine, [LABEL.owner]: 'elsewhere:1:1' };
    await remote.docker.createNetwork({ Name: `${run}-theirs`, Labels: theirs });
    const entry = undoRun(remote, run);
    invariant(entry.kind === 'command', 'a program of its own removes what a run made');
    const { stdout } = await execa(entry.file, entry.args);
    expect(stdout).toBe(`removed 1 network of run ${run}`);
    const left = await findMade(engine, clock, { run });
    expect(left.map(({ name }) => name)).toEqual([`${run}-theirs`]);
    expect(await removeMade(engine, left, clock)).toEqual([]);
    const gone = { docker: new Dockerode({ protocol: 'http', host: '127.0.0.1', port: 1 }) };
    const vain = undoRun(gone, run);
    invariant(vain.kind === 'command', 'a program of its own removes what a run made');
    const failed = await execa(vain.file, vain.args, { reject: false });
    expect(failed.stdout).toContain('ECONNREFUSED');
    expect(failed.exitCode).toBe(1);
  });

  test('the undo entry reaches this engine without its keys on the command line', () => {
    const entry = undoRun(engine, run);
    expect(entry).toMatchObject({ kind: 'command', file: process.execPath });
    expect(entry.kind === 'command' && entry.args[1]).toBe(run);
    const secured = { docker: { modem: { protocol: 'https', host: 'h', key: 'secret' } } };
    const other = undoRun(secured as unknown as Engine, run);
    expect(other.kind === 'command' && other.args[2]).toBe('null');
  });
});
