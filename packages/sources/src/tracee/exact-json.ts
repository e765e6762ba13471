// JSON in which 64-bit integers stay exact. Tracee's legacy dialect writes them
// bare, and JSON.parse would round them to 256 ns.
//
// JSON.parse is by far the fastest reader there is, so it stays the reader: the
// long integers of a line are put in quotes first. They are looked for by every
// sixteenth character, which no run of sixteen digits can miss. What has to be
// certain is that a run is a number and not a piece of a string. Nearly always
// it follows a plain key, and then there is no doubt:
//
//   "timestamp":1700000005000120000,
//
// The quote before the colon has a letter or a quote before it, so it is not
// escaped. Were it the beginning of a string, a string would have ended right
// before it with nothing but letters in between, which is not JSON, whether the
// digits are put in quotes or not. A run after anything else that can stand
// before a number sends the line to the slow and sure reader.

const LONG = 16;
const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const COLON = 58;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const CLOSE_BRACE = 125;
const DIGIT_0 = 48;

/**
 * Parses JSON; integers of 16 and more digits become decimal strings.
 * @throws SyntaxError
 */
// hot: runs once per line
export function parseExactJson(text: string): unknown {
  let quoted = '';
  let taken = 0;
  for (let i = LONG - 1; i < text.length; i += LONG) {
    if (!isDigit(text.charCodeAt(i))) continue;
    let from = i;
    while (from > 0 && isDigit(text.charCodeAt(from - 1))) from--;
    let end = i + 1;
    while (end < text.length && isDigit(text.charCodeAt(end))) end++;
    i = end - 1; // the next run begins behind this one at the earliest
    if (end - from < LONG || text.charCodeAt(from) === DIGIT_0) continue;
    if (from > 0 && text.charCodeAt(from - 1) === MINUS) from--;
    if (!canStandBefore(text, from) || !canStandAfter(text, end)) continue;
    if (!followsPlainKey(text, from)) return parseBySource(text);
    quoted += `${text.slice(taken, from)}"${text.slice(from, end)}"`;
    taken = end;
  }
  return JSON.parse(taken === 0 ? text : quoted + text.slice(taken));
}

function followsPlainKey(text: string, from: number): boolean {
  let colon = from - 1;
  while (colon >= 0 && isSpace(text.charCodeAt(colon))) colon--;
  if (text.charCodeAt(colon) !== COLON || text.charCodeAt(colon - 1) !== QUOTE) return false;
  let i = colon - 2;
  while (i >= 0 && isWordCharacter(text.charCodeAt(i))) i--;
  return text.charCodeAt(i) === QUOTE;
}

/** Can a number begin here, in JSON and outside of a string? */
function canStandBefore(text: string, from: number): boolean {
  if (from === 0) return true;
  const code = text.charCodeAt(from - 1);
  return code === COLON || code === COMMA || code === OPEN_BRACKET || isSpace(code);
}

/** Can an integer end here? A point or an exponent makes it a fraction, which is as exact as it ever is. */
function canStandAfter(text: string, end: number): boolean {
  if (end === text.length) return true;
  const code = text.charCodeAt(end);
  return code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isSpace(code);
}

function isDigit(code: number): boolean {
  return code >= DIGIT_0 && code <= 57;
}

function isWordCharacter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || isDigit(code);
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

const LONG_INTEGER = /^-?\d{16,}$/;

/** Asks for the source text of each number: a seventh of the speed. */
function parseBySource(text: string): unknown {
  const reviver: Reviver = (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && LONG_INTEGER.test(source) ? source : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}
