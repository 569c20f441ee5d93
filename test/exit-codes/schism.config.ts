import { memory } from '../../cluster/systems/memory.ts';
import { defineConfig, type SchismConfig, type System } from '../../schism.ts';

/** What it throws is nobody's operating error: a mistake in the code around the store. */
const broken: System = {
  ...memory,
  name: 'broken',
  deploy: () => {
    throw new TypeError('our own mistake');
  },
};

const config: SchismConfig = defineConfig({
  systems: [broken],
  system: 'raftkv',
  backend: 'sim',
  nodes: 3,
  workload: 'register',
  rate: 500,
  quietStart: '500ms',
  duration: '300ms',
  faults: false,
});
export default config;
