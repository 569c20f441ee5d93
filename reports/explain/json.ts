import type { JsonValue } from '../../harness/core/json.ts';
import type { RunVerdict } from '../../harness/protocols/checker.ts';
import { againCommand } from '../command.ts';
import { type ShownOperation, shownOperations } from '../counterexample.ts';
import { parametersOf } from '../stored/parameters.ts';
import type { Claim, Explained } from './claims.ts';
import { checkText } from './text.ts';

export interface ExplanationDocument {
  readonly schism: 1;
  readonly run: string;
  readonly verdict: RunVerdict;
  readonly exitCode: number;
  readonly reasons: readonly string[];
  readonly fingerprint?: string;
  readonly violations: readonly {
    readonly checker: string;
    readonly kind: string;
    readonly key?: string;
    readonly explanation: string;
    readonly operations: readonly ShownOperation[];
    readonly certificate: Readonly<Record<string, JsonValue>>;
    readonly recheck: Pick<Claim, 'answer' | 'why'>;
  }[];
  readonly commands: { readonly check: string; readonly run: string };
  readonly parameters: Readonly<Record<string, string>>;
}

/** The explanation for programs: texts as they are, operations as the reports show them. */
export function explanationDocument(explained: Explained): ExplanationDocument {
  const { result, history, claims, fingerprint, ref } = explained;
  return {
    schism: 1,
    run: result.manifest.run,
    verdict: result.verdict,
    exitCode: result.exitCode,
    reasons: result.reasons,
    ...(fingerprint !== undefined && { fingerprint }),
    violations: claims.map(({ checker, anomaly, answer, why }) => ({
      checker,
      kind: anomaly.kind,
      ...(anomaly.key !== undefined && { key: anomaly.key }),
      explanation: anomaly.explanation,
      operations: shownOperations(anomaly, history),
      certificate: anomaly.certificate,
      recheck: { answer, ...(why !== undefined && { why }) },
    })),
    commands: { check: checkText(ref), run: againCommand(result.manifest) },
    parameters: Object.fromEntries(parametersOf(result.manifest)),
  };
}
