/** The choices of a dash so far, one after another: pairs of choice and completion, as `trace` tells them. */
import { allocate } from './arena.ts';

let pairs: usize = 0;
export let lineLength: i32 = 0;

/** Each operation is placed once at most. */
export function prepareLine(operations: i32): bool {
  pairs = allocate((<usize>operations) << 3);
  return pairs != 0;
}

export function draw(choice: i32, completion: i32): void {
  const place = pairs + ((<usize>lineLength) << 3);
  store<i32>(place, choice);
  store<i32>(place, completion, 4);
  lineLength++;
}

/** Takes back all choices but the first ones. */
export function eraseTo(length: i32): void {
  lineLength = length;
}

export function lineAt(): usize {
  return pairs;
}
