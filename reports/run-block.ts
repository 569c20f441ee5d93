import type { Nanos } from '../harness/core/units.ts';
import type { Op } from '../harness/history/op.ts';
import { seedOf, titleOf } from './command.ts';
import { FaultStrip } from './fault-strip.ts';
import { isOnLinks } from './link-watch.ts';
import { type FaultRecord, Meter } from './meter.ts';
import type { Answers, Moment, ProgressOptions, Step } from './progress.ts';
import { plainStyle, type Style } from './style.ts';
import {
  clean,
  clipped,
  countText,
  lengthText,
  momentText,
  rateText,
  spanText,
  widthOf,
} from './words.ts';

const WINDOW_SECONDS = 5;
/** Of a line that scrolls up and may wrap. */
const SAID_MAX = 2000;

/** How one run goes: drawn while it does, and said when somebody asks. */
export class RunBlock implements Answers {
  readonly #options: ProgressOptions;
  readonly #style: Style;
  readonly #meter = new Meter();
  readonly #strip = new FaultStrip();
  #step: Step = 'setup';
  #stepStart: Nanos;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#style = options.style ?? plainStyle;
    this.#stepStart = options.clock.now();
  }

  begin(step: Step): void {
    this.#step = step;
    this.#stepStart = this.#options.clock.now();
    this.#strip.phase(step, this.#stepStart);
  }

  observe(op: Op): void {
    this.#meter.observe(op);
    if (op.process === 'nemesis') this.#strip.faults(op.time, this.#meter.faults.size);
  }

  /** Never wider than `columns`. With `compact` a single line. */
  lines(columns: number, compact: boolean): readonly string[] {
    if (compact) return [this.#compactLine(columns)];
    return [
      this.#headLine(columns),
      ...this.#rows(columns).map(([label, text]) => this.#row(label, text, columns)),
    ];
  }

  moment(): Moment {
    const { clock, manifest } = this.#options;
    return { nanos: clock.now(), step: this.#step, title: titleOf(manifest) };
  }

  state(): string {
    const { run } = this.#options.manifest;
    const { total, open } = this.#meter;
    const counts = [
      `${countText(total.ok)} ok`,
      `${countText(total.info)} unknown`,
      `${countText(total.fail)} failed`,
      `${countText(open)} without an answer yet`,
    ];
    const rows = [['so far', counts.join('  ')] as const, ...this.#rows(0)];
    return [
      this.#saidHead('state', [`${this.#step} ${this.#time()}`, `run ${clean(run)}`]),
      ...rows.map(([label, text]) => this.#row(label, text, SAID_MAX)),
      '',
    ].join('\n');
  }

  faults(): string {
    const { begun, records } = this.#meter;
    const left = begun.all - records.length;
    const count = `${countText(begun.all)} so far, ${countText(begun.installed)} took effect`;
    return [
      this.#saidHead('faults', [begun.all === 0 ? 'none so far' : count]),
      ...(left > 0 ? [`   ${countText(left)} before these`] : []),
      ...records.map((record) => this.#faultLine(record)),
      '',
    ].join('\n');
  }

  /** `state at 32.213 s   etcd/register   main 32.2 s of 60.0 s` */
  #saidHead(what: string, more: readonly string[]): string {
    const { nanos, title } = this.moment();
    const text = [`${what} at ${momentText(nanos)} s`, title, ...more].join('   ');
    return ` ${this.#style.strong(clipped(text, SAID_MAX))}`;
  }

  #faultLine({ text, beginNanos, endNanos, result, evidence, stuck }: FaultRecord): string {
    const end = endNanos === undefined ? '' : momentText(endNanos);
    const span = result === 'skipped' ? '' : `– ${end}`;
    const time = `${momentText(beginNanos).padStart(8)} ${span.padEnd(10)}`;
    const words = { installed: 'took effect', skipped: 'skipped', failed: 'did not take effect' };
    const { warn } = this.#style;
    const said = `${words[result]}: ${evidence}`;
    const told = result === 'installed' ? said : warn(said);
    return `   ${time} ${text}, ${told}${stuck === undefined ? '' : warn(`; its end: ${stuck}`)}`;
  }

  #compactLine(columns: number): string {
    const { clock, manifest } = this.#options;
    const load = this.#meter.load(clock.now(), WINDOW_SECONDS);
    const recent = load.ok + load.fail + load.info;
    const faults = [...this.#meter.faults.values()].map(({ text }) => text);
    const parts = [
      `${this.#step} ${this.#time()}`,
      ...(recent === 0
        ? []
        : [`${countText(load.perSecond)}/s`, `ok ${rateText(load.ok / recent)}`]),
      ...faults,
    ];
    const text = clipped(`${titleOf(manifest)}   ${parts.join('  ')}`, columns - 3);
    return ` ${this.#style.good('▶')} ${text}`;
  }

  #row(label: string, text: string, columns: number): string {
    const head = `   ${label.padEnd(9)}`;
    return `${this.#style.dim(head)}${clipped(text, columns - widthOf(head))}`;
  }

  /** Of the step, and of how much, where that is known. */
  #time(): string {
    const { clock, manifest } = this.#options;
    const { config } = manifest;
    const planned: Partial<Record<Step, number>> = {
      quiet: config.quietMs,
      main: config.durationMs,
    };
    const expected = planned[this.#step];
    const elapsed = (clock.now() - this.#stepStart) / 1e6;
    return expected === undefined
      ? lengthText(elapsed)
      : `${lengthText(Math.min(elapsed, expected))} of ${lengthText(expected)}`;
  }

  #headLine(columns: number): string {
    const { label, manifest } = this.#options;
    const time = this.#time();
    const text = clipped(`${titleOf(manifest)}   ${this.#step} ${time}`, columns - 3);
    const right = label ?? `seed ${seedOf(manifest)}   run ${clean(manifest.run)}`;
    const gap = columns - 3 - widthOf(text) - widthOf(right);
    const end = gap < 3 ? '' : `${' '.repeat(gap)}${this.#style.dim(right)}`;
    return ` ${this.#style.good('▶')} ${this.#style.strong(text)}${end}`;
  }

  #rows(columns: number): readonly (readonly [string, string])[] {
    const now = this.#options.clock.now();
    const { total, roles, faults, links } = this.#meter;
    const all = total.ok + total.fail + total.info;
    if (all === 0 && roles.length === 0) return [];
    const load = this.#meter.load(now, WINDOW_SECONDS);
    const recent = load.ok + load.fail + load.info;
    const share = (count: number): string => rateText(recent === 0 ? null : count / recent);
    const ops = [
      `${countText(load.perSecond)}/s`,
      `ok ${share(load.ok)}`,
      `unknown ${share(load.info)}`,
      `failed ${share(load.fail)}`,
      `p50 ${spanText(load.p50)}`,
      `p99 ${spanText(load.p99)}`,
      `${countText(all)} in all`,
    ];
    const active = [...faults.values()].map(
      ({ text, sinceNanos }) => `${text} (${lengthText((now - sinceNanos) / 1e6)})`,
    );
    const current = `now: ${active.join('   ') || 'none'}`;
    const strip = this.#strip.text(
      now,
      this.#options.manifest.config.durationMs,
      stripWidth(columns),
    );
    return [
      ['ops', ops.join('  ')],
      ...(roles.length === 0 ? [] : [['cluster', this.#cluster()] as const]),
      ...(this.#hasLinks() ? [['links', links.text()] as const] : []),
      ['faults', strip === '' ? current : `${strip}   ${current}`],
    ];
  }

  /** Where nothing happens to links there is nothing to say of them. */
  #hasLinks(): boolean {
    return this.#meter.links.isTold || this.#options.manifest.config.faults.some(isOnLinks);
  }

  #cluster(): string {
    return this.#meter.roles
      .map(({ node, role, term }) => {
        const name = role === 'leader' ? 'LEADER' : role;
        return `${clean(node)} ${name}${term === undefined ? '' : ` t${term}`}`;
      })
      .join('   ');
  }
}

/** A strip needs room to tell something, and must leave some for the faults of now. */
function stripWidth(columns: number): number {
  return columns < 80 ? 0 : Math.min(40, Math.floor(columns / 2.5));
}
