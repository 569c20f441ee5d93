/** The real etcd in containers: what each image has of it. */
import { join } from 'node:path';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { Cluster, DeployRequest } from '../../harness/protocols/system.ts';
import { askImage, variablesOf } from '../backends/docker/ask-image.ts';
import type { ResolvedImage } from '../backends/docker/images.ts';
import { IMAGE, OFFICIAL_IMAGE } from '../backends/docker/labels.ts';
import type { Made } from '../backends/docker/made.ts';
import {
  binaryOf,
  ETCD_PROBE,
  type EtcdVersion,
  memberArgs,
  memberEnvironment,
  parseVersion,
  settingsOf,
} from './etcd-options.ts';
import { deployInContainers, type Prepared } from './member-docker.ts';

/** Peers dial each other by name, and each node's own hosts file leads them to its links. */
export function deployContainers(request: DeployRequest): Promise<Cluster> {
  return deployInContainers(
    {
      name: 'etcd',
      image: { built: IMAGE.etcd, official: OFFICIAL_IMAGE.etcd },
      probe: ETCD_PROBE,
      prepare,
    },
    request,
  );
}

async function prepare(
  image: ResolvedImage,
  made: Made,
  { options, dir }: DeployRequest,
): Promise<Prepared> {
  const program = binaryOf(options);
  const [version, variables] = await Promise.all([
    findVersion(image, program, made, dir),
    variablesOf(made, image.id),
  ]);
  const settings = settingsOf(options, version);
  const set = Object.fromEntries(variables.map((name) => [name, '']));
  const { timing, flags } = settings;
  const env = memberEnvironment(undefined, set);
  return {
    version: version.text,
    timing,
    flags,
    spec: (member) => ({ entrypoint: [program], args: memberArgs(member, settings), env }),
  };
}

async function findVersion(
  image: ResolvedImage,
  program: string,
  made: Made,
  dir: string,
): Promise<EtcdVersion> {
  const logPath = join(dir, 'version.txt');
  const question = { image: image.id, program, args: ['--version'], logPath };
  let output: string;
  try {
    ({ output } = await askImage(made, question));
  } catch (error) {
    throw new HarnessError(
      'engine-failed',
      `'${program}' does not run in image ${image.name}: ${messageOf(error)}`,
      { cause: error },
    );
  }
  const version = parseVersion(output);
  if (version !== undefined) return version;
  const why = `'${program} --version' in image ${image.name} did not answer as etcd does`;
  throw new HarnessError('engine-failed', why, { details: output });
}
