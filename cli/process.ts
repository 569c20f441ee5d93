/** The process around the commands: the only file that ends it. */
import { isatty } from 'node:tty';
import { EXIT } from '../harness/core/errors.ts';
import { withoutFasterCalls } from '../harness/core/v8-flags.ts';
import { githubShell } from './github.ts';
import { onProcessSignal } from './interrupt.ts';
import { isInForeground, listenForKeys, type Terminal } from './keys.ts';
import { bugText, main, type Shell } from './program.ts';

withoutFasterCalls();

const terminal: Omit<Terminal, 'input'> = {
  isForeground: isInForeground,
  signalAll: (name) => {
    process.kill(0, name);
  },
  signalSelf: (name) => {
    process.kill(process.pid, name);
  },
  on: (event, handler) => {
    process.on(event, handler);
    return {
      [Symbol.dispose]: () => {
        process.off(event, handler);
      },
    };
  },
};

const shell: Shell = {
  env: process.env,
  argv: process.argv.slice(2),
  stdin: () => process.stdin,
  // Only where somebody sits; nothing else must so much as open the input.
  ...(isatty(0) &&
    isatty(1) &&
    isInForeground() && {
      keys: (handler) => listenForKeys({ ...terminal, input: process.stdin }, handler),
    }),
  out: (text) => {
    process.stdout.write(text);
  },
  err: (text) => {
    process.stderr.write(text);
  },
  isTty: process.stdout.isTTY,
  columns: process.stdout.isTTY ? process.stdout.columns : 100,
  onSignal: onProcessSignal,
  die: (code) => process.exit(code),
};

// A reader that went away (`schism list | head`) must not turn a verdict into a crash.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// Node.js would exit with 1, which means a violation; the watchdog undoes what is left.
process.on('uncaughtException', (error) => {
  githubShell(shell).err(bugText(error));
  process.exit(EXIT.bug);
});
// The code where nothing is left to wait for, and `main` has not come to its end.
process.exitCode = EXIT.bug;
const code = await main(shell);
// What is said must be out; then a connection to a machine that is gone, which the kernel tries for
// two minutes, must not keep the process.
for (const stream of [process.stdout, process.stderr])
  await new Promise<void>((resolve) => {
    stream.write('', () => {
      resolve();
    });
  });
process.exit(code);
