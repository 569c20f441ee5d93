/** What the author of a test needs: `import { ... } from 'schism'`. */

export { availability } from './checkers/availability.ts';
export { recheckCertificate } from './checkers/certificates/recheck.ts';
export {
  checkHistory,
  type HistoryCheck,
  type HistoryCheckOptions,
} from './checkers/check-history.ts';
export { checkAll, mergeVerdicts } from './checkers/compose.ts';
export { evidence } from './checkers/evidence.ts';
export { linearizable } from './checkers/linearizable/checker.ts';
export { type CompiledEngine, loadEngine } from './checkers/linearizable/engine-module.ts';
export { logPattern } from './checkers/log-pattern.ts';
export type { Model } from './checkers/models/model.ts';
export { register as registerModel } from './checkers/models/register.ts';
export { readModes } from './checkers/read-modes.ts';
export { prefixConsistent } from './checkers/sequential/prefix-consistent.ts';
export { sequential } from './checkers/sequential/sequential.ts';
export { stats } from './checkers/stats.ts';
export {
  type AttachCommandsConfig,
  type AttachConfig,
  type AttachLinksConfig,
  type AttachNodeConfig,
  type ConfigValue,
  defineConfig,
  type ProjectConfig,
  type ReporterConfig,
  type RetainConfig,
  type RunOptions,
  type ScheduleLine,
  type SchismConfig,
} from './cli/config/config.ts';
export { findModel } from './cli/models.ts';
export type {
  ChaosTestOptions,
  DeclareTest,
  ViolationTestOptions,
} from './cli/suite/chaos-test.ts';
export { test } from './cli/suite/test-api.ts';
export { deployPrograms, type ProgramNode, type Programs } from './cluster/systems/programs.ts';
export { type Clock, realClock, sleep, VirtualClock } from './harness/core/clock.ts';
export { EXIT, HarnessError } from './harness/core/errors.ts';
export type { JsonValue } from './harness/core/json.ts';
export { Random, type Seed, seedFrom } from './harness/core/prng.ts';
export type { Nanos, NodeName } from './harness/core/units.ts';
export { fromFunction, log, op, ops, sleepFor } from './harness/generator/basic.ts';
export {
  concurrencyLimit,
  cycle,
  limit,
  once,
  processLimit,
  repeat,
  untilOk,
} from './harness/generator/bounds.ts';
export {
  andThen,
  any,
  concat,
  flipFlop,
  mix,
  phases,
  shortestAny,
  synchronize,
} from './harness/generator/combine.ts';
export type { Context, Generator, Next, Offer, Thread } from './harness/generator/generator.ts';
export { concurrentKeys, sequentialKeys } from './harness/generator/independent.ts';
export { cycleTimes, delay, stagger, timeLimit } from './harness/generator/rate.ts';
export {
  clients,
  eachProcess,
  eachThread,
  nemesis,
  onThreads,
  reserve,
} from './harness/generator/route.ts';
export { imperfect, perfect, perfectInfo, quick, simulate } from './harness/generator/simulate.ts';
export { cache, filter, fMap, map, onUpdate, trace, validate } from './harness/generator/wrap.ts';
export type { Format, Imported, ReadOptions } from './harness/history/formats/format.ts';
export { guessFormat, importHistory } from './harness/history/formats/import.ts';
export { History, HistoryBuilder, historyOf } from './harness/history/history.ts';
export { readHistory } from './harness/history/jsonl.ts';
export { parseHistory, printHistory } from './harness/history/notation.ts';
export type { Op, OpError, ReadMode, ServerStamp } from './harness/history/op.ts';
export type {
  Anomaly,
  CheckContext,
  Checker,
  CheckResult,
  Removals,
} from './harness/protocols/checker.ts';
export type { Client, Completion } from './harness/protocols/client.ts';
export type { Evidence, FaultValue, Nemesis } from './harness/protocols/nemesis.ts';
export {
  type Grudge,
  NETWORK_ABILITIES,
  type Network,
  type Shape,
} from './harness/protocols/network.ts';
export type {
  Apis,
  Call,
  Capability,
  Cluster,
  Connection,
  DeployRequest,
  Outcome,
  RegisterApi,
  RoleSample,
  System,
  Timing,
} from './harness/protocols/system.ts';
export type { Workload, WorkloadInstance, WorkloadOptions } from './harness/protocols/workload.ts';
