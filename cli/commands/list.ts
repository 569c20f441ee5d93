import { Command } from 'commander';
import type { System } from '../../harness/protocols/system.ts';
import type { Shell } from '../program.ts';
import { NEMESES, SYSTEMS, WORKLOADS } from '../registry.ts';

/** `schism list`: what runs can be made of, here. */
export function listCommand(shell: Shell, finish: (code: number) => void): Command {
  return new Command('list')
    .description('systems, workloads and faults, and whether they can run here')
    .option('--json', 'one JSON document')
    .action(async (flags: { json?: boolean }) => {
      const systems = await Promise.all(
        SYSTEMS.map(async ({ name, summary, options, capabilities, promises, ...system }) => ({
          name,
          summary,
          backends: await backendsOf(system),
          capabilities,
          promises,
          options,
          network: [...system.network],
        })),
      );
      const workloads = WORKLOADS.map(({ name, summary, needs, options }) => ({
        name,
        summary,
        needs,
        options,
      }));
      const faults = Object.keys(NEMESES);
      if (flags.json === true) shell.out(`${JSON.stringify({ systems, workloads, faults })}\n`);
      else {
        shell.out('systems\n');
        for (const { name, summary, backends, options } of systems) {
          shell.out(`  ${name.padEnd(10)} ${summary}\n`);
          for (const [backend, available] of Object.entries(backends))
            shell.out(
              `             --backend ${backend}${available === true ? '' : `  not here: ${available}`}\n`,
            );
          for (const [option, help] of Object.entries(options))
            shell.out(`             -O ${option}=…  ${help}\n`);
        }
        shell.out('workloads\n');
        for (const { name, summary, options } of workloads) {
          shell.out(`  ${name.padEnd(10)} ${summary}\n`);
          for (const [option, help] of Object.entries(options))
            shell.out(`             -W ${option}=…  ${help}\n`);
        }
        shell.out(`faults\n  ${faults.join(', ')}\n`);
      }
      finish(0);
    });
}

/** True, or why it cannot run there, by backend; the first is the default. */
async function backendsOf(
  system: Pick<System, 'backends' | 'available'>,
): Promise<Readonly<Record<string, true | string>>> {
  const all = system.backends.map(async (backend) => {
    return [backend, await system.available({}, backend)] as const;
  });
  return Object.fromEntries(await Promise.all(all));
}
