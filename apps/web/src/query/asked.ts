// A query, read and taken apart into what the rest of the page asks of it.

import { forEachTerm, type Pattern, type Query } from './ast.ts';
import { parseQuery } from './parse-query.ts';
import type { QueryProblem } from './parse-value.ts';
import { compileRegex, isRegexEngineLoaded } from './regex.ts';

export interface Asked {
  readonly query: Query;
  /** Has it a field? Then it filters; plain text finds. */
  readonly isFilter: boolean;
  /** Does it speak of the ended, or of threads? Then these have rows, whatever is shown otherwise. */
  readonly needsExited: boolean;
  readonly needsThreads: boolean;
  readonly hasRegex: boolean;
  readonly marks: Marks;
}

/** What to mark in a row that is meant. */
export interface Marks {
  readonly name: readonly Pattern[];
  readonly command: readonly Pattern[];
}

export type Reading =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'asked'; readonly asked: Asked }
  | { readonly kind: 'problem'; readonly problem: QueryProblem }
  /** There is a regular expression in it, and what reads those is not loaded. */
  | { readonly kind: 'needs-regex' };

export function readQuery(text: string): Reading {
  const parsed = parseQuery(text);
  if (parsed.kind === 'problem') return parsed;
  const { query } = parsed;
  if (query === undefined) return { kind: 'nothing' };
  for (const source of regexesOf(query)) {
    if (!isRegexEngineLoaded()) return { kind: 'needs-regex' };
    const compiled = compileRegex(source);
    if (compiled.kind === 'bad') return { kind: 'problem', problem: badRegex(text, source, compiled.message) };
  }
  return { kind: 'asked', asked: askedOf(query) };
}

/** Is finding what the one asks for likely to take as long as it took for the other: no other rows, and no other means? */
export function isAlike(before: Asked | undefined, after: Asked | undefined): boolean {
  if (before === undefined || before.hasRegex || after?.hasRegex === true) return false;
  const { needsExited = false, needsThreads = false } = after ?? {};
  return before.needsExited === needsExited && before.needsThreads === needsThreads;
}

function askedOf(query: Query): Asked {
  let [isFilter, needsExited, needsThreads] = [false, false, false];
  const name: Pattern[] = [];
  const command: Pattern[] = [];
  forEachTerm(query, (term, isNegated) => {
    if (term.kind === 'text') {
      if (!isNegated) {
        name.push(term.pattern);
        command.push(term.pattern);
      }
      return;
    }
    const { field, tests } = term;
    isFilter = true;
    needsThreads ||= field === 'tid';
    needsExited ||= field === 'exit' || tests.some((test) => test.kind === 'state' && test.state !== 'running');
    const marked = field === 'name' ? name : field === 'cmd' || field === 'exe' ? command : undefined;
    if (isNegated || marked === undefined) return;
    for (const test of tests) if (test.kind === 'text' && test.op !== '!=') marked.push(test.pattern);
  });
  const hasRegex = regexesOf(query).length > 0;
  return { query, isFilter, needsExited, needsThreads, hasRegex, marks: { name, command } };
}

function regexesOf(query: Query): string[] {
  const sources: string[] = [];
  const take = (pattern: Pattern): void => {
    if (pattern.kind === 'regex') sources.push(pattern.source);
  };
  forEachTerm(query, (term) => {
    if (term.kind === 'text') take(term.pattern);
    else for (const test of term.tests) if (test.kind === 'text') take(test.pattern);
  });
  return sources;
}

function badRegex(text: string, source: string, message: string): QueryProblem {
  const written = `/${source.replaceAll('/', '\\/')}/`;
  const from = Math.max(0, text.indexOf(written));
  return { message: `Not a regular expression: ${message}`, from, to: from + written.length };
}
