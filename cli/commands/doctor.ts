import { Command } from 'commander';
import { realClock } from '../../harness/core/clock.ts';
import { EXIT } from '../../harness/core/errors.ts';
import { NETWORK_ABILITIES } from '../../harness/protocols/network.ts';
import type { System } from '../../harness/protocols/system.ts';
import { cleanLeftovers, findLeftovers, type Leftover } from '../../harness/runner/sweep.ts';
import type { Shell } from '../program.ts';
import { SYSTEMS } from '../registry.ts';
import { describeEngine } from './doctor-engine.ts';

/** `schism doctor`: what can run and break here, and what crashed runs left behind. */
export function doctorCommand(shell: Shell, finish: (code: number) => void): Command {
  return new Command('doctor')
    .description(
      'what can run here, which faults each system can have, and leftovers of crashed runs',
    )
    .option('--clean', 'end the leftovers')
    .action(async (flags: { clean?: boolean }) => {
      line(shell, true, `node ${process.version}`);
      for (const system of SYSTEMS) await describeSystem(shell, system);
      const clean = flags.clean === true;
      const ended = await describeLeftovers(shell, clean);
      const isClean = await describeEngine(shell, clean, (good, text) => {
        line(shell, good, text);
      });
      finish(isClean ? ended : EXIT.infrastructure);
    });
}

async function describeSystem(shell: Shell, system: System): Promise<void> {
  const [backend] = system.backends;
  const available = backend === undefined || (await system.available({}, backend));
  const text = available === true ? system.summary : available;
  line(shell, available === true, `${system.name}: ${text}`);
  const cannot = NETWORK_ABILITIES.filter((shape) => !system.network.has(shape));
  const can = NETWORK_ABILITIES.filter((shape) => system.network.has(shape));
  shell.out(`       links: ${can.join(', ')}\n`);
  if (cannot.length > 0)
    shell.out(`       not on its links: ${cannot.join(', ')} (asked for, they are refused)\n`);
}

async function describeLeftovers(shell: Shell, clean: boolean): Promise<number> {
  const found = findLeftovers();
  if (found.length === 0) {
    line(shell, true, 'nothing was left behind by a run');
    return EXIT.pass;
  }
  for (const leftover of found) shell.out(`       ${describe(leftover)}\n`);
  if (!clean) {
    line(
      shell,
      false,
      `${found.length} processes of dead runs are still there: schism doctor --clean`,
    );
    return EXIT.infrastructure;
  }
  const left = await cleanLeftovers(realClock(), found);
  line(
    shell,
    left.length === 0,
    `ended ${found.length - left.length} of ${found.length} leftovers`,
  );
  for (const leftover of left) shell.out(`       still there: ${describe(leftover)}\n`);
  return left.length === 0 ? EXIT.pass : EXIT.infrastructure;
}

function describe({ pid, run, command, state }: Leftover): string {
  return `pid ${pid} (${state}) of run ${run === '' ? 'unknown' : run}: ${command.slice(0, 100)}`;
}

function line(shell: Shell, good: boolean, text: string): void {
  shell.out(`${good ? '✓ ' : '✗ '} ${text}\n`);
}
