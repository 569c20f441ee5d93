import { expect, test } from 'vitest';
import { findModel, MODEL_NAMES, modelsWith } from './models.ts';

test('names the models that know what a history has', () => {
  const locks = ['mutex', 'fenced-mutex', 'reentrant-lock', 'semaphore:N'];
  expect(modelsWith(['acquire', 'release'])).toEqual(locks);
  expect(modelsWith(['enqueue', 'dequeue'])).toEqual(['unordered-queue', 'fifo-queue']);
  expect(modelsWith(['acquire', 'dequeue'])).toEqual([]);
});

test('every name that is offered can be asked for', () => {
  for (const name of MODEL_NAMES)
    expect(findModel(name.replace('N', '3')).name).toBe(name.replace(':N', '-3'));
  expect(() => findModel('mutx')).toThrow("unknown model 'mutx' (did you mean 'mutex'?)");
  expect(() => findModel('semaphore:0')).toThrow('unknown model');
});
