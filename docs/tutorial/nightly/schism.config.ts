/** A suite for every night: `npx schism run` in this folder runs the tests beside it. */
import { defineConfig, type SchismConfig } from 'schism';
import { mykv } from '../example/mykv-system.ts';

const config: SchismConfig = defineConfig({
  systems: [mykv],
  system: 'mykv',
  systemOptions: { batch: 1 },
  rate: 200,
  duration: '8s',
  thresholds: { 'availability{window:none}': ['rate>0.9'] },
  projects: [
    { name: 'three', nodes: 3 },
    { name: 'five', nodes: 5 },
  ],
});
export default config;
