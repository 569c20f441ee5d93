import { closeSync, openSync } from 'node:fs';
import { destination, type Logger, pino } from 'pino';
import type { Log } from '../harness/core/log.ts';
import type { RunManifest } from '../harness/protocols/run.ts';

/**
 * `harness.log` of a run: one JSON object a line, first what is needed to run it again. Written
 * synchronously, so that the last line before a crash is there.
 */
export function openLog(path: string, manifest: RunManifest): { readonly log: Log } & Disposable {
  const { logger, fd } = loggerOn(path);
  logger.info({ run: manifest.run, argv: manifest.argv, seed: manifest.config.seed }, 'run');
  return {
    log: {
      info: (message, fields = {}) => {
        logger.info(fields, message);
      },
      warn: (message, fields = {}) => {
        logger.warn(fields, message);
      },
      error: (message, fields = {}) => {
        logger.error(fields, message);
      },
    },
    [Symbol.dispose]: () => {
      closeSync(fd);
    },
  };
}

/** One line that a person asked for, in the log of a run that goes on. */
export function markLog(path: string, fields: Readonly<Record<string, unknown>>): void {
  const { logger, fd } = loggerOn(path);
  logger.info(fields, 'mark');
  closeSync(fd);
}

function loggerOn(path: string): { readonly logger: Logger; readonly fd: number } {
  const fd = openSync(path, 'a');
  const stream = destination({ fd, sync: true });
  // On a full disk a line is lost; pino would make every caller throw.
  stream.on('error', () => undefined);
  return { logger: pino({ base: null }, stream), fd };
}
