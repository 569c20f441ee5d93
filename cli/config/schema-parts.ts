/** What the schemas of config and test files are made of. */
import { z } from 'zod';
import { suggest } from '../../harness/core/suggest.ts';

/** Complains of a value that is of no use, and shows one that is. */
export function should(be: string): {
  readonly error: (issue: { readonly input?: unknown }) => string;
} {
  return {
    error: ({ input }) => (input === undefined ? `is missing; it is ${be}` : `must be ${be}`),
  };
}

/** An object that may have these keys and no others. */
export function closed<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return 'must be an object with keys';
      const names = issue.keys.map((key) => `'${key}'${suggest(key, known)}`);
      return `has no ${names.join(', ')}; it has: ${known.join(', ')}`;
    },
  });
}

export const text: z.ZodString = z.string(should('a text')).min(1, 'must not be empty');

export function flag(): z.ZodBoolean {
  return z.boolean(should('true or false'));
}

export function count(min: number, max: number): z.ZodInt {
  const be = should(`a whole number from ${min} to ${max}`);
  return z.int(be).min(min, be).max(max, be);
}

export const duration: z.ZodString = z.string(should("a text such as '500ms', '30s' or '5m'"));
export const nodeName: z.ZodString = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, 'is no name of a node: small letters, digits and hyphens');
