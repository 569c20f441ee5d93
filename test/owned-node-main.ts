/**
 * How the owner of a cluster handles one node: `owned-node-main.ts start|kill|pause|resume FILE`. FILE
 * is JSON: the program, its arguments, its log, and a file for its pid.
 */
import { spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';

export interface OwnedNode {
  readonly file: string;
  readonly args: readonly string[];
  readonly log: string;
  readonly pid: string;
}

const SIGNALS = { kill: 'SIGKILL', pause: 'SIGSTOP', resume: 'SIGCONT' } as const;

const [what = '', path = ''] = process.argv.slice(2);
const node = JSON.parse(readFileSync(path, 'utf8')) as OwnedNode;
if (what === 'start') {
  const output = openSync(node.log, 'a');
  const stdio = ['ignore', output, output] as const;
  const child = spawn(node.file, node.args, { detached: true, stdio: [...stdio] });
  child.unref();
  writeFileSync(node.pid, String(child.pid));
} else {
  const pid = Number(readFileSync(node.pid, 'utf8'));
  process.kill(pid, SIGNALS[what as keyof typeof SIGNALS]);
}
