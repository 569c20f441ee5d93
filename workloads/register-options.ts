import { HarnessError } from '../harness/core/errors.ts';

/** Whole number option between bounds; throws `bad-option` naming it. */
export function wholeNumber(
  own: Readonly<Record<string, string>>,
  name: string,
  fallback: number,
  min: number,
  max: number,
): number {
  const text = own[name];
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new HarnessError(
      'bad-option',
      `workload option ${name}: '${text}' is not a whole number from ${min} to ${max}`,
    );
  return value;
}

/** `unique`, or the size of a small domain from 2 to 1000. */
export function valuesOption(own: Readonly<Record<string, string>>): 'unique' | number {
  const text = own['values'];
  return text === undefined || text === 'unique'
    ? 'unique'
    : wholeNumber(own, 'values', 0, 2, 1000);
}
