// Which parts of a text that is shown were asked for.

import type { Pattern } from './ast.ts';
import { wordsPattern } from './match-query.ts';
import { compileRegex, isRegexEngineLoaded } from './regex.ts';

export interface Part {
  readonly text: string;
  readonly isMarked: boolean;
}

/** The text in parts, in order. Of each pattern the first place is marked. */
export function markedParts(text: string, patterns: readonly Pattern[]): Part[] {
  const places = patterns.map((pattern) => placeOf(text, pattern)).filter((place) => place !== undefined);
  places.sort((a, b) => a[0] - b[0]);
  const parts: Part[] = [];
  let at = 0;
  for (const [from, to] of places) {
    if (to <= at) continue;
    const begin = Math.max(from, at);
    if (begin > at) parts.push({ text: text.slice(at, begin), isMarked: false });
    parts.push({ text: text.slice(begin, to), isMarked: true });
    at = to;
  }
  if (at < text.length) parts.push({ text: text.slice(at), isMarked: false });
  return parts;
}

function placeOf(text: string, pattern: Pattern): readonly [number, number] | undefined {
  if (pattern.kind === 'regex') {
    const compiled = isRegexEngineLoaded() ? compileRegex(pattern.source) : undefined;
    return compiled?.kind === 'regex' ? compiled.regex.find(text) : undefined;
  }
  const match = pattern.text === '' ? null : wordsPattern(pattern.text).exec(text);
  return match === null ? undefined : [match.index, match.index + match[0].length];
}
