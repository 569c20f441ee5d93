import { describe, expect, test } from 'vitest';
import { silentLog } from '../../../harness/core/log.ts';
import type { UndoEntry, UndoRegistry } from '../../../harness/protocols/undo.ts';
import type { Fault, NodeHandle } from './handle.ts';
import { type AttachedProcesses, attachedProcesses } from './processes.ts';

/** Nodes that write down, in order, what is done to them and what the watchdog is told. */
function nodes(...faults: readonly ('kill' | 'pause')[][]): {
  readonly processes: AttachedProcesses;
  readonly done: string[];
  readonly broken: Set<string>;
} {
  const done: string[] = [];
  const broken = new Set<string>();
  const act = (what: string): Promise<void> => {
    done.push(what);
    return broken.has(what) ? Promise.reject(new Error(what)) : Promise.resolve();
  };
  const fault = (node: string, begin: string, end: string): Fault => ({
    begin: () => act(`${begin} ${node}`),
    end: () => act(`${end} ${node}`),
    undo: { kind: 'command', file: end, args: [node] },
  });
  const handles = faults.map((names, at): [string, NodeHandle] => {
    const node = `n${at + 1}`;
    return [
      node,
      {
        ...(names.includes('kill') && { ending: fault(node, 'kill', 'start') }),
        ...(names.includes('pause') && { freezing: fault(node, 'pause', 'resume') }),
        state: () => Promise.resolve({ state: 'running' }),
      },
    ];
  });
  const undo: UndoRegistry = {
    add: (entry: UndoEntry) => {
      const text = entry.kind === 'command' ? `${entry.file} ${entry.args.join(' ')}` : entry.kind;
      done.push(`entered: ${text}`);
      return Promise.resolve(() => {
        done.push(`withdrawn: ${text}`);
      });
    },
    env: {},
  };
  return { processes: attachedProcesses(new Map(handles), { undo, log: silentLog }), done, broken };
}

const BOTH: ('kill' | 'pause')[] = ['kill', 'pause'];

describe('processes of somebody else', () => {
  test('the way back is entered before the act, and withdrawn after it was gone', async () => {
    const { processes, done } = nodes(BOTH);
    await processes.control.kill('n1');
    await processes.control.kill('n1');
    await processes.control.start('n1');
    expect(done).toEqual([
      'entered: start n1',
      'kill n1',
      'kill n1',
      'start n1',
      'withdrawn: start n1',
    ]);
  });

  test('what is still held in the end is put back, and nothing else is touched', async () => {
    const { processes, done } = nodes(BOTH, BOTH, BOTH);
    await processes.control.kill('n1');
    await processes.control.pause('n2');
    done.length = 0;
    await processes[Symbol.asyncDispose]();
    expect(done.toSorted()).toEqual([
      'resume n2',
      'start n1',
      'withdrawn: resume n2',
      'withdrawn: start n1',
    ]);
  });

  test('a node that is started afresh is none that was paused', async () => {
    const { processes, done } = nodes(BOTH);
    await processes.control.pause('n1');
    await processes.control.kill('n1');
    await processes.control.start('n1');
    done.length = 0;
    await processes[Symbol.asyncDispose]();
    expect(done).toEqual([]);
  });

  test('what cannot be put back stays with the watchdog', async () => {
    const { processes, done, broken } = nodes(BOTH);
    await processes.control.kill('n1');
    broken.add('start n1');
    await expect(processes.control.start('n1')).rejects.toThrow('start n1');
    await processes[Symbol.asyncDispose]();
    expect(done.filter((each) => each === 'start n1')).toHaveLength(2);
    expect(done.some((each) => each.startsWith('withdrawn'))).toBe(false);
  });

  test('a fault that one node cannot have is refused, naming that node', async () => {
    const { processes, done } = nodes(BOTH, ['kill'], []);
    expect(processes.control.refused).toEqual({
      kill: 'the config gives n3 neither a container nor the commands kill and start',
      pause: 'the config gives n2 neither a container nor the commands pause and resume',
    });
    await expect(processes.control.pause('n2')).rejects.toThrow('n2');
    expect(done).toEqual([]);
    expect(nodes(BOTH, BOTH).processes.control.refused).toEqual({});
  });
});
