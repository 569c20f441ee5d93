/** What the documentation says is what the code does: generated pages, and a line for everything. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { register } from '../checkers/models/register.ts';
import { METRICS } from '../checkers/thresholds/parse.ts';
import { CRITERION_NAMES, findCriterion } from '../cli/criteria.ts';
import { NEMESES, WORKLOADS } from '../cli/registry.ts';
import {
  CHECK_HELP,
  FAULT_HELP,
  FAULT_OPTION_HELP,
  METRIC_HELP,
  PARTITION_SHAPE_HELP,
} from '../cli/summaries.ts';
import { PARTITION_SHAPES } from '../cluster/nemeses/partition-spec.ts';
import { recordPages } from '../scripts/record.ts';
import { optionsOfFault, referencePages } from '../scripts/reference-pages.ts';
import { aliasesIn, interfacesIn } from '../scripts/reference-types.ts';

const ROOT = join(import.meta.dirname, '..');
const DOCS = join(ROOT, 'docs');
const FOLDER = join(DOCS, 'reference');

describe('the generated reference', () => {
  test('is what the code says now; after a change, run: npm run docs', async () => {
    const pages = await referencePages();
    const stale = [...pages].filter(([name, text]) => {
      const path = join(FOLDER, name);
      return readdirSync(FOLDER).includes(name) ? readFileSync(path, 'utf8') !== text : true;
    });
    expect(
      stale.map(([name]) => `docs/reference/${name} is out of date → run: npm run docs`),
    ).toEqual([]);
  });

  test('has the track record that regressions/ says; after a change, run: npm run docs', async () => {
    const pages = [...(await recordPages())];
    expect(pages.map(([name]) => name)).toEqual(['planted-bugs.md', 'regressions.md']);
    const stale = pages.filter(([name, text]) => readFileSync(join(DOCS, name), 'utf8') !== text);
    expect(stale.map(([name]) => `docs/${name} is out of date → run: npm run docs`)).toEqual([]);
  });

  test('has no page that nothing makes', async () => {
    const pages = await referencePages();
    expect(readdirSync(FOLDER).filter((name) => !pages.has(name))).toEqual([]);
  });
});

test('interfaces are read with their bases, docstrings, and types that have several lines', () => {
  const source = `
/** What it is,
 * and why. */
export interface Pie extends Cake {
  /** Of what. */
  readonly filling: Readonly<Record<string, readonly Fruit[]>>;
  readonly crust?: {
    /** In mm. */
    readonly thickness?: number;
  };
}
export type Fruit =
  | 'apple'
  | 'pear';
`;
  expect(interfacesIn(source)).toEqual([
    {
      name: 'Pie',
      bases: ['Cake'],
      doc: 'What it is, and why.',
      members: [
        { name: 'filling', type: 'Record<string, Fruit[]>', isOptional: false, doc: 'Of what.' },
        { name: 'crust', type: '{ thickness?: number; }', isOptional: true, doc: '' },
      ],
    },
  ]);
  expect(aliasesIn(source).get('Fruit')).toBe("'apple' | 'pear'");
});

describe('there is a line for', () => {
  test('each kind of fault, and for no other', () => {
    expect(Object.keys(FAULT_HELP).toSorted()).toEqual(Object.keys(NEMESES).toSorted());
  });

  test('each option of a fault', () => {
    const bare = Object.keys(NEMESES).flatMap((fault) =>
      optionsOfFault(fault)
        .filter((option) => !(`${fault}.${option}` in FAULT_OPTION_HELP))
        .filter((option) => !(option in FAULT_OPTION_HELP))
        .map((option) => `${fault}: ${option}`),
    );
    expect(bare).toEqual([]);
  });

  test('each shape of a partition', () => {
    expect(Object.keys(PARTITION_SHAPE_HELP)).toEqual([...PARTITION_SHAPES]);
  });

  test('each metric of thresholds', () => {
    expect(Object.keys(METRIC_HELP).toSorted()).toEqual(Object.keys(METRICS).toSorted());
  });

  test('each check that a workload or a criterion brings', () => {
    const options = {
      clients: 1,
      nodes: ['n1', 'n2'],
      rate: 0,
      clientTimeoutMs: 1,
      readModes: [],
      capabilities: ['register', 'hash'],
      own: {},
    } as const;
    const names = [
      ...WORKLOADS.flatMap((workload) => workload.checkers(options).map(({ name }) => name)),
      ...CRITERION_NAMES.map((name) => findCriterion(name).checker(register).name),
      'thresholds',
      'sometimes',
    ];
    expect([...new Set(names)].toSorted()).toEqual(Object.keys(CHECK_HELP).toSorted());
  });

  test('each kind of anomaly that a checker names', () => {
    const known = Object.values(CHECK_HELP).flatMap(({ anomalies }) => Object.keys(anomalies));
    expect(certifiedKinds()).toContain('election-safety');
    const missing = certifiedKinds().filter((kind) => !known.includes(kind));
    expect(missing).toEqual([]);
  });
});

/** Every kind that has a certificate has a case of its own in one of these. */
function certifiedKinds(): string[] {
  const sources = ['recheck.ts', 'raft.ts', 'orders.ts', 'backups.ts'].map((name) =>
    readFileSync(join(ROOT, 'checkers', 'certificates', name), 'utf8'),
  );
  const kinds = /(?:case |kind === |^ {2})'([a-z-]+)'(?::|\))/gm;
  return sources.flatMap((source) => [...source.matchAll(kinds)].map(([, kind = '']) => kind));
}
