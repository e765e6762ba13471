// JSON in which 64-bit integers stay exact. Tracee's legacy dialect writes them
// bare, and JSON.parse would round them to 256 ns.

/** Does the line hold an integer so long that a double may round it? Digits inside strings count too; that only costs. */
const HAS_LONG_INTEGER = /\d{16}/;
/** Strings and numbers, each as a whole. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_INTEGER = /^-?\d{16,}$/;

/**
 * Parses JSON; integers of 16 and more digits become decimal strings.
 * @throws SyntaxError
 */
export function parseExactJson(text: string): unknown {
  if (!HAS_LONG_INTEGER.test(text)) return JSON.parse(text);
  return JSON.parse(text.replace(TOKEN, (token) => (LONG_INTEGER.test(token) ? `"${token}"` : token)));
}
