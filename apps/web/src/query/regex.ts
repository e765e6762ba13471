// Regular expressions that cannot hang the page: RE2 matches in time that grows
// with the text alone, whatever the pattern. It is loaded when a query first
// has one.

import type { RE2JS } from 're2js';

export interface Regex {
  test(text: string): boolean;
  /** [from, to) of the first match that is not empty. */
  find(text: string): readonly [number, number] | undefined;
}

/** A regular expression, or why it is none. */
export type CompiledRegex =
  | { readonly kind: 'regex'; readonly regex: Regex }
  | { readonly kind: 'bad'; readonly message: string };

type Engine = typeof RE2JS;

let engine: Engine | undefined;
const compiled = new Map<string, CompiledRegex>();
/** As many as a person writes before the page is loaded again; typing one makes one for each key. */
const MAX_COMPILED = 64;
const MAX_FOUND = 64;

export async function loadRegexEngine(): Promise<void> {
  engine ??= (await import('re2js')).RE2JS;
}

export function isRegexEngineLoaded(): boolean {
  return engine !== undefined;
}

/** Case does not matter, unless the pattern begins with `(?-i)`. Only after {@link loadRegexEngine}. */
export function compileRegex(source: string): CompiledRegex {
  if (engine === undefined) throw new Error('loadRegexEngine comes first');
  const known = compiled.get(source);
  if (known !== undefined) return known;
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  const result = compile(engine, source);
  compiled.set(source, result);
  return result;
}

function compile(re2: Engine, source: string): CompiledRegex {
  try {
    const pattern = re2.compile(source, re2.CASE_INSENSITIVE);
    return {
      kind: 'regex',
      regex: {
        test: (text) => pattern.test(text),
        find: (text) => {
          const matcher = pattern.matcher(text);
          for (let tries = 0; tries < MAX_FOUND && matcher.find(); tries++) {
            if (matcher.end() > matcher.start()) return [matcher.start(), matcher.end()];
          }
          return undefined;
        },
      },
    };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    // The library puts its flag in front of the pattern.
    return { kind: 'bad', message: message.replace(/^error parsing regexp: /, '').replace('`(?i)', '`') };
  }
}
