import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { KeyHistory, KeyOp } from '../key-history.ts';
import { brief } from '../sentences.ts';
import { clientName, counted, listed, momentText } from '../text.ts';
import { entriesOf } from './explain.ts';
import type { Core } from './shrink.ts';

const LISTED_MAX = 12;

/** The anomaly where only the search proves it: no order of a few operations works. */
export function noOrderAnomaly(key: KeyHistory, core: Core): Anomaly {
  const at = (position: number): KeyOp => key.ops[position] as KeyOp;
  const kept = core.kept.map(at);
  const furthest = core.furthest.map(at);
  const blocked = kept.find(({ end }) => end === core.upTo);
  return {
    kind: 'not-linearizable',
    key: key.key,
    ops: entriesOf(kept).filter((entry) => entry <= core.upTo),
    certificate: {
      operations: kept.map(({ start }) => start),
      from: core.from,
      upTo: core.upTo,
      furthest: furthest.map(({ start }) => start),
      minimal: core.minimal,
    },
    explanation: [
      whatever(key, core.from),
      `e tried every order of these ${counted(kept.length, 'operation')}; none works: `,
      `${listed(kept.map(brief), LISTED_MAX)}. `,
      leftOut(kept, core),
      oneWay(furthest, blocked),
    ].join(''),
  };
}

/** The beginning of the first sentence. */
function whatever({ key, ops }: KeyHistory, from: number): string {
  const cut = ops.find(({ start }) => start === from);
  return cut === undefined
    ? `On ${key} w`
    : `Whatever ${key} held at ${momentText(cut.invoke)}, nothing explains what followed. W`;
}

function leftOut(kept: readonly KeyOp[], { from, upTo }: Core): string {
  const open = kept.filter(({ start, end }) => start < from || end > upTo).length;
  if (open === 0) return '';
  const [whose, it] = open === 1 ? ['One of them', 'it'] : [`${open} of them`, 'them'];
  return `${whose} may have taken effect in that time or not, so an order may use or omit ${it}. `;
}

function oneWay(furthest: readonly KeyOp[], blocked: KeyOp | undefined): string {
  if (blocked?.completion === undefined) return '';
  const names = listed(furthest.map(brief), LISTED_MAX);
  const last = `${brief(blocked)}, answered at ${momentText(blocked.completion)}`;
  return furthest.length === 0
    ? `Not even ${last}, fits.`
    : `One way that gets furthest, not necessarily what happened: ${names}; ` +
        `then ${clientName(blocked.invoke)} is left over with ${last}.`;
}
