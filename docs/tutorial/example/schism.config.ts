/** A store of one's own: `npx schism run` in this folder tests it. */
import { defineConfig, type SchismConfig } from 'schism';
import { mykv } from './mykv-system.ts';

const config: SchismConfig = defineConfig({
  systems: [mykv],
  system: 'mykv',
  workload: 'register',
  rate: 200,
  duration: '10s',
  schedule: [
    { at: '2s', fault: 'kill', for: '1s', target: 'leader' },
    { at: '4s', fault: 'kill', for: '1s', target: 'leader' },
  ],
});
export default config;
