import { describe, expect, test } from 'vitest';
import type { Evidence, FaultValue } from '../harness/protocols/nemesis.ts';
import { isOnLinks, LinkWatch } from './link-watch.ts';

const NODES = ['n1', 'n2', 'n3'];

/** All links open but these. */
function matrix(but: Readonly<Record<string, string>> = {}): Record<string, string> {
  const links = NODES.flatMap((from) =>
    NODES.filter((to) => to !== from).map((to) => [`${from}>${to}`, 'open']),
  );
  return { ...(Object.fromEntries(links) as Record<string, string>), ...but };
}

function event(
  stage: 'begin' | 'end',
  fault: string,
  evidence: Evidence,
  measured?: Record<string, string>,
): FaultValue {
  const value = { stage, fault, text: `${fault} somewhere`, targets: [], evidence };
  return measured === undefined ? value : { ...value, matrix: measured };
}

const PROVEN: Evidence = { result: 'installed', probe: {} };

/** What the row says after these events, each in the lane of its fault. */
function said(...events: readonly FaultValue[]): string {
  const watch = new LinkWatch();
  for (const each of events) watch.add(each.fault, each);
  return watch.text();
}

const CUT = matrix({ 'n1>n2': 'cut', 'n2>n1': 'cut', 'n1>n3': 'cut' });

describe('what is said of links', () => {
  test('nothing was done to them: all up', () => {
    expect(said()).toBe('all up');
    expect(said(event('begin', 'kill', PROVEN))).toBe('all up');
    expect(new LinkWatch().isTold).toBe(false);
  });

  test('those that measured cut, both directions as one', () => {
    expect(said(event('begin', 'partition', PROVEN, CUT))).toBe('n1|n2 n1→n3 cut');
    const all = Object.fromEntries(Object.keys(matrix()).map((link) => [link, 'cut']));
    expect(said(event('begin', 'partition', PROVEN, all))).toBe('all cut');
  });

  test('the newest measurement counts, whichever lane made it', () => {
    const begin = event('begin', 'partition', PROVEN, CUT);
    const other = event('begin', 'hold', PROVEN, { ...CUT, 'n2>n3': 'cut' });
    expect(said(begin, other)).toBe('n1|n2 n1→n3 n2→n3 cut');
    const end = event('end', 'partition', PROVEN, matrix({ 'n2>n3': 'cut' }));
    expect(said(begin, other, end)).toBe('n2→n3 cut');
  });

  test('a healed fault that nobody measured again is gone, and what is left says its name', () => {
    const begin = event('begin', 'partition', PROVEN, CUT);
    expect(said(begin, event('end', 'partition', PROVEN))).toBe('all up');
    expect(said(begin, event('end', 'kill', PROVEN))).toBe('n1|n2 n1→n3 cut');
    const hold = event('begin', 'hold', PROVEN, CUT);
    expect(said(begin, hold, event('end', 'partition', PROVEN))).toBe('hold somewhere');
    const stuck: Evidence = { result: 'failed', why: 'n1>n2 should be open again' };
    expect(said(begin, event('end', 'partition', stuck))).toBe('n1|n2 n1→n3 cut');
  });

  test('those that measured slower, or what a probe of bytes cannot tell', () => {
    const slower = { slower: { 'n1>n2': '+200 ms' }, silent: ['n1>n3'] };
    const late: Evidence = { result: 'installed', probe: slower };
    expect(said(event('begin', 'latency', late, matrix()))).toBe('n1→n2 n1→n3 slow');
    const read: Evidence = { result: 'installed', probe: { readBack: 'installed', names: [] } };
    const partition = event('begin', 'partition', PROVEN, CUT);
    expect(said(partition, event('begin', 'bandwidth', read, CUT))).toBe(
      'n1|n2 n1→n3 cut   bandwidth somewhere',
    );
    expect(said(event('begin', 'unplug', PROVEN))).toBe('unplug somewhere');
  });

  test('what was not proven says so, what was skipped is not there', () => {
    const failed: Evidence = { result: 'failed', why: 'measured open' };
    expect(said(event('begin', 'partition', failed, matrix()))).toBe(
      'partition somewhere (not proven)',
    );
    expect(said(event('begin', 'partition', { result: 'skipped', why: 'quorum' }))).toBe('all up');
  });

  test('all up is not said of what nobody could measure', () => {
    const unknown = matrix({ 'n1>n3': 'unknown' });
    const events = [
      event('begin', 'partition', PROVEN, CUT),
      event('end', 'partition', PROVEN, unknown),
    ];
    expect(said(...events)).toBe('none cut');
  });

  test('names from outside cannot control the terminal', () => {
    const evil = { 'n1>\u001b[2J\nn2': 'cut', 'n1>n2': 'open' };
    expect(said(event('begin', 'partition', PROVEN, evil))).toBe('n1→ n2 cut');
  });
});

test('faults of the network are told from others', () => {
  expect(['partition', 'latency', 'link', 'unplug'].every(isOnLinks)).toBe(true);
  expect(['kill', 'pause', 'clock-skew'].some(isOnLinks)).toBe(false);
});
