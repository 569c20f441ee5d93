/** The images that are built here, and what each is made of. */
import { join } from 'node:path';
import { IMAGE } from './labels.ts';

/** The root of the project, where `images/` is. */
export const ROOT: string = join(import.meta.dirname, '..', '..', '..');

export interface ImageRecipe {
  /** As in `--only`. */
  readonly name: string;
  readonly tag: string;
  /** Relative to the root. */
  readonly dockerfile: string;
  /** What its Dockerfile starts from where nothing else is asked for. */
  readonly base: string;
  /** Programs of this machine that a base must have that is made of its files. */
  readonly programs: readonly ('node' | 'etcd' | 'etcdctl')[];
  /** The programs of this project that it runs; it gets what they need, and nothing else. */
  readonly entries: readonly string[];
}

const NODE_BASE = 'node:24-slim';

export const RECIPES: readonly ImageRecipe[] = [
  {
    name: 'etcd',
    tag: IMAGE.etcd,
    dockerfile: 'images/etcd.Dockerfile',
    base: 'debian:12-slim',
    programs: ['etcd', 'etcdctl'],
    entries: [],
  },
  {
    name: 'raftkv',
    tag: IMAGE.raftkv,
    dockerfile: 'images/raftkv.Dockerfile',
    base: NODE_BASE,
    programs: ['node'],
    entries: ['cluster/raftkv/main.ts'],
  },
  {
    name: 'toxiproxy-server',
    tag: IMAGE.links,
    dockerfile: 'images/toxiproxy-server.Dockerfile',
    base: NODE_BASE,
    programs: ['node'],
    entries: ['cluster/network/toxiproxy-server/main.ts'],
  },
  {
    name: 'schism',
    tag: IMAGE.harness,
    dockerfile: 'images/schism.Dockerfile',
    base: NODE_BASE,
    programs: ['node'],
    entries: ['cli/main.ts', 'schism.ts'],
  },
];

/** It runs in the first stage of each image that has any of our programs. */
export const PICKER = 'cluster/backends/docker/images-pick-main.ts';
