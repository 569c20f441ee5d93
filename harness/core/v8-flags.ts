/** Undefined in a browser. Its modules are asked for only when needed, so that this can be loaded there. */
const { process: node } = globalThis as { readonly process?: Partial<NodeJS.Process> };

/** Of a Node of its own, on the command line. */
export const NO_FASTER_CALLS = '--wasm-wrapper-tiering-budget=1000000000';

/**
 * When WebAssembly has called JavaScript a thousand times, V8 builds a faster way there. In a process
 * with several threads, to free an old one ends Node 24.21 now and then (`Check failed:
 * jit_page.has_value()` below `TierUpWasmToJSWrapper`). Our engine calls so seldom that it can do without,
 * and what Node itself loads (it strips types by WebAssembly) hardly calls more often.
 */
export function withoutFasterCalls(): void {
  // Others may not know the flag, and would say so.
  if (node?.versions?.node.startsWith('24.') !== true) return;
  node.getBuiltinModule?.('node:v8').setFlagsFromString(NO_FASTER_CALLS);
}
