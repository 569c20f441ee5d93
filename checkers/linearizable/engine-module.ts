/** The compiled search (`engine/`): one instance of the module is one search at a time. */
import { HarnessError } from '../../harness/core/errors.ts';
import { invariant } from '../../harness/core/invariant.ts';
import { withoutFasterCalls } from '../../harness/core/v8-flags.ts';

/** What the module exports; see engine/index.ts. Booleans are 0 or 1. */
export interface EngineExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly begin: (limitBytes: number, operations: number, kinds: number) => number;
  readonly kindsColumn: () => number;
  readonly callsColumn: () => number;
  readonly returnsColumn: () => number;
  readonly flagsColumn: () => number;
  readonly groupsColumn: () => number;
  readonly prepare: (rules: number, waveWidth: number, starts: number, isStretch: number) => number;
  readonly prepareToDash: (rules: number) => number;
  readonly run: (steps: number) => number;
  readonly stepCount: () => number;
  readonly configurationCount: () => number;
  readonly stateCount: () => number;
  readonly concurrency: () => number;
  readonly passed: () => number;
  readonly completions: () => number;
  readonly operationOf: (completion: number) => number;
  readonly arenaBytes: () => number;
  readonly furthestPlace: () => number;
  readonly trace: (to: number) => number;
  readonly tracedAt: () => number;
  readonly survey: (limit: number) => number;
  readonly surveyedAt: () => number;
  readonly operationIn: (slot: number) => number;
}

export type Step = (state: number, kind: number) => number;

export interface EngineInstance {
  readonly exports: EngineExports;
  /** What to ask from now on. */
  setStep(step: Step): void;
}

/** What is used of WebAssembly; the libraries of TypeScript have it only for browsers. */
interface Api {
  readonly Module: new (bytes: Uint8Array) => CompiledEngine;
  readonly Instance: new (
    module: CompiledEngine,
    imports: Readonly<Record<string, Readonly<Record<string, Step>>>>,
  ) => { readonly exports: object };
}
const { WebAssembly: api } = globalThis as unknown as { readonly WebAssembly: Api };

/** May be posted to workers, which need not compile it again. */
export type CompiledEngine = object;

let compiled: CompiledEngine | undefined;

/**
 * Compiles once; a search does it by itself where there are files. In a browser, fetch
 * `checkers/linearizable/engine.wasm` and give its bytes before anything else; another thread may
 * be given what this returned.
 */
export function loadEngine(source?: Uint8Array | CompiledEngine): CompiledEngine {
  compiled ??=
    source instanceof Uint8Array || source === undefined
      ? compileEngine(source ?? engineBytes())
      : source;
  return compiled;
}

/** Asks for files only when it needs them, so that this can be loaded where there are none. */
function engineBytes(): Uint8Array {
  const { process: node } = globalThis as { readonly process?: Partial<NodeJS.Process> };
  const files = node?.getBuiltinModule?.('node:fs');
  if (files !== undefined) return files.readFileSync(new URL('./engine.wasm', import.meta.url));
  throw new HarnessError(
    'bad-option',
    'there is no file to read the engine from; fetch engine.wasm and give its bytes to loadEngine',
  );
}

export function compileEngine(bytes: Uint8Array): CompiledEngine {
  withoutFasterCalls();
  return new api.Module(bytes);
}

export function instantiate(module: CompiledEngine = loadEngine()): EngineInstance {
  let ask: Step = () => -1;
  const step: Step = (state, kind) => ask(state, kind);
  const { exports } = new api.Instance(module, { host: { step } });
  invariant('begin' in exports, 'engine.wasm is not our engine');
  return {
    exports: exports as unknown as EngineExports,
    setStep: (next) => {
      ask = next;
    },
  };
}
