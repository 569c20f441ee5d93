/**
 * Reads EDN (github.com/edn-format/edn) into JSON values, with a position for every complaint.
 *
 * Keywords and symbols become texts without their colon, characters texts, lists, vectors and sets
 * arrays, maps objects whose keys are texts; reader tags are dropped and what they tag is kept. Whole
 * numbers that a double cannot hold, and ratios, stay texts, so that different ones stay different.
 */
import type { HarnessError } from '../../core/errors.ts';
import type { JsonValue } from '../../core/json.ts';
import { badInput, excerpt, type Source } from './format.ts';

type Fields = { [name: string]: JsonValue };

/** Deeper than any history; keeps hostile input from the end of the stack. */
const DEPTH_MAX = 500;
/** Longer pieces of a text keep the whole of it in memory. */
const SLICE_MAX = 12;

const OTHER = 0;
const SPACE = 1;
const DELIMITER = 2;

/** What ends a token, by character code. */
const CLASSES: Uint8Array = new Uint8Array(128);
for (const char of ' \t\n\r\f\v,') CLASSES[char.charCodeAt(0)] = SPACE;
for (const char of '()[]{}";') CLASSES[char.charCodeAt(0)] = DELIMITER;

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
const CHARACTERS: Readonly<Record<string, string>> = {
  newline: '\n',
  return: '\r',
  space: ' ',
  tab: '\t',
  formfeed: '\f',
  backspace: '\b',
};
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  '"': '"',
  '\\': '\\',
  '/': '/',
};

export class EdnReader {
  /** Offset of the next character. */
  at = 0;
  readonly #source: Source;
  readonly #text: string;
  readonly #words: Map<string, string> = new Map();
  #depth = 0;

  constructor(source: Source) {
    this.#source = source;
    this.#text = source.text;
    if (this.#text.startsWith('\uFEFF')) this.at = 1;
  }

  /**
   * Moves to the next value, past spaces, comments, discarded values and tags. Returns its first
   * character, which may be a closing bracket; '' at the end of the text.
   */
  peek(): string {
    for (;;) {
      const char = this.#text[this.at] ?? '';
      if (isSpace(char)) this.at++;
      else if (char === ';') this.at = this.#endOfLine();
      else if (char !== '#') return char;
      else if (!this.#passTag()) return char;
    }
  }

  /** Takes an opening or closing bracket that `peek` returned. */
  take(): void {
    this.at++;
  }

  /** The value here. Throws `bad-input` where there is none, or one that is not EDN. */
  value(): JsonValue {
    const char = this.peek();
    switch (char) {
      case '':
        throw this.bad(this.at, 'the text ends where a value should be', CUT);
      case '"':
        return this.#string();
      case '[':
      case '(':
        return this.#items(char);
      case '{':
        return this.#map();
      case '#':
        return this.#dispatch();
      case '\\':
        return this.#character();
      case ']':
      case ')':
      case '}':
        throw this.bad(this.at, `'${char}' closes nothing`, DAMAGED);
      default:
        return this.#atom();
    }
  }

  bad(offset: number, what: string, advice: string): HarnessError {
    return badInput(this.#source, offset, what, advice);
  }

  /** At `#`: passes a tag or a discarded value; false for what is a value itself. */
  #passTag(): boolean {
    const next = this.#text[this.at + 1] ?? '';
    if (next === '{' || next === '#' || next === '"') return false;
    if (next === '_') {
      this.at += 2;
      this.value();
      return true;
    }
    const start = this.at++;
    if (this.#token() === '') throw this.bad(start, "'#' is followed by no tag", DAMAGED);
    return true;
  }

  /** Sets, patterns and the numbers that are none. */
  #dispatch(): JsonValue {
    this.at++;
    const next = this.#text[this.at];
    if (next === '{') return this.#items('{');
    if (next === '"') return this.#string();
    this.at++;
    return this.#token();
  }

  #items(open: string): JsonValue[] {
    const start = this.#enter();
    const items: JsonValue[] = [];
    while (!this.#closes(open, start)) items.push(this.value());
    return items;
  }

  #map(): Fields {
    const start = this.#enter();
    const fields: Fields = {};
    while (!this.#closes('{', start)) {
      const at = this.at;
      const key = this.value();
      if (this.peek() === '}')
        throw this.bad(at, `the map has no value for ${excerpt(JSON.stringify(key))}`, DAMAGED);
      const name = typeof key === 'string' ? key : JSON.stringify(key);
      if (name === '__proto__') this.value();
      else fields[name] = this.value();
    }
    return fields;
  }

  #enter(): number {
    if (++this.#depth > DEPTH_MAX)
      throw this.bad(this.at, `values are nested more than ${DEPTH_MAX} deep`, DAMAGED);
    return this.at++;
  }

  /** Takes the closing bracket if it comes next. */
  #closes(open: string, start: number): boolean {
    const wanted = CLOSING[open] ?? '';
    const char = this.peek();
    if (char === '') throw this.bad(start, `'${open}' is never closed`, CUT);
    if (char !== wanted) {
      if (!')]}'.includes(char)) return false;
      throw this.bad(this.at, `'${char}' stands where '${wanted}' should`, DAMAGED);
    }
    this.at++;
    this.#depth--;
    return true;
  }

