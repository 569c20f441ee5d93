import {
  defineConfig,
  type TestProjectInlineConfiguration,
  type ViteUserConfig,
} from 'vitest/config';
import { NO_FASTER_CALLS } from './harness/core/v8-flags.ts';

const generated = ['**/node_modules/**', '**/dist/**'];

/** One project a suffix; `groupOrder` keeps processes away from what is measured in them. */
const tier = (
  name: string,
  include: string,
  test: NonNullable<TestProjectInlineConfiguration['test']> = {},
): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, include: [include], exclude: generated, ...test },
});

const config: ViteUserConfig = defineConfig({
  test: {
    pool: 'forks',
    execArgv: [NO_FASTER_CALLS],
    maxWorkers: 2,
    retry: 0,
    setupFiles: ['test/seed.ts'],
    // As users have them: loaded by node, so that a call stands on the line where it was written.
    server: { deps: { external: [/\.chaos\.(?:ts|mts|js|mjs)$/] } },
    projects: [
      tier('unit', '**/*.test.ts', {
        exclude: [...generated, '**/*.{prop,proc,docker}.test.ts'],
        testTimeout: 60_000,
        hookTimeout: 60_000,
      }),
      tier('prop', '**/*.prop.test.ts', { testTimeout: 240_000, hookTimeout: 120_000 }),
      tier('proc', '**/*.proc.test.ts', {
        testTimeout: 180_000,
        hookTimeout: 180_000,
        expect: { poll: { timeout: 10_000 } },
        sequence: { groupOrder: 1 },
      }),
      tier('docker', '**/*.docker.test.ts', {
        testTimeout: 180_000,
        hookTimeout: 180_000,
        // One engine: what two files ask of it at once, it does not always do.
        fileParallelism: false,
        sequence: { groupOrder: 2 },
        globalSetup: ['test/docker-images.ts'],
      }),
    ],
    reporters: ['default', ['json', { outputFile: 'test-results.json' }]],
  },
});
export default config;
