/**
 * Base images made of this machine's own files, for machines that reach no registry: the programs
 * that an image needs, a shell, and the libraries that `ldd` names.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Clock } from '../../../harness/core/clock.ts';
import { HarnessError } from '../../../harness/core/errors.ts';
import { callEngine, type Engine } from './engine.ts';
import { followed } from './images-progress.ts';
import { LABEL } from './labels.ts';
import { type TarEntry, tarStream } from './tar.ts';

/** What a Dockerfile's RUN needs, and people who look into a container. */
const TOOLS = ['sh', 'cat', 'chown', 'env', 'id', 'ls', 'mkdir', 'rm', 'sleep', 'df', 'dd'];
/** Where a Dockerfile can use it there is less to look for. */
const BIN = '/usr/bin';
const IMPORT_MS_MAX = 120_000;

/** What every program that asks for names or users expects. */
const ETC: Readonly<Record<string, string>> = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\nschism:x:1000:1000:schism:/tmp:/bin/sh\n' +
    'nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n',
  'etc/group': 'root:x:0:\nschism:x:1000:\nnogroup:x:65534:\n',
  // Without it the C library asks a name server before it looks into /etc/hosts.
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

export interface LocalBase {
  readonly tag: string;
  /** Of its files: which, how large and of when. */
  readonly hash: string;
  readonly files: readonly { readonly from: string; readonly to: string }[];
}

/** Finds the files. Throws `binary-missing` when one of `programs` is not here. */
export async function planLocalBase(
  programs: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<LocalBase> {
  const path = env['PATH'] ?? '';
  const binaries = programs.map((name) => {
    const from = name === 'node' ? process.execPath : findProgram(name, path);
    if (from === undefined) throw missing(name);
    return { from, to: `${BIN}/${name}` };
  });
  const tools = TOOLS.flatMap((name) => {
    const from = findProgram(name, path);
    return from === undefined ? [] : [{ from, to: `${BIN}/${name}` }];
  });
  if (!tools.some(({ to }) => to === `${BIN}/sh`)) throw missing('sh');
  const all = [...binaries, ...tools];
  const lists = await Promise.all(all.map(({ from }) => librariesOf(from)));
  const libraries = new Set(lists.flat());
  // Loaded by name when names are looked up; part of the C library itself since glibc 2.34.
  for (const library of [...libraries].filter((name) => /\/libc\.so/.test(name)))
    for (const name of ['libnss_files.so.2', 'libnss_dns.so.2'])
      if (existsSync(join(dirname(library), name))) libraries.add(join(dirname(library), name));
  const files = [...all, ...[...libraries].toSorted().map((at) => ({ from: at, to: at }))];
  const hash = createHash('sha256').update(JSON.stringify(ETC));
  for (const { from, to } of files) {
    const { size, mtimeMs } = statSync(from);
    hash.update(`${to} ${size} ${mtimeMs}\n`);
  }
  return { tag: `schism/base-${programs[0]}:local`, hash: hash.digest('hex').slice(0, 16), files };
}

/** Imports it under its tag. Throws `engine-failed`. */
export async function makeLocalBase(engine: Engine, base: LocalBase, clock: Clock): Promise<void> {
  await requireSameMachine(engine, clock);
  const [repo, tag] = base.tag.split(':');
  const load = async (): Promise<void> => {
    const stream = await engine.docker.importImage(tarStream(entriesOf(base)), {
      repo,
      tag,
      changes: [
        `ENV PATH=${BIN}:/bin`,
        `LABEL ${LABEL.role}=image`,
        `LABEL ${LABEL.base}=${base.hash}`,
      ],
    });
    await followed(engine, stream, () => undefined);
  };
  await callEngine(clock, `import ${base.tag}`, load, IMPORT_MS_MAX);
}

function entriesOf({ files }: LocalBase): TarEntry[] {
  const folders = new Set(['etc', 'root', 'var', 'proc', 'sys', 'dev', 'bin']);
  for (const { to } of files)
    for (let at = dirname(to).slice(1); at !== '.' && at !== ''; at = dirname(at)) folders.add(at);
  return [
    ...[...folders].toSorted().map((name) => ({ kind: 'folder' as const, name })),
    { kind: 'folder', name: 'tmp', mode: 0o1777 },
    ...Object.entries(ETC).map(([name, text]) => ({ kind: 'text' as const, name, text })),
    ...files.map(({ from, to }) => ({
      kind: 'file' as const,
      name: to.slice(1),
      path: realpathSync(from),
      mode: 0o755,
    })),
    { kind: 'link', name: 'bin/sh', to: `${BIN}/sh` },
  ];
}

/** Machine code of this machine runs only on its like. */
async function requireSameMachine({ docker }: Engine, clock: Clock): Promise<void> {
  const info = await callEngine(clock, 'ask what it runs on', () => docker.info());
  const { OSType: os, Architecture: arch } = info as { OSType: string; Architecture: string };
  const ours = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string] ?? process.arch;
  if (process.platform === os && ours === arch) return;
  throw new HarnessError(
    'engine-failed',
    `the engine runs on ${os}/${arch}, this is ${process.platform}/${ours}: ` +
      'no base for it can be made of files here; say which with --base',
  );
}

/** A static program has none; then `ldd` fails. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await execa('ldd', [program], { reject: false, stderr: 'ignore' });
  return [...(stdout ?? '').matchAll(/(?:^|\s)(\/\S+)/gm)].flatMap(([, path]) => path ?? []);
}

function findProgram(name: string, path: string): string | undefined {
  const folders = [...path.split(delimiter), '/bin', '/usr/bin', '/usr/local/bin'];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function missing(name: string): HarnessError {
  return new HarnessError(
    'binary-missing',
    `no base image can be made of this machine's files: there is no ${name} on PATH; ` +
      'install it, or say with --base what to build on',
  );
}