  #string(): string {
    const start = this.at++;
    let out = '';
    for (let from = this.at; ; this.at++) {
      const char = this.#text[this.at];
      if (char === undefined) throw this.bad(start, 'a quote is never closed', CUT);
      if (char === '"') {
        out += this.#text.slice(from, this.at++);
        return detached(out);
      }
      if (char !== '\\') continue;
      out += this.#text.slice(from, this.at) + this.#escape();
      from = this.at + 1;
    }
  }

  /** At a backslash; ends at the last character of the escape. */
  #escape(): string {
    const letter = this.#text[++this.at] ?? '';
    const hex = /^[0-9a-fA-F]{4}/.exec(this.#text.slice(this.at + 1, this.at + 5))?.[0];
    if (letter === 'u' && hex !== undefined) {
      this.at += 4;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const char = ESCAPES[letter];
    if (char === undefined)
      throw this.bad(this.at - 1, `'\\${letter}' is not an escape of EDN`, DAMAGED);
    return char;
  }

  #character(): string {
    this.at += 2;
    const name = (this.#text[this.at - 1] ?? '') + this.#token();
    const hex = /^u([0-9a-fA-F]{4})$/.exec(name)?.[1];
    return hex === undefined
      ? (CHARACTERS[name] ?? name)
      : String.fromCharCode(Number.parseInt(hex, 16));
  }

  #atom(): JsonValue {
    const start = this.at;
    const token = this.#token();
    const first = token.charCodeAt(0);
    if (first === 58) return this.#word(token.slice(1));
    const isNumber = (first >= 48 && first <= 57) || (token.length > 1 && isSigned(token));
    if (isNumber) return this.#number(token, start);
    if (token === 'nil') return null;
    if (token === 'true') return true;
    return token === 'false' ? false : this.#word(token);
  }

  #number(token: string, start: number): JsonValue {
    if (token.length < 16 && isDigits(token)) return Number(token);
    const whole = /^[+-]?\d+N?$/.test(token);
    const value = Number(token.replace(/[NM]$/, ''));
    if (whole) return Number.isSafeInteger(value) ? value : detached(token.replace(/^\+|N$/g, ''));
    if (/^[+-]?\d+\/\d+$/.test(token)) return detached(token);
    if (Number.isFinite(value)) return value;
    throw this.bad(start, `'${excerpt(token)}' is not a number`, DAMAGED);
  }

  /** Keywords are few and come often: each is kept once. */
  #word(text: string): string {
    const known = this.#words.get(text);
    if (known !== undefined) return known;
    const word = detached(text);
    this.#words.set(word, word);
    return word;
  }

  #token(): string {
    const start = this.at;
    const text = this.#text;
    while (this.at < text.length && classOf(text.charCodeAt(this.at)) === OTHER) this.at++;
    return text.slice(start, this.at);
  }

  #endOfLine(): number {
    const end = this.#text.indexOf('\n', this.at);
    return end < 0 ? this.#text.length : end;
  }
}

const DAMAGED = 'this is not EDN, or it is damaged; name another --format, or use another copy';
const CUT = 'the file may have been cut short; use another copy';

function classOf(code: number): number {
  return code < 128 ? (CLASSES[code] as number) : OTHER;
}

function isSpace(char: string): boolean {
  return char !== '' && classOf(char.charCodeAt(0)) === SPACE;
}

function isDigits(token: string): boolean {
  for (let at = 0; at < token.length; at++) {
    const code = token.charCodeAt(at);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

function isSigned(token: string): boolean {
  const [sign, digit] = [token.charCodeAt(0), token.charCodeAt(1)];
  return (sign === 43 || sign === 45) && digit >= 48 && digit <= 57;
}

/** A copy that does not keep the text alive which it was cut from. */
function detached(piece: string): string {
  return piece.length > SLICE_MAX ? ` ${piece}`.slice(1) : piece;
}
