/** Single keys from a terminal, as they are pressed. */
import { readFileSync } from 'node:fs';
import type { ReadStream } from 'node:tty';

type Signal = 'SIGINT' | 'SIGQUIT' | 'SIGHUP';

/** As much of a process and its terminal as keys need; tests bring their own. */
export interface Terminal {
  readonly input: Pick<ReadStream, 'setRawMode' | 'on' | 'off' | 'resume' | 'pause' | 'unref'>;
  /** Whether the terminal is this process's now, and not a shell's that has put it aside. */
  readonly isForeground: () => boolean;
  /** To every process that the terminal itself would signal. */
  signalAll(name: Signal): void;
  /** To this process alone. */
  signalSelf(name: Signal): void;
  /** Until disposed. `exit`: the last moment of this process. */
  on(event: 'exit' | 'SIGHUP' | 'SIGQUIT' | 'SIGCONT', handler: () => void): Disposable;
}

const CTRL_C = '\u0003';
const CTRL_BACKSLASH = '\u001c';

/**
 * Calls back for every key until disposed, and does not keep the process. Ctrl-C and Ctrl-\ do what
 * they do on every terminal; Ctrl-Z does nothing, as nodes and faults would go on behind a harness
 * that stands still. However the process ends, short of SIGKILL, the terminal is as it was before.
 */
export function listenForKeys(terminal: Terminal, handler: (key: string) => void): Disposable {
  const { input } = terminal;
  const onData = (data: unknown): void => {
    for (const key of keysIn(String(data))) {
      if (key === CTRL_C) terminal.signalAll('SIGINT');
      else if (key === CTRL_BACKSLASH) terminal.signalAll('SIGQUIT');
      else handler(key);
    }
  };
  // A terminal that is gone has no keys, and is no reason to end.
  const onError = (): void => undefined;
  let isOver = false;
  const restore = (): void => {
    if (isOver) return;
    isOver = true;
    for (const each of subscriptions) each[Symbol.dispose]();
    input.off('data', onData);
    input.pause();
    setRaw(terminal, false);
  };
  const endedBy = (name: 'SIGHUP' | 'SIGQUIT') => (): void => {
    restore();
    terminal.signalSelf(name);
  };
  const subscriptions = [
    terminal.on('exit', restore),
    terminal.on('SIGHUP', endedBy('SIGHUP')),
    terminal.on('SIGQUIT', endedBy('SIGQUIT')),
    // Whoever stopped it gave the terminal to a shell, which has set it as shells like it.
    terminal.on('SIGCONT', () => {
      setRaw(terminal, false);
      setRaw(terminal, true);
    }),
  ];
  input.on('error', onError);
  input.on('data', onData);
  setRaw(terminal, true);
  input.resume();
  input.unref();
  return { [Symbol.dispose]: restore };
}

/** The kernel stops a process that sets a terminal which is another's. */
function setRaw({ input, isForeground }: Terminal, isRaw: boolean): void {
  if (!isForeground()) return;
  try {
    input.setRawMode(isRaw);
  } catch {
    // It is gone.
  }
}

/**
 * One character each. What an arrow or a function key sends is no key of ours, but whoever ends the
 * run behind one is heard.
 */
export function keysIn(data: string): readonly string[] {
  const keys = data.split('');
  const isEscaped = data.startsWith('\u001b');
  return isEscaped ? keys.filter((key) => key === CTRL_C || key === CTRL_BACKSLASH) : keys;
}

/** Whether the process group of this process is the one that its terminal listens to. */
export function isInForeground(): boolean {
  try {
    return foregroundIn(readFileSync('/proc/self/stat', 'utf8'));
  } catch {
    return false;
  }
}

/** Of the text of `/proc/<pid>/stat`: the name in it may hold anything, even brackets. */
export function foregroundIn(stat: string): boolean {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [group, foreground] = [fields[2], fields[5]];
  return group !== undefined && group === foreground;
}
