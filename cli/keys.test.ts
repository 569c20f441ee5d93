import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { foregroundIn, keysIn, listenForKeys, type Terminal } from './keys.ts';

interface FakeTerminal extends Terminal {
  readonly done: string[];
  readonly events: EventEmitter;
  type(text: string): void;
}

/** Writes down what is done to it. */
function fakeTerminal({ foreground = true, broken = false } = {}): FakeTerminal {
  const done: string[] = [];
  const keyboard = new EventEmitter();
  const events = new EventEmitter();
  const own = {
    setRawMode: (isRaw: boolean) => {
      if (broken) throw new Error('EIO');
      done.push(isRaw ? 'raw' : 'cooked');
    },
    resume: () => done.push('resume'),
    pause: () => done.push('pause'),
    unref: () => done.push('unref'),
  };
  return {
    done,
    events,
    input: Object.assign(keyboard, own) as unknown as Terminal['input'],
    type: (text) => {
      keyboard.emit('data', Buffer.from(text));
    },
    isForeground: () => foreground,
    signalAll: (name) => {
      done.push(`all ${name}`);
      events.emit(name);
    },
    signalSelf: (name) => {
      done.push(`self ${name}`);
    },
    on: (event, handler) => {
      events.on(event, handler);
      return {
        [Symbol.dispose]: () => {
          events.off(event, handler);
        },
      };
    },
  };
}

const OPENED = ['raw', 'resume', 'unref'];
const CLOSED = ['pause', 'cooked'];

describe('a terminal that keys are read from', () => {
  test('is raw until nobody listens any more, and does not keep the process', () => {
    const terminal = fakeTerminal();
    const keys: string[] = [];
    const listening = listenForKeys(terminal, (key) => keys.push(key));
    terminal.type('sf');
    terminal.type('\r');
    listening[Symbol.dispose]();
    listening[Symbol.dispose]();
    terminal.type('l');
    expect(keys).toEqual(['s', 'f', '\r']);
    expect(terminal.done).toEqual([...OPENED, ...CLOSED]);
    expect(terminal.events.eventNames()).toEqual([]);
  });

  test('Ctrl-C signals whom the terminal would signal, each time', () => {
    const terminal = fakeTerminal();
    const keys: string[] = [];
    using _ = listenForKeys(terminal, (key) => keys.push(key));
    terminal.type('\u0003');
    terminal.type('\u0003');
    expect(terminal.done).toEqual([...OPENED, 'all SIGINT', 'all SIGINT']);
    expect(keys).toEqual([]);
  });

  test('Ctrl-\\ and a hangup end the process as ever, but from a terminal that is as it was', () => {
    const quit = fakeTerminal();
    using _quit = listenForKeys(quit, () => undefined);
    quit.type('\u001c');
    expect(quit.done).toEqual([...OPENED, 'all SIGQUIT', ...CLOSED, 'self SIGQUIT']);
    const gone = fakeTerminal();
    using _gone = listenForKeys(gone, () => undefined);
    gone.events.emit('SIGHUP');
    expect(gone.done).toEqual([...OPENED, ...CLOSED, 'self SIGHUP']);
  });

  test('a process that ends, whatever ended it, gives the terminal back once', () => {
    const terminal = fakeTerminal();
    using _ = listenForKeys(terminal, () => undefined);
    terminal.events.emit('exit');
    terminal.events.emit('exit');
    expect(terminal.done).toEqual([...OPENED, ...CLOSED]);
  });

  test('is made raw again when a stopped process goes on', () => {
    const terminal = fakeTerminal();
    using _ = listenForKeys(terminal, () => undefined);
    terminal.events.emit('SIGCONT');
    expect(terminal.done).toEqual([...OPENED, 'cooked', 'raw']);
  });

  test('is left alone while it is not ours, or gone', () => {
    for (const terminal of [fakeTerminal({ foreground: false }), fakeTerminal({ broken: true })]) {
      const listening = listenForKeys(terminal, () => undefined);
      (terminal.input as unknown as EventEmitter).emit('error', new Error('EIO'));
      listening[Symbol.dispose]();
      expect(terminal.done).toEqual(['resume', 'unref', 'pause']);
    }
  });
});

test('an arrow is no key, and pasted characters are one each', () => {
  expect(keysIn('\u001b[A')).toEqual([]);
  expect(keysIn('sl')).toEqual(['s', 'l']);
  expect(keysIn('\u001b[B\u0003')).toEqual(['\u0003']);
});

test('the foreground is told from /proc, whatever the process is called', () => {
  const rest = '34816 31 4194304 1 0';
  expect(foregroundIn(`12 (node) S 1 31 31 ${rest}`)).toBe(true);
  expect(foregroundIn(`12 (a) S 1 31 (x) S 1 31 31 ${rest}`)).toBe(true);
  expect(foregroundIn('12 (node) S 1 31 31 34816 44 4194304')).toBe(false);
  expect(foregroundIn('12 (node) S 1 31 31 0 -1 4194304')).toBe(false);
  expect(foregroundIn('')).toBe(false);
});
