/** `node engine-fuzz-main.ts [seed] [problems]`: the engine against the oracle for as long as you like. */
import { argv, stdout } from 'node:process';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { Engine } from './engine.ts';
import { firstDisagreement } from './engine-fuzz.ts';

const [seed = '1', problems = '100000'] = argv.slice(2);
const random = Random.stream(seedFrom(Number(seed)), 'engine');
const found = firstDisagreement(random, Number(problems), new Engine());
stdout.write(`${found ?? `no disagreement in ${problems} problems`}\n`);
