/** The options that every system has in containers. */
import { HarnessError } from '../../../harness/core/errors.ts';
import type { BackendName } from '../../../harness/protocols/system.ts';

type Options = Readonly<Record<string, string>>;

/** A line of help each. */
export const MACHINE_OPTIONS: Readonly<Record<string, string>> = {
  image: 'containers: the image of the nodes (default: ours if built, else the official one)',
  'links-image': 'containers: the image of the links, a Toxiproxy (default: as for image)',
  cpus: 'containers: processors of each node at most, such as 0.5',
  memory: 'containers: memory of each node at most, such as 256m or 1g',
  'data-size': 'containers: a small disk of its own for each node, in memory, such as 256m',
};

/** What is asked of the machines, for each node alike. Absent: as the engine has it. */
export interface MachineOptions {
  readonly image?: string;
  readonly linksImage?: string;
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly dataBytes?: number;
}

const MI_B = 2 ** 20;
/** Less than this no engine takes, or nothing starts in. */
const MEMORY_MIN = 16 * MI_B;
const DATA_MIN = MI_B;

/** Throws `bad-option`. */
export function machineOptions(system: string, options: Options): MachineOptions {
  const { image, 'links-image': linksImage, cpus, memory, 'data-size': dataSize } = options;
  return {
    ...(image !== undefined && { image: imageName(system, 'image', image) }),
    ...(linksImage !== undefined && { linksImage: imageName(system, 'links-image', linksImage) }),
    ...(cpus !== undefined && { cpus: processors(system, cpus) }),
    ...(memory !== undefined && { memoryBytes: bytes(system, 'memory', memory, MEMORY_MIN) }),
    ...(dataSize !== undefined && { dataBytes: bytes(system, 'data-size', dataSize, DATA_MIN) }),
  };
}

/** Throws `bad-option` when one of these options is given where there are no containers. */
export function checkMachineOptions(system: string, options: Options, backend: BackendName): void {
  if (backend === 'docker') {
    machineOptions(system, options);
    return;
  }
  const given = Object.keys(MACHINE_OPTIONS).find((name) => options[name] !== undefined);
  if (given !== undefined)
    throw bad(system, given, `only with --backend docker, and this is ${backend}`);
}

/** `[registry/]name[:tag][@digest]`, or an id. */
function imageName(system: string, option: string, text: string): string {
  if (/^[a-zA-Z0-9][\w./:@-]{0,254}$/.test(text)) return text;
  throw bad(system, option, `'${text}' is not the name of an image`);
}

function processors(system: string, text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0.01 && value <= 1024) return value;
  throw bad(system, 'cpus', `'${text}' is not a number of processors; write 0.5 or 2`);
}

function bytes(system: string, option: string, text: string, min: number): number {
  const match = /^(\d+(?:\.\d+)?)\s*(m|g)i?b?$/i.exec(text);
  const unit = match?.[2]?.toLowerCase() === 'g' ? 1024 * MI_B : MI_B;
  const value = match === null ? Number.NaN : Math.round(Number(match[1]) * unit);
  if (value >= min && value <= 2 ** 42) return value;
  throw bad(
    system,
    option,
    `'${text}' is not a size; write 256m or 1g, and at least ${min / MI_B}m`,
  );
}

function bad(system: string, option: string, why: string): HarnessError {
  return new HarnessError('bad-option', `${system} option ${option}: ${why}`);
}
