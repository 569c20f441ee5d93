import { closeSync, openSync } from 'node:fs';
import { destination, pino } from 'pino';
import type { Log } from '../harness/core/log.ts';
import type { RunManifest } from '../harness/protocols/run.ts';

/**
 * `harness.log` of a run: one JSON object a line, first what is needed to run it again. Written
 * synchronously, so that the last line before a crash is there.
 */
export function openLog(path: string, manifest: RunManifest): { readonly log: Log } & Disposable {
  const fd = openSync(path, 'a');
  const logger = pino({ base: null }, destination({ fd, sync: true }));
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
