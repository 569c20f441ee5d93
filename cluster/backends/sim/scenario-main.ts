/** For tests only: plays the scenario of a seed and prints its digest. */
import { playScenario } from './testing-scenario.ts';

console.log(JSON.stringify(await playScenario(Number(process.argv[2]))));
