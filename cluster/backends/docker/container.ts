/** One container, over all its lives, with its output in a file. */
import { createWriteStream, mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import { sleep } from '../../../harness/core/clock.ts';
import { withDeadline } from '../../../harness/core/deadline.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { ProcessState } from '../../../harness/protocols/system.ts';
import type { Life } from '../lives.ts';
import { callEngine, type Docker } from './engine.ts';
import { statusOf } from './images.ts';
import type { Made } from './made.ts';

type Options = Parameters<Docker['createContainer']>[0];
type Handle = ReturnType<Docker['getContainer']>;

/** SIGKILL of a container on a busy machine; more, and it hangs in the kernel. */
const KILL_MS_MAX = 10_000;
/** An engine that is started anew is back by then, and knows how its containers ended. */
const ENGINE_AWAY_MS_MAX = 10_000;
const LOOK_AGAIN_MS = 250;
/** The last words of a container that ended are there at once, or not at all. */
const LAST_WORDS_MS_MAX = 1_000;

/** Answered from memory: one that takes longer has no engine behind it. */
const INSPECT_MS_MAX = 5_000;

/** A container that was created; disposing of it removes it, in whatever state it is. */
export interface Container extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  /** Starts it, for the first time or again, on what it kept. Its output is appended to its file. */
  start(): Promise<Life>;
}

export interface ContainerOptions extends Options {
  readonly name: string;
}

/** Throws `engine-failed`. */
export async function createContainer(
  made: Made,
  options: ContainerOptions,
  logPath: string,
): Promise<Container> {
  const { engine, clock } = made;
  const { name } = options;
  const handle = await callEngine(clock, `create container ${name}`, (abortSignal) =>
    engine.docker.createContainer({ ...options, abortSignal }),
  );
  const over = new AbortController();
  return {
    id: handle.id,
    name,
    start: () => startLife({ made, handle, name, logPath, over: over.signal }),
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await callEngine(clock, `remove container ${name}`, () =>
        unlessItIs([404], handle.remove({ force: true, v: true })),
      );
    },
  };
}

/** A busy kernel may fail to freeze a program that is just starting others. */
const FREEZES_MAX = 5;

async function frozen(pause: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await pause();
      return;
    } catch (error) {
      if (tries === FREEZES_MAX || !/unable to freeze/i.test(messageOf(error))) throw error;
    }
  }
}

interface Living {
  readonly made: Made;
  readonly handle: Handle;
  readonly name: string;
  readonly logPath: string;
  /** Nobody wants to know any more how it ends. */
  readonly over: AbortSignal;
}

async function startLife(living: Living): Promise<Life> {
  const { made, handle, name } = living;
  const { clock } = made;
  // Before the start, so that no word is lost, and none is there twice.
  const output = await follow(living);
  await callEngine(clock, `start container ${name}`, () => handle.start());
  made.log.info('started a container', { name, id: handle.id });
  const ended = awaitEnd(living).then(async (how) => {
    await Promise.race([output.written, sleep(clock, LAST_WORDS_MS_MAX)]);
    return how;
  });
  const call = (what: string, act: () => Promise<unknown>): Promise<void> =>
    callEngine(clock, `${what} container ${name}`, () => unlessItIs([404, 409], act()));
  return {
    ended,
    kill: async () => {
      await call('kill', () => handle.kill({ signal: 'SIGKILL' }));
      await withDeadline(clock, KILL_MS_MAX, `the end of container ${name}`, ended);
    },
    pause: () => frozen(() => call('pause', () => handle.pause())),
    resume: () => call('unpause', () => handle.unpause()),
    state: () => stateOf(living),
  };
}

/** Appends what the next life says to the file; `written` when all of it is there. */
async function follow(living: Living): Promise<{ readonly written: Promise<void> }> {
  const { made, handle, name, logPath, over } = living;
  const { engine, clock, log } = made;
  mkdirSync(dirname(logPath), { recursive: true });
  const stream = await callEngine(clock, `attach to container ${name}`, () =>
    handle.attach({ stream: true, stdout: true, stderr: true, abortSignal: over }),
  );
  const file = createWriteStream(logPath, { flags: 'a' });
  engine.docker.modem.demuxStream(stream, file, file);
  const broken = (error: unknown): void => {
    if (!over.aborted)
      log.warn('the output of a container broke off', { name, error: messageOf(error) });
  };
  const read = finished(stream, { writable: false })
    .catch(broken)
    .then(() => file.end());
  return { written: Promise.all([read, finished(file).catch(broken)]).then(() => undefined) };
}

/**
 * How the life that runs now ends. An engine that goes away for a moment says so later; of one that
 * stays away nobody knows what became of its containers.
 */
async function awaitEnd({ made, handle, over }: Living): Promise<string> {
  const { clock } = made;
  let answeredMs = msFromNanos(clock.now());
  for (;;) {
    try {
      const state = await inspectState(made, handle);
      if (state === undefined) return 'its container was removed';
      if (!state.Running) return endText(state);
      answeredMs = msFromNanos(clock.now());
      await handle.wait({ abortSignal: over });
    } catch (error) {
      if (over.aborted) return 'its container is being removed';
      if (msFromNanos(clock.now()) - answeredMs > ENGINE_AWAY_MS_MAX)
        return `unknown: the container engine does not answer (${messageOf(error)})`;
      await sleep(clock, LOOK_AGAIN_MS, over);
    }
  }
}

type State = Awaited<ReturnType<Handle['inspect']>>['State'];

/** Undefined: there is no such container any more. */
function inspectState({ clock }: Made, handle: Handle): Promise<State | undefined> {
  return callEngine(
    clock,
    'inspect a container',
    async (abortSignal) => {
      try {
        return (await handle.inspect({ abortSignal })).State;
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },
    INSPECT_MS_MAX,
  );
}

async function stateOf({ made, handle }: Living): Promise<ProcessState> {
  const state = await inspectState(made, handle);
  if (state === undefined || !state.Running) return { state: 'gone' };
  return { state: state.Paused ? 'paused' : 'running', pid: state.Pid };
}

/** As a shell would say it, which counts signals from 128 on. */
function endText({ ExitCode, OOMKilled, Error: why }: State): string {
  const signal = SIGNALS.get(ExitCode - 128);
  const how = signal === undefined ? `exit code ${ExitCode}` : `signal ${signal}`;
  const memory = OOMKilled ? ', for lack of memory' : '';
  return `${how}${memory}${why === '' ? '' : `: ${why}`}`;
}

const SIGNALS: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);

/** Does nothing about answers that say: it is so already, or it is gone. */
async function unlessItIs(statuses: readonly number[], call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined || !statuses.includes(status)) throw error;
  }
}
