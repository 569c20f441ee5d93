import { Command } from 'commander';
import { EXIT } from '../../harness/core/errors.ts';
import type { System } from '../../harness/protocols/system.ts';
import { counted } from '../../reports/words.ts';
import { findConfig } from '../config/load.ts';
import { addFilterFlags, defaultFlags, type Flags } from '../flags.ts';
import type { Shell } from '../program.ts';
import { type Catalogue, catalogueOf } from '../registry.ts';
import type { SuiteCandidate } from '../suite/candidates.ts';
import { chooseTests } from '../suite/choose-tests.ts';
import { rowOf, testLines } from '../suite/preview.ts';

type ListFlags = Pick<Flags, 'config' | 'project' | 'grep' | 'grepInvert' | 'json'> & {
  readonly knownBugs?: boolean;
};

/** `schism list`: which tests there are, and what runs can be made of, here. */
export function listCommand(shell: Shell, finish: (code: number) => void): Command {
  return addFilterFlags(
    new Command('list')
      .description('tests, projects, systems, workloads and faults, and whether they can run here')
      .argument('[filter...]', 'only tests of these files (file:line) and titles'),
  )
    .option('--known-bugs', 'only tests that must show a violation')
    .option('-c, --config <file>', 'with the tests (default: that of the working folder)')
    .option('--json', 'one JSON document')
    .action(async (filters: readonly string[], flags: ListFlags) => {
      await list(shell, filters, flags);
      finish(EXIT.pass);
    });
}

async function list(shell: Shell, filters: readonly string[], flags: ListFlags): Promise<void> {
  const { config, path } = await findConfig(flags.config);
  const given = ['project', 'grep', 'grepInvert'] as const;
  const isFiltered =
    filters.length > 0 ||
    flags.knownBugs === true ||
    given.some((name) => flags[name] !== undefined);
  const chosen = await chooseTests({
    flags: { ...defaultFlags(), ...flags, forbidOnly: false },
    isGiven: (name) => given.some((one) => one === name && flags[one] !== undefined),
    filters,
    loaded: { config, ...(path !== undefined && { path }) },
    env: shell.env,
  });
  const all = [...(chosen?.selected.tests ?? []), ...(chosen?.selected.skipped ?? [])];
  const tests = all.filter(({ declared }) => !flags.knownBugs || declared?.expects !== undefined);
  const projects = (config.projects ?? []).map(({ name }) => name);
  // Who asks for tests by name wants to read of nothing else.
  const parts = isFiltered ? undefined : await partsOf(catalogueOf(config));
  if (flags.json === true) {
    shell.out(`${JSON.stringify({ tests: tests.map(rowOf), projects, ...parts })}\n`);
    return;
  }
  shell.out(testsText(tests, projects, isFiltered));
  if (parts !== undefined) shell.out(partsText(parts));
}

function testsText(
  tests: readonly SuiteCandidate[],
  projects: readonly string[],
  isFiltered: boolean,
): string {
  const lines = [...testLines(tests)];
  if (isFiltered) lines.push(counted(tests.length, 'test'));
  else if (lines.length > 0) lines.unshift('tests');
  if (!isFiltered && projects.length > 0) lines.push('projects', `  ${projects.join(', ')}`);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

type Parts = Awaited<ReturnType<typeof partsOf>>;

async function partsOf(catalogue: Catalogue) {
  const systems = await Promise.all(
    catalogue.systems.map(async (system) => {
      const { name, summary, options, capabilities, promises, network } = system;
      const backends = await backendsOf(system);
      return { name, summary, backends, capabilities, promises, options, network: [...network] };
    }),
  );
  const workloads = catalogue.workloads.map(({ name, summary, needs, options }) => {
    return { name, summary, needs, options };
  });
  return { systems, workloads, faults: Object.keys(catalogue.nemeses) };
}

function partsText({ systems, workloads, faults }: Parts): string {
  const lines = ['systems'];
  for (const { name, summary, backends, options } of systems) {
    lines.push(`  ${name.padEnd(10)} ${summary}`);
    for (const [backend, available] of Object.entries(backends))
      lines.push(
        `             --backend ${backend}${available === true ? '' : `  not here: ${available}`}`,
      );
    lines.push(...optionLines('-O', options));
  }
  lines.push('workloads');
  for (const { name, summary, options } of workloads)
    lines.push(`  ${name.padEnd(10)} ${summary}`, ...optionLines('-W', options));
  lines.push('faults', `  ${faults.join(', ')}`);
  return `${lines.join('\n')}\n`;
}

function optionLines(flag: string, options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).map(([name, help]) => `             ${flag} ${name}=…  ${help}`);
}

/** True, or why it cannot run there, by backend; the first is the default. */
async function backendsOf(system: System): Promise<Readonly<Record<string, true | string>>> {
  const all = system.backends.map(async (backend) => {
    return [backend, await system.available({}, backend)] as const;
  });
  return Object.fromEntries(await Promise.all(all));
}
