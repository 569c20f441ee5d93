/** The first of `count` numbers from 0 for which `is` holds, as it does for all after it. */
export function firstIndex(count: number, is: (at: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (is(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
