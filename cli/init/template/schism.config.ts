import { defineConfig } from 'schism';

// What every test starts from. A test may say otherwise, and so may a flag of `schism run`.
export default defineConfig({
  testDir: 'chaos',
  system: 'raftkv',
  nodes: 3,
  duration: '10s',
  // What must hold besides what the checks ask: no wait of clients is longer than this.
  thresholds: { longest_gap_ms: ['value<10000'] },
  // Each test runs once in each. In the simulator a run takes a moment, and a seed repeats it exactly.
  projects: [
    { name: 'simulated', backend: 'sim' },
    { name: 'processes', backend: 'process' },
  ],
});
