/** Putting, getting and deleting keys. */
import { json, plain, type Sequence, shown } from '../sequence.ts';

const puts: Sequence = {
  kind: 'commands',
  name: 'put',
  steps: [
    ...json('put a 1', 'put a 2', 'put a 3 --prev-kv', 'put b 1 --prev-kv'),
    ...plain('put a 4', 'put a 5 --prev-kv', ['put', 'empty', ''], 'put empty x --prev-kv'),
    ...shown('get a', 'get empty'),
    // A value from stdin, with bytes that are no text and a line end.
    { run: 'put bytes', stdin: '\u0001\u0002ÿ\n\ttext' },
    ...shown('get bytes'),
    ...plain('get bytes --hex', ['put', 'with space', 'a value'], ['get', 'with space']),
    ...json(['put', 'a', '', '--ignore-value'], 'put a x --ignore-value', 'put a --ignore-value'),
    ...plain(
      'put missing --ignore-value',
      'put a 6 --ignore-lease',
      'put missing 6 --ignore-lease',
    ),
    ...json('put a 7 --ignore-lease --prev-kv', 'put a --ignore-lease --ignore-value'),
    ...plain(['put', '', 'v'], 'put a 1 --lease=77', 'put a 1 --lease=77 --ignore-lease'),
    ...shown('get a'),
    ...json('get --prefix --keys-only k'),
  ],
};

const LETTERS = ['a', 'b', 'c', 'd'];

const gets: Sequence = {
  kind: 'commands',
  name: 'get',
  steps: [
    ...shown('get missing', ['get', ''], ['get', '', '--prefix'], ['get', '', '--from-key']),
    // Keys, versions and values in three different orders.
    ...plain('put k/c 2', 'put k/a 3', 'put k/b 1', 'put k/d 4', 'put l 5', 'put k 0'),
    ...plain('put k/a 9', 'put k/a 0', 'put k/d 8'),
    ...shown('get k/a', 'get k/ --prefix', 'get k --prefix', 'get k/b k/d', 'get k/d k/b'),
    ...shown('get k/c --from-key', ['get', '', '--prefix'], ['get', '', '--from-key']),
    ...shown(
      'get k/ --prefix --keys-only',
      'get k/ --prefix --limit=2',
      'get k/ --prefix --limit=4',
    ),
    ...plain('get k/ --prefix --print-value-only', 'get missing --print-value-only'),
    ...['KEY', 'VERSION', 'CREATE', 'MODIFY', 'VALUE'].flatMap((target) =>
      ['ASCEND', 'DESCEND'].flatMap((order) =>
        json(
          `get k/ --prefix --sort-by=${target} --order=${order}`,
          `get k/ --prefix --sort-by=${target} --order=${order} --limit=2`,
        ),
      ),
    ),
    ...json('get k/ --prefix --sort-by=VALUE', 'get k/ --prefix --order=DESCEND'),
    ...shown(
      'get k/a --rev=5',
      'get k/ --prefix --rev=4',
      'get k/d --rev=4',
      'get k/ --prefix --rev=1',
    ),
    ...plain('get k/a --rev=1000', 'get k/ --prefix --rev=-1'),
    ...json('get k/ --prefix --consistency=s', 'get k/a --consistency=s --rev=3'),
    ...plain('get k/ --prefix --consistency=l', 'get k/a --consistency=x'),
  ],
};

const deletes: Sequence = {
  kind: 'commands',
  name: 'del',
  steps: [
    ...LETTERS.flatMap((letter) => plain(`put k/${letter} 1`, `put m/${letter} 2`)),
    ...plain('del missing', 'del k/a', 'del k/a', 'del k/b --prev-kv', 'del missing --prev-kv'),
    ...json('del k/c --prev-kv', 'del k/c', 'del missing --prefix'),
    ...shown('get k/ --prefix', 'get k/a --rev=3'),
    ...json('put k/a again', 'put k/a more --prev-kv'),
    ...shown('get k/a'),
    ...json('del m/b m/d --prev-kv', 'del k/ --prefix --prev-kv'),
    ...plain('del m/d m/a', 'put n 1', 'del m/d --from-key --prev-kv', ['del', '']),
    ...shown(['get', '', '--prefix'], ['get', '', '--prefix', '--rev=9']),
    ...plain('put x 1', 'put y 1', ['del', '', '--prefix'], ['del', '', '--from-key']),
    ...json(['del', '', '--prefix', '--prev-kv'], ['get', '', '--prefix']),
  ],
};

export const KEY_SEQUENCES: readonly Sequence[] = [puts, gets, deletes];
