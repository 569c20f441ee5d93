import { recheckCertificate } from '../checkers/certificates/recheck.ts';
import { startingAt } from '../checkers/check-history.ts';
import type { Model } from '../checkers/models/model.ts';
import { register } from '../checkers/models/register.ts';
import { messageOf } from '../harness/core/errors.ts';
import type { History } from '../harness/history/history.ts';
import type { Anomaly } from '../harness/protocols/checker.ts';
import type { RunResult } from '../harness/protocols/run.ts';
import type { Claim } from '../reports/explain/claims.ts';
import { findModel } from './models.ts';

/** Entries of the history that are looked at, over all claims: some seconds. */
const WORK_MAX = 100_000_000;
const CLAIMS_MIN = 20;

/** Answers of the second opinion that say it has none. */
const NO_OPINION = /^there are too many orders|^there is no second opinion|^it takes the model/;

/**
 * Asks for a second opinion on what a run claims, one violation of each kind before any other. Of
 * very many in a long history only the first are tried again.
 */
export function recheckClaims(result: RunResult, history: History): readonly Claim[] {
  const claims = result.checks.flatMap(({ checker, verdict, anomalies }) =>
    verdict === 'invalid'
      ? oneOfEachKindFirst(anomalies).map((anomaly) => ({ checker, anomaly }))
      : [],
  );
  const most = Math.max(CLAIMS_MIN, Math.floor(WORK_MAX / Math.max(1, history.length)));
  return claims.map(({ checker, anomaly }, at) => ({
    checker,
    anomaly,
    ...(at < most
      ? opinionOf(anomaly, history)
      : { answer: 'untried' as const, why: `only the first ${most} claims were looked at` }),
  }));
}

function oneOfEachKindFirst(anomalies: readonly Anomaly[]): readonly Anomaly[] {
  const groups = [...Map.groupBy(anomalies, ({ kind }) => kind).values()];
  return [
    ...groups.flatMap((group) => group.slice(0, 1)),
    ...groups.flatMap((group) => group.slice(1)),
  ];
}

function opinionOf(anomaly: Anomaly, history: History): Pick<Claim, 'answer' | 'why'> {
  try {
    const opinion = recheckCertificate(anomaly, history, modelOf(anomaly));
    if (opinion === true) return { answer: 'holds' };
    return { answer: NO_OPINION.test(opinion) ? 'untried' : 'refuted', why: opinion };
  } catch (error) {
    // What a changed or foreign file says may have any shape.
    return { answer: 'refuted', why: messageOf(error) };
  }
}

/** What the certificate says it was judged by; without a word a register. */
function modelOf({ certificate }: Anomaly): Model {
  const { model, init } = certificate;
  return typeof model === 'string' ? startingAt(findModel(model), init) : register;
}
