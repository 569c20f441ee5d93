/** The containers of a cluster, as faults and links see them. */
import type { NodeName } from '../../../harness/core/units.ts';
import type { Endpoint } from '../../network/probe.ts';
import type { Engine } from './engine.ts';

/**
 * Each node has two containers in one network namespace. `links` owns it and lives as long as the
 * cluster; the node's own comes and goes with its process.
 */
export interface Topology {
  readonly engine: Engine;
  /** The name of the network, and the run it belongs to. */
  readonly network: string;
  readonly run: string;
  readonly nodes: readonly NodeName[];
  /** The id of the container that owns the node's network namespace. */
  linksContainer(node: NodeName): string;
  /** The id of the node's own container: another one after the node was renewed. */
  nodeContainer(node: NodeName): string;
  /** The node's address in the network: fixed, also after it was disconnected. */
  address(node: NodeName): string;
  /** What the harness dials to reach a port of the node's namespace. */
  reach(node: NodeName, port: number): Endpoint;
  /** The small disk that the node's data are on; undefined: they are in its container's own layer. */
  disk(node: NodeName): NodeDisk | undefined;
}

/** A disk in memory, in `DATA_DIR` of the node's container; a new one when the node is renewed. */
export interface NodeDisk {
  readonly bytes: number;
  /**
   * The id of a container that has it in `DATA_DIR`, too, and always runs, so that the disk outlives
   * the node's process and can be reached without it.
   */
  readonly keeper: string;
}

/** Every image lets every user write there. */
export const DATA_DIR = '/tmp/schism';
