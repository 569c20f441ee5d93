/** Whether a regression can be played on this machine, and if not, why. */
import type { Catalogue } from '../registry.ts';
import type { Regression } from './regression.ts';
import { isWithin } from './versions.ts';

/** Asks each store once, however many regressions it has. */
export class Here {
  readonly #catalogue: Catalogue;
  readonly #answers = new Map<string, Promise<Answer>>();

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
  }

  /**
   * Why it cannot be played here; undefined: it can, or whoever resolves it will say what is wrong.
   * Throws `bad-option` for an option of the store that its backend does not have.
   */
  async whyNot(regression: Regression): Promise<string | undefined> {
    const { available, version } = await this.#ask(regression);
    if (available !== true) return available;
    const { versions, system } = regression;
    if (versions.length === 0 || (version !== undefined && isWithin(version, versions)))
      return undefined;
    const found = version === undefined ? 'nobody can tell which version it is' : `is ${version}`;
    const asked = versions.map(({ text }) => text).join(', ');
    return `it is of ${system} ${asked}, and here ${found}`;
  }

  #ask({ options, system: name, backend }: Regression): Promise<Answer> {
    const { systemOptions = {} } = options;
    const key = JSON.stringify([name, backend, systemOptions]);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const system = this.#catalogue.systems.find((each) => each.name === name);
    const texts = Object.fromEntries(
      Object.entries(systemOptions).map(([option, value]) => [option, String(value)]),
    );
    const ask = async (): Promise<Answer> => {
      if (system?.backends.includes(backend) !== true) return { available: true };
      const available = await system.available(texts, backend);
      const version = available === true ? await system.version?.(texts, backend) : undefined;
      return { available, ...(version !== undefined && { version }) };
    };
    const answer = ask();
    this.#answers.set(key, answer);
    return answer;
  }
}

interface Answer {
  readonly available: true | string;
  readonly version?: string;
}
