/** Which histories `linearizability.ts` measures, and what it calls them. */
import {
  KNOWN_DEFAULTS,
  type KnownOptions,
  type ViolationKind,
} from '../checkers/testkit/known-history.ts';
import { HarnessError } from '../harness/core/errors.ts';

export type Cell = Partial<KnownOptions>;

/** Histories on which checkers of the field run out of time or memory. */
const CELLS: readonly Cell[] = [
  { operations: 1_000, clients: 50, indefinite: 0.05 },
  { operations: 10_000, clients: 20 },
  { operations: 10_000, clients: 10, indefinite: 0.05 },
  { operations: 100_000, clients: 10, indefinite: 0.01 },
  { operations: 1_000_000, clients: 5 },
  { operations: 10_000, clients: 20, indefinite: 0.05, values: 'unique' },
  { operations: 100_000, clients: 10, indefinite: 0.01, values: 'unique' },
  { operations: 1_000_000, clients: 20, keys: 5_000, indefinite: 0.01 },
];

/** A wrong history of each sort; a value can only be seen too often if values repeat. */
function variantsOf(cell: Cell): readonly Cell[] {
  const kinds: readonly ViolationKind[] =
    cell.values === 'unique' ? ['stale-read'] : ['stale-read', 'too-few-writes'];
  return [cell, ...kinds.map((kind) => ({ ...cell, violation: { kind, at: 0.5 } }))];
}

export function defaultCells(): readonly Cell[] {
  return CELLS.flatMap(variantsOf);
}

export function nameOf(cell: Cell): string {
  const { operations, clients, keys, values, indefinite, violation } = {
    ...KNOWN_DEFAULTS,
    ...cell,
  };
  const parts = [
    operations.toLocaleString('en'),
    `${clients} clients`,
    `${100 * indefinite} %`,
    ...(keys === 1 ? [] : [`${keys.toLocaleString('en')} keys`]),
    values === 'unique' ? 'unique' : `${values} values`,
    ...(violation === undefined ? [] : [violation.kind]),
  ];
  return parts.join(' × ');
}

/** Reads `--cell`; throws `bad-option`. */
export function cellOf(text: string): Cell {
  const cell: { -readonly [K in keyof KnownOptions]?: KnownOptions[K] } = {};
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=');
    const number = Number(value);
    switch (name) {
      case 'values':
        cell.values = value === 'unique' ? value : number;
        break;
      case 'spread':
        cell.spread = value === 'at-random' ? value : 'in-turn';
        break;
      case 'stale':
      case 'phantom':
        cell.violation = { kind: `${name}-read`, at: number };
        break;
      case 'few':
        cell.violation = { kind: 'too-few-writes', at: number };
        break;
      case 'operations':
      case 'clients':
      case 'keys':
      case 'indefinite':
      case 'cas':
        cell[name] = number;
        break;
      default:
        throw new HarnessError('bad-option', `--cell: '${part}' is not known`);
    }
    if (Number.isNaN(number) && name !== 'values' && name !== 'spread')
      throw new HarnessError('bad-option', `--cell: '${part}' is not a number`);
  }
  if (cell.values === 'unique' && cell.violation?.kind === 'too-few-writes')
    throw new HarnessError('bad-option', '--cell: unique values are written once; leave out few=');
  return cell;
}
