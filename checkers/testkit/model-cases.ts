/** Every model there is, with calls of it to try. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { Random } from '../../harness/core/prng.ts';
import { appendRegister } from '../models/append-register.ts';
import { casRegister } from '../models/cas-register.ts';
import { counter } from '../models/counter.ts';
import { fencedMutex } from '../models/fenced-mutex.ts';
import { fifoQueue } from '../models/fifo-queue.ts';
import { kv } from '../models/kv.ts';
import type { Call, Model, Stamp } from '../models/model.ts';
import { multiRegister } from '../models/multi-register.ts';
import { mutex } from '../models/mutex.ts';
import { reentrantLock } from '../models/reentrant-lock.ts';
import { register } from '../models/register.ts';
import { semaphore } from '../models/semaphore.ts';
import { set } from '../models/set.ts';
import { stack } from '../models/stack.ts';
import { unorderedQueue } from '../models/unordered-queue.ts';
import { versionedRegister } from '../models/versioned-register.ts';
import type { Draw } from './model-histories.ts';

export interface ModelCase {
  readonly model: Model;
  readonly draw: Draw;
}

export const MODEL_CASES: readonly ModelCase[] = [
  { model: register, draw: drawRegister },
  { model: casRegister, draw: drawRegister },
  { model: appendRegister, draw: drawAppend },
  { model: versionedRegister, draw: drawVersioned },
  { model: multiRegister, draw: drawMulti },
  { model: kv, draw: drawKv },
  { model: mutex, draw: drawLock },
  { model: fencedMutex, draw: drawFenced },
  { model: reentrantLock, draw: drawLock },
  { model: semaphore(2), draw: drawLock },
  { model: counter, draw: drawCounter },
  { model: set, draw: drawSet },
  { model: unorderedQueue, draw: (random) => drawTaking(random, 'enqueue', 'dequeue') },
  { model: fifoQueue, draw: (random) => drawTaking(random, 'enqueue', 'dequeue') },
  { model: stack, draw: (random) => drawTaking(random, 'push', 'pop') },
];

/** An answered call, or one time in six one of unknown outcome. */
function answered(random: Random, f: string, input: JsonValue, output: JsonValue): Call {
  return random.chance(1 / 6)
    ? { f, input, output: null, outcome: 'indefinite' }
    : { f, input, output, outcome: 'ok' };
}

/** One that says what it saw, or one that does not. */
function refused(random: Random, f: string, input: JsonValue, seen: JsonValue): Call {
  const call = { f, input, output: null, outcome: 'refused' } as const;
  return random.chance(0.3) ? call : { ...call, seen };
}

function value(random: Random): JsonValue {
  return random.pick([null, 1, 2]);
}

function drawRegister(random: Random): Call {
  const f = random.pick(['read', 'write', 'cas', 'cas']);
  if (f === 'read') return answered(random, f, null, value(random));
  if (f === 'write') return answered(random, f, value(random), null);
  const input = [value(random), value(random)];
  return random.chance(0.3)
    ? refused(random, f, input, value(random))
    : answered(random, f, input, input);
}

function drawAppend(random: Random): Call {
  const text = random.pick(['a', 'b']);
  const f = random.pick(['append', 'append', 'get', 'get', 'put', 'read', 'cas']);
  if (f === 'append' || f === 'put') return answered(random, f, text, text);
  const held = random.pick([null, 'a', 'b', 'ab', 'ba', 'aa', 'aba']);
  if (f === 'cas') return answered(random, f, [held, text], null);
  return answered(random, f, null, held);
}

function drawVersioned(random: Random): Call {
  const call = random.chance(0.15) ? answered(random, 'delete', null, null) : drawRegister(random);
  return stamped(random, call);
}

function stamped(random: Random, call: Call): Call {
  if (call.outcome === 'indefinite' || random.chance(0.2)) return call;
  const stamp: Stamp = {
    ...(random.chance(0.8) && { revision: random.int(0, 6) }),
    ...(random.chance(0.4) && { modRevision: random.int(0, 4) }),
    ...(random.chance(0.4) && { version: random.int(0, 3) }),
  };
  return { ...call, stamp };
}

function drawMulti(random: Random): Call {
  const draw = (): JsonValue[] => [random.pick(['r', 'w']), random.pick(['x', 'y']), value(random)];
  const micros = Array.from({ length: random.int(1, 3) }, draw);
  const asked = micros.map(([f = null, key = null, held = null]) => [
    f,
    key,
    f === 'r' ? null : held,
  ]);
  return answered(random, 'txn', asked, micros);
}

function drawKv(random: Random): Call {
  const key = random.pick(['x', 'y']);
  return stampedKv(random, { ...bareKv(random), key });
}

function stampedKv(random: Random, call: Call): Call {
  return random.chance(0.5) ? call : stamped(random, call);
}

function bareKv(random: Random): Call {
  const f = random.pick(['get', 'get', 'put', 'append', 'delete', 'range', 'txn']);
  const held = random.pick([null, '1', '2', '11', '12']);
  switch (f) {
    case 'get':
      return answered(random, f, null, held);
    case 'delete':
      return answered(random, f, null, random.pick([null, 0, 1]));
    case 'range': {
      const found = random.chance(0.5) ? [['x', held]] : [];
      return answered(random, f, ['x', random.pick([null, 'y'])], found);
    }
    case 'txn':
      return drawTxn(random, held);
    default:
      return answered(random, f, random.pick(['1', '2']), null);
  }
}

function drawTxn(random: Random, held: JsonValue): Call {
  const guard = random.pick<JsonValue>([
    ['value', 'x', held],
    ['version', 'x', random.int(0, 2)],
    ['modRevision', 'y', random.int(0, 3)],
  ]);
  const input = {
    compare: [guard],
    success: [
      ['put', 'x', '2'],
      ['get', 'y'],
    ],
    failure: [['get', 'x']],
  };
  const succeeded = random.chance(0.5);
  return answered(random, 'txn', input, { succeeded, results: succeeded ? [null, held] : [held] });
}

function drawLock(random: Random): Call {
  const f = random.pick(['acquire', 'release']);
  const owner = random.pick(['c1', 'c2', 'c3']);
  if (random.chance(0.15)) return refused(random, f, owner, random.pick([null, 'c1', 'c2']));
  return answered(random, f, owner, owner);
}

function drawFenced(random: Random): Call {
  const call = drawLock(random);
  const token = random.pick([null, 1, 2, 3, 4]);
  return call.f === 'acquire' && call.outcome === 'ok' ? { ...call, output: token } : call;
}

function drawCounter(random: Random): Call {
  const f = random.pick(['read', 'add', 'add-and-get']);
  const input = f === 'read' ? null : random.int(-1, 2);
  return answered(random, f, input, f === 'add' ? input : random.int(-1, 4));
}

function drawSet(random: Random): Call {
  const f = random.pick(['add', 'remove', 'contains', 'read']);
  const element = random.int(1, 2);
  if (f === 'read')
    return answered(random, f, null, random.pick<JsonValue>([[], [1], [2], [2, 1]]));
  return answered(random, f, element, f === 'contains' ? random.chance(0.5) : element);
}

function drawTaking(random: Random, put: string, take: string): Call {
  if (random.chance(0.5)) return answered(random, put, random.int(1, 3), null);
  return answered(random, take, null, random.pick([null, 1, 2, 3]));
}
