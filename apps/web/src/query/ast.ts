// What a query says, once it is read. Printing it and reading it again gives the
// same (print-query.ts).

import type { QueryField } from './fields.ts';

export type Query =
  | { readonly kind: 'all'; readonly items: readonly Query[] }
  | { readonly kind: 'any'; readonly items: readonly Query[] }
  | { readonly kind: 'not'; readonly item: Query }
  /** In a name, a command line or a path. */
  | { readonly kind: 'text'; readonly pattern: Pattern }
  /** One of the tests has to hold. */
  | { readonly kind: 'field'; readonly field: QueryField; readonly tests: readonly Test[] };

export type Pattern =
  | { readonly kind: 'words'; readonly text: string }
  | { readonly kind: 'regex'; readonly source: string };

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

export type Test =
  /** `:` is somewhere in it, `=` is the whole of it. */
  | { readonly kind: 'text'; readonly op: ':' | '=' | '!='; readonly pattern: Pattern }
  | { readonly kind: 'compare'; readonly op: Comparison; readonly value: Scalar }
  /** Both ends are in it; one of them can be left open. */
  | { readonly kind: 'range'; readonly from: Scalar | undefined; readonly to: Scalar | undefined }
  | { readonly kind: 'state'; readonly state: StateChoice };

export const STATES = ['running', 'exited', 'all'] as const;
export type StateChoice = (typeof STATES)[number];

export type Scalar =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'signal'; readonly signal: number }
  | { readonly kind: 'duration'; readonly ns: number; readonly written: string }
  /** As `parseTimeText` reads it: what it means depends on the instant that is shown. */
  | { readonly kind: 'time'; readonly written: string };

/** One item stands for itself, and lists in lists are one list. */
export function joined(kind: 'all' | 'any', items: readonly Query[]): Query {
  const flat = items.flatMap((item) => (item.kind === kind ? item.items : [item]));
  return flat.length === 1 ? (flat[0] as Query) : { kind, items: flat };
}

export function negated(item: Query): Query {
  return item.kind === 'not' ? item.item : { kind: 'not', item };
}

/** Calls `visit` for every text and field in it, and says whether it is asked for or ruled out. */
export function forEachTerm(
  query: Query,
  visit: (term: Extract<Query, { kind: 'text' | 'field' }>, isNegated: boolean) => void,
  isNegated = false,
): void {
  switch (query.kind) {
    case 'all':
    case 'any':
      for (const item of query.items) forEachTerm(item, visit, isNegated);
      break;
    case 'not':
      forEachTerm(query.item, visit, !isNegated);
      break;
    default:
      visit(query, isNegated);
  }
}
