/** A node's log: one line of JSON an entry, with the level and names that etcd's has. */
import type { Clock } from '../../harness/core/clock.ts';
import type { Log } from '../../harness/core/log.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface NodeLog extends Log {
  /** Always written: the node ends because of this. */
  fatal(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/**
 * `write` gets whole lines, which a process writes at once: what is buffered dies with a process
 * that is killed. Hand-made, since a logging library takes longer to load than a node to start.
 */
export function jsonLog(level: LogLevel, clock: Clock, write: (line: string) => void): NodeLog {
  const least = LOG_LEVELS.indexOf(level);
  const entry =
    (name: LogLevel | 'fatal') =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (name !== 'fatal' && LOG_LEVELS.indexOf(name) < least) return;
      const ts = new Date(clock.wallMs()).toISOString();
      write(`${JSON.stringify({ level: name, ts, msg: message, ...fields }, printable)}\n`);
    };
  return { info: entry('info'), warn: entry('warn'), error: entry('error'), fatal: entry('fatal') };
}

function printable(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack ?? value.message;
  return typeof value === 'bigint' ? value.toString() : value;
}
