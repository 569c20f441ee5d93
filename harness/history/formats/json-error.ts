/** Where JSON goes wrong: what the engines say of it differs, and often names no place. */

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/** What may come next; an array or object that was just opened may also be closed. */
type Wanted = 'value' | 'item' | 'name' | 'field' | 'colon' | 'more';

/** Offset of what cannot stand where it does; the length of the text if that ends too early. */
export function jsonErrorAt(text: string): number {
  const closing: string[] = [];
  let wanted: Wanted = 'value';
  for (let at = 0; ; ) {
    at = end(SPACE, text, at) ?? at;
    const char = text[at] ?? '';
    if (wanted === 'more') {
      const close = closing.at(-1);
      if (close === undefined || (char !== ',' && char !== close)) return at;
      if (char === ',') wanted = close === ']' ? 'value' : 'field';
      else closing.pop();
      at++;
    } else if (wanted === 'colon') {
      if (char !== ':') return at;
      wanted = 'value';
      at++;
    } else if ((wanted === 'item' || wanted === 'name') && char === closing.at(-1)) {
      closing.pop();
      wanted = 'more';
      at++;
    } else if (wanted === 'name' || wanted === 'field') {
      const next = end(STRING, text, at);
      if (next === undefined) return at;
      wanted = 'colon';
      at = next;
    } else if (char === '[' || char === '{') {
      closing.push(char === '[' ? ']' : '}');
      wanted = char === '[' ? 'item' : 'name';
      at++;
    } else {
      const next = end(STRING, text, at) ?? end(SCALAR, text, at);
      if (next === undefined) return at;
      wanted = 'more';
      at = next;
    }
  }
}

/** Where the match of `pattern` at `from` ends, if there is one. */
function end(pattern: RegExp, text: string, from: number): number | undefined {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
