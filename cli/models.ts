import { appendRegister } from '../checkers/models/append-register.ts';
import { casRegister } from '../checkers/models/cas-register.ts';
import { counter } from '../checkers/models/counter.ts';
import { fencedMutex } from '../checkers/models/fenced-mutex.ts';
import { fifoQueue } from '../checkers/models/fifo-queue.ts';
import { kv } from '../checkers/models/kv.ts';
import type { Model } from '../checkers/models/model.ts';
import { multiRegister } from '../checkers/models/multi-register.ts';
import { mutex } from '../checkers/models/mutex.ts';
import { reentrantLock } from '../checkers/models/reentrant-lock.ts';
import { register } from '../checkers/models/register.ts';
import { semaphore } from '../checkers/models/semaphore.ts';
import { set } from '../checkers/models/set.ts';
import { stack } from '../checkers/models/stack.ts';
import { unorderedQueue } from '../checkers/models/unordered-queue.ts';
import { versionedRegister } from '../checkers/models/versioned-register.ts';
import { HarnessError } from '../harness/core/errors.ts';
import { suggest } from '../harness/core/suggest.ts';

const NAMED: readonly Model[] = [
  register,
  casRegister,
  appendRegister,
  versionedRegister,
  multiRegister,
  kv,
  mutex,
  fencedMutex,
  reentrantLock,
  counter,
  set,
  unorderedQueue,
  fifoQueue,
  stack,
];

/** What `--model` may say. */
export const MODEL_NAMES: readonly string[] = [...NAMED.map(({ name }) => name), 'semaphore:N'];

/** Names of the models that know all of these functions. */
export function modelsWith(functions: readonly string[]): readonly string[] {
  const knows = (model: Model): boolean => functions.every((f) => model.functions.includes(f));
  const names = NAMED.filter(knows).map(({ name }) => name);
  return knows(semaphore(1)) ? [...names, 'semaphore:N'] : names;
}

/** Reads `--model`; throws `bad-option` with the nearest name for an unknown one. */
export function findModel(text: string): Model {
  const found = NAMED.find(({ name }) => name === text);
  if (found !== undefined) return found;
  const permits = /^semaphore:([1-9]\d{0,5})$/.exec(text)?.[1];
  if (permits !== undefined) return semaphore(Number(permits));
  throw new HarnessError(
    'bad-option',
    `unknown model '${text}'${suggest(text, MODEL_NAMES)}; there are: ${MODEL_NAMES.join(', ')}`,
  );
}
