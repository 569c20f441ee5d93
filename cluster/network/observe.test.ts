import { describe, expect, it } from 'vitest';
import { classify, growth, type LinkBytes, type Sightings } from './observe.ts';
import type { ProbeResult } from './probe.ts';

const answered: ProbeResult = { result: 'answered', rttMs: 2 };
const closed: ProbeResult = { result: 'closed' };
const silent: ProbeResult = { result: 'silent', isConnected: true };
const counted = (upstream: number, downstream: number): LinkBytes => ({
  upstream,
  downstream,
  upstreamRead: upstream,
  downstreamRead: downstream,
  isLate: false,
});
const both = counted(9, 9);
const none = counted(0, 0);
const requestOnly = counted(9, 0);

interface Case {
  /** Through n1>n2 and through n2>n1. */
  readonly probes: readonly [ProbeResult, ProbeResult];
  readonly grown: readonly [LinkBytes, LinkBytes];
  /** Of n1 and n2 themselves. */
  readonly direct?: readonly [ProbeResult, ProbeResult];
  readonly isCounted?: boolean;
}

/** The states of n1>n2 and n2>n1. */
function states({
  probes,
  grown,
  direct = [answered, answered],
  isCounted = true,
}: Case): string[] {
  const seen: Sightings = {
    nodes: ['n1', 'n2'],
    links: new Map([
      ['n1>n2', probes[0]],
      ['n2>n1', probes[1]],
    ]),
    direct: new Map([
      ['n1', direct[0]],
      ['n2', direct[1]],
    ]),
    grown: new Map(
      isCounted
        ? [
            ['n1>n2', grown[0]],
            ['n2>n1', grown[1]],
          ]
        : [],
    ),
  };
  return classify(seen).map(({ state, reason }) => (reason ? `${state}: ${reason}` : state));
}

describe('a pair of links', () => {
  it('is open when both probes come back', () => {
    expect(states({ probes: [answered, answered], grown: [both, both] })).toEqual(['open', 'open']);
    expect(states({ probes: [answered, answered], grown: [none, none], isCounted: false })).toEqual(
      ['open', 'open'],
    );
  });

  it('is cut both ways when nothing passes anywhere', () => {
    expect(states({ probes: [silent, silent], grown: [none, none] })).toEqual([
      'cut: no byte of n1 reaches n2',
      'cut: no byte of n2 reaches n1',
    ]);
  });

  it('is cut one way when requests one way and answers the other way are missing', () => {
    // n1 does not reach n2: its requests stay, and so do its answers to n2.
    expect(states({ probes: [silent, silent], grown: [none, requestOnly] })).toEqual([
      'cut: no byte of n1 reaches n2',
      'open',
    ]);
  });

  it('is unknown when just one of the two streams of a direction is cut', () => {
    expect(states({ probes: [answered, silent], grown: [both, requestOnly] })[0]).toMatch(
      /^unknown: half cut: .* that n1 dials$/,
    );
    expect(states({ probes: [silent, answered], grown: [none, both] })[0]).toMatch(
      /^unknown: half cut: .* that n2 dials$/,
    );
  });

  it('is never called cut by ambient traffic that passes', () => {
    expect(states({ probes: [silent, silent], grown: [both, both] })).toEqual(['open', 'open']);
  });
});

describe('a node that does not answer', () => {
  it('makes the way to it unknown when it is down, also behind a cut', () => {
    const direct = [answered, closed] as const;
    expect(states({ probes: [closed, answered], grown: [none, both], direct })).toEqual([
      'unknown: n2 is down',
      'open',
    ]);
    expect(states({ probes: [silent, silent], grown: [none, none], direct })).toEqual([
      'unknown: n2 is down',
      'cut: no byte of n2 reaches n1',
    ]);
  });

  it('leaves a cut measurable when it is only paused', () => {
    const direct = [answered, silent] as const;
    expect(states({ probes: [silent, silent], grown: [requestOnly, none], direct })).toEqual([
      'unknown: n2 is silent',
      'cut: no byte of n2 reaches n1',
    ]);
    expect(states({ probes: [silent, answered], grown: [none, both], direct })[0]).toMatch(
      /^unknown/,
    );
  });
});

it('claims nothing where not one connection came about: whoever looked has slept', () => {
  const unsent: ProbeResult = { result: 'silent', isConnected: false };
  const probes = [unsent, unsent] as const;
  expect(states({ probes, grown: [none, none], direct: [unsent, unsent] })).toEqual([
    'unknown: n2 is silent',
    'unknown: n1 is silent',
  ]);
  // The nodes themselves were reached.
  expect(states({ probes, grown: [none, none] })).toEqual([
    'cut: no byte of n1 reaches n2',
    'cut: no byte of n2 reaches n1',
  ]);
});

it('claims nothing about silence when nothing was counted', () => {
  expect(states({ probes: [silent, silent], grown: [none, none], isCounted: false })).toEqual([
    'unknown: no answer, and the link server does not count bytes',
    'unknown: no answer, and the link server does not count bytes',
  ]);
});

describe('what counters say of now', () => {
  const late = (read: number, sent: number): LinkBytes => ({
    ...counted(sent, sent),
    upstreamRead: read,
    downstreamRead: read,
    isLate: true,
  });
  const grown = (before: LinkBytes, after: LinkBytes): LinkBytes | undefined =>
    growth(new Map([['n1>n2', before]]), new Map([['n1>n2', after]])).get('n1>n2');

  it('is what they have grown by', () => {
    expect(grown(counted(5, 7), counted(9, 7))).toEqual(counted(4, 0));
  });

  it('is nothing where an old connection brought its bytes along and a probe was lost', () => {
    // The old connection carried 1000 bytes before the cut; the probe's 9 were read, not sent.
    expect(grown(late(0, 0), late(1_009, 1_000))).toMatchObject({ upstream: 0, downstream: 0 });
    expect(grown(late(0, 0), late(1_009, 1_009))).toMatchObject({ upstream: 1_009 });
  });

  it('is unknown where they were not read both times', () => {
    expect(growth(new Map(), new Map([['n1>n2', both]])).size).toBe(0);
  });
});
