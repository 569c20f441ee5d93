/**
 * Properties are drawn from one seed, so that a red test tells of the change that it is red with. With
 * `SCHISM_TEST_SEED=<n>` they are drawn from another.
 */
import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['SCHISM_TEST_SEED'] ?? '1') });
