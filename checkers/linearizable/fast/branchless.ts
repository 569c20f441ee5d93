/**
 * `Math.max` and `Math.min` are branches once they are compiled, and of moments nobody can guess
 * which is the later one: a wrong guess takes as long as ten of these. Both for moments, of which
 * the difference has 32 bits.
 */

export function later(a: number, b: number): number {
  const less = (a - b) | 0;
  return (a - (less & (less >> 31))) | 0;
}

export function earlier(a: number, b: number): number {
  const less = (a - b) | 0;
  return (b + (less & (less >> 31))) | 0;
}
