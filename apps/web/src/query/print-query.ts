// A query as text, in its normal form: one blank between terms, quotes only
// where they are needed. Reading it gives the same query again.

import { signalName } from '../layout/format.ts';
import type { Pattern, Query, Scalar, Test } from './ast.ts';
import { QUERY_FIELDS, type QueryField } from './fields.ts';

export function printQuery(query: Query): string {
  switch (query.kind) {
    case 'all':
      return query.items.map((item) => (item.kind === 'any' ? `(${printQuery(item)})` : printQuery(item))).join(' ');
    case 'any':
      return query.items.map(printQuery).join(' | ');
    case 'not':
      return query.item.kind === 'all' || query.item.kind === 'any'
        ? `!(${printQuery(query.item)})`
        : `!${printQuery(query.item)}`;
    case 'text':
      return query.pattern.kind === 'regex' ? printRegex(query.pattern.source) : printWords(query.pattern.text);
    case 'field':
      return `${query.field}:${query.tests.map((test) => printTest(query.field, test)).join('|')}`;
  }
}

/** Words as they are, in quotes where they would say something else. */
export function printWords(text: string): string {
  return isPlain(text) ? text : quoted(text);
}

function isPlain(text: string): boolean {
  if (!/^[^\s"()|!][^\s()|]*$/.test(text) || /^[A-Za-z]+:(?!\/\/)/.test(text)) return false;
  // A path of one part could be the beginning of a regular expression.
  return !text.startsWith('/') || /^\/[^\\/]+\/[^\\/]/.test(text);
}

function printTest(field: QueryField, test: Test): string {
  switch (test.kind) {
    case 'text':
      return `${test.op === ':' ? '' : test.op}${printValue(field, test.pattern)}`;
    case 'compare':
      return `${test.op === '=' ? '' : test.op}${printScalar(test.value)}`;
    case 'range':
      return `${test.from ? printScalar(test.from) : ''}..${test.to ? printScalar(test.to) : ''}`;
    case 'state':
      return test.state;
  }
}

function printValue(field: QueryField, pattern: Pattern): string {
  if (pattern.kind === 'regex') return printRegex(pattern.source);
  const { text } = pattern;
  const isNumber = QUERY_FIELDS[field].type === 'task' && /^\d+$/.test(text);
  return isPlain(text) && !isNumber && !/^[=<>]/.test(text) ? text : quoted(text);
}

function printScalar(scalar: Scalar): string {
  switch (scalar.kind) {
    case 'number':
      return String(scalar.value);
    case 'signal':
      return signalName(scalar.signal);
    default:
      return scalar.written;
  }
}

function printRegex(source: string): string {
  return `/${source.replace(/\\[\s\S]|\//g, (found) => (found === '/' ? '\\/' : found))}/`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
