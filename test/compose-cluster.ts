/** The project's docker-compose.yml, brought up under a name of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { realClock, sleep } from '../harness/core/clock.ts';
import { invariant } from '../harness/core/invariant.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** A whole start, on a busy machine. */
const HEALTHY_MS_MAX = 60_000;

export interface ComposeCluster extends AsyncDisposable {
  /** For whoever reads docker-compose.schism.config.ts. */
  readonly env: Readonly<Record<string, string>>;
  /** What compose printed; throws when it fails. */
  compose(...args: readonly string[]): Promise<string>;
  /** Nodes that do not run as they should, and toxics that are on any proxy. */
  disturbances(): Promise<readonly string[]>;
}

export interface ComposeOptions {
  /** Prefix of the published ports: two clusters at once have two. From 32768 on the kernel gives ports away. */
  readonly ports: '1' | '2';
  readonly system: 'raftkv' | 'etcd';
}

/** Waits until every node is healthy. Disposing of it removes containers, network and volumes. */
export async function composeCluster({ ports, system }: ComposeOptions): Promise<ComposeCluster> {
  const project = `schism-test-${process.pid}-${ports}`;
  const files = ['docker-compose.yml', ...(system === 'etcd' ? ['docker-compose.etcd.yml'] : [])];
  await using stack = new AsyncDisposableStack();
  const runs = await mkdtemp(join(tmpdir(), 'schism-compose-'));
  stack.defer(() => rm(runs, { recursive: true, force: true }));
  const env = {
    SCHISM_PROJECT: project,
    SCHISM_PORTS: ports,
    SCHISM_SYSTEM: system,
    SCHISM_RUNS: runs,
    COMPOSE_FILE: files.join(':'),
  };
  const [program = '', ...first] = await composeProgram();
  const compose = async (...args: readonly string[]): Promise<string> => {
    const words = [...first, '-p', project, ...args];
    return (await execa(program, words, { cwd: ROOT, env, stdin: 'ignore', all: true })).all;
  };
  stack.defer(async () => {
    await compose('down', '--volumes', '--timeout', '1');
  });
  await compose('up', '-d');
  await healthy(project);
  const owned = stack.move();
  return {
    env,
    compose,
    disturbances: async () => {
      const toxics = await Promise.all([1, 2, 3].map((node) => toxicsAt(`${ports}${node}474`)));
      return [...(await unwell(project, ['running'])), ...toxics.flat()];
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Version 1 is a program of its own, version 2 a part of docker. */
async function composeProgram(): Promise<readonly string[]> {
  const { exitCode } = await execa('docker-compose', ['version'], { reject: false });
  return exitCode === 0 ? ['docker-compose'] : ['docker', 'compose'];
}

async function healthy(project: string): Promise<void> {
  const clock = realClock();
  const end = clock.now() + HEALTHY_MS_MAX * 1e6;
  for (;;) {
    const not = await unwell(project, ['healthy']);
    if (not.length === 0) return;
    invariant(clock.now() < end, `waited in vain: ${not.join(', ')}`);
    await sleep(clock, 500);
  }
}

/** Nodes whose state, or health, is none of these. */
async function unwell(project: string, good: readonly string[]): Promise<string[]> {
  const names = [1, 2, 3].map((node) => `${project}-n${node}`);
  const format = '{{.State.Status}} {{.State.Health.Status}}';
  const { stdout } = await execa('docker', ['inspect', '--format', format, ...names]);
  return stdout.split('\n').flatMap((line, at) => {
    const isGood = line.split(' ').some((word) => good.includes(word));
    return isGood ? [] : [`${names[at]} is ${line}`];
  });
}

async function toxicsAt(port: string): Promise<string[]> {
  const reply = await fetch(`http://127.0.0.1:${port}/proxies`);
  const proxies = (await reply.json()) as Record<string, { readonly toxics: { name: string }[] }>;
  return Object.entries(proxies).flatMap(([proxy, { toxics }]) =>
    toxics.map(({ name }) => `${name} on ${proxy}`),
  );
}
