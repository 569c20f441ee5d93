import { defineConfig, type SchismConfig } from '../../schism.ts';
import { hostileStore, hostileWorkload } from './store.ts';

const config: SchismConfig = defineConfig({
  systems: [hostileStore],
  workloads: [hostileWorkload],
  system: 'hostile',
  workload: 'hostile-words',
  nodes: 3,
  rate: 400,
  faults: false,
  quietStart: '100ms',
  duration: '2s',
  seed: 7,
});
export default config;
