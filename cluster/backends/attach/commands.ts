/** Faults by programs of the cluster's owner, seen from outside by whether the node still answers. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Clock } from '../../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import type { AttachedCommands } from '../../../harness/protocols/attach.ts';
import type { ProcessState } from '../../../harness/protocols/system.ts';
import { endpointFrom } from '../../network/names.ts';
import { probe } from '../../network/probe.ts';
import { logTail } from '../log-tail.ts';
import type { Fault, NodeHandle } from './handle.ts';

const COMMAND_MS_MAX = 15_000;
const ANSWER_MS_MAX = 500;

/** What every server of HTTP/2, and so of gRPC, answers at once: the preface and empty settings. */
const HELLO = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

export interface CommandNode {
  readonly node: NodeName;
  readonly commands: AttachedCommands;
  /** Where the node itself serves clients. */
  readonly direct: string;
  /** For what the commands say. */
  readonly dir: string;
  readonly clock: Clock;
}

export function commandHandle(of: CommandNode): NodeHandle {
  const { kill, start, pause, resume } = of.commands;
  return {
    ...(kill !== undefined && start !== undefined && { ending: faultOf(of, kill, start) }),
    ...(pause !== undefined && resume !== undefined && { freezing: faultOf(of, pause, resume) }),
    state: () => stateSeen(of),
  };
}

function faultOf(of: CommandNode, begin: readonly string[], end: readonly string[]): Fault {
  const [file = '', ...args] = end;
  return {
    begin: () => runCommand(of, begin),
    end: () => runCommand(of, end),
    undo: { kind: 'command', file, args, timeoutMs: COMMAND_MS_MAX },
  };
}

/**
 * In a session of its own and without the marks of this run, and with files for its output: a node
 * that it starts must outlive us.
 */
async function runCommand({ node, dir }: CommandNode, argv: readonly string[]): Promise<void> {
  const [file = '', ...args] = argv;
  mkdirSync(join(dir, node), { recursive: true });
  const path = join(dir, node, 'commands.log');
  const output = openSync(path, 'a');
  try {
    // Any descriptor will do; execa's types stop at 9.
    const [stdout, stderr] = [output, output] as [3, 3];
    await execa(file, args, {
      timeout: COMMAND_MS_MAX,
      detached: true,
      cleanup: false,
      buffer: false,
      stdin: 'ignore',
      stdout,
      stderr,
    });
  } catch (error) {
    throw new HarnessError('process-failed', `${node}: ${messageOf(error)}`, {
      cause: error,
      details: logTail(path),
    });
  } finally {
    closeSync(output);
  }
}

/** Nobody takes the connection: gone. Somebody does, and then says no word: paused. */
async function stateSeen({ direct, clock }: CommandNode): Promise<ProcessState> {
  const callOff = new AbortController();
  const timer = clock.timer(ANSWER_MS_MAX, () => callOff.abort());
  const seen = await probe(clock, endpointFrom(direct), HELLO, callOff.signal);
  timer.cancel();
  if (seen.result === 'answered') return { state: 'running' };
  // A machine without power refuses nothing, but takes no connection either.
  return { state: seen.result === 'silent' && seen.isConnected ? 'paused' : 'gone' };
}
