/**
 * How well a text has the wanted letters, in order: at beginnings of words and side by side they count more. Undefined
 * when it does not have them.
 */
export function fuzzyScore(text: string, wanted: string): number | undefined {
  const lower = text.toLowerCase();
  let score = 0;
  let at = -1;
  for (const letter of wanted.toLowerCase().replace(/\s+/g, '')) {
    const beside = at + 1;
    const beginning = beginningOf(lower, letter, beside);
    const next = lower[beside] === letter ? beside : beginning >= 0 ? beginning : lower.indexOf(letter, beside);
    if (next < 0) return undefined;
    score += next === beside ? 3 : next === beginning ? 2 : 0;
    at = next;
  }
  return score - lower.length / 100;
}

function beginningOf(text: string, letter: string, from: number): number {
  for (let at = text.indexOf(letter, from); at >= 0; at = text.indexOf(letter, at + 1)) {
    if (at === 0 || text[at - 1] === ' ') return at;
  }
  return -1;
}
