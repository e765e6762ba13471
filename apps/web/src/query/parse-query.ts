// Reads a query:
//
//   query = any           any  = all { "|" all }          all = one { one }
//   one   = "!" one | "(" any ")" | field ":" values | pattern
//   values = value { "|" value }                          without blanks
//   value  = [ "=" | "!=" | "<" | "<=" | ">" | ">=" ] ( pattern | scalar ) | [ scalar ] ".." [ scalar ]
//   pattern = word | "words in quotes" | /regular expression/
//
// A slash begins a regular expression only where another one ends it before a
// blank: /usr/bin is a path. What can only be the beginning of one, as `/^ssh`, is not taken for text. Each character is looked at a bounded number of
// times, and a query has a length: nothing anybody can write takes long.

import { joined, negated, type Pattern, type Query, type Test } from './ast.ts';
import { isQueryField, nearestOf, QUERY_FIELD_NAMES, QUERY_FIELDS, type QueryField } from './fields.ts';
import { parseTest, QueryError, type QueryProblem, type WrittenValue } from './parse-value.ts';
import { printWords } from './print-query.ts';

export const MAX_QUERY = 500;

export type ParsedQuery =
  /** Undefined: nothing is asked. */
  | { readonly kind: 'read'; readonly query: Query | undefined }
  | { readonly kind: 'problem'; readonly problem: QueryProblem };

export function parseQuery(text: string): ParsedQuery {
  if (text.length > MAX_QUERY) {
    const problem = { message: `A query has ${MAX_QUERY} characters at most.`, from: MAX_QUERY, to: text.length };
    return { kind: 'problem', problem };
  }
  try {
    return { kind: 'read', query: new Reader(text).readAll() };
  } catch (thrown) {
    if (thrown instanceof QueryError) return { kind: 'problem', problem: thrown.problem };
    throw thrown;
  }
}

const OPERATOR = /^(?:!=|<=|>=|=|<|>)/;
/** Up to the end, and no path: those have a second slash, and seldom these characters. */
const REGEX_BEGUN = /^\/[^\s/]*[\\^$*+?([{][^\s/]*$/;
const FIELD = /^([A-Za-z]+):(?!\/\/)/;

class Reader {
  readonly #text: string;
  #at = 0;
  #open = 0; // brackets

  constructor(text: string) {
    this.#text = text;
  }

  readAll(): Query | undefined {
    this.#skipBlanks();
    return this.#at === this.#text.length ? undefined : this.#any();
  }

  #any(): Query {
    const items = [this.#all()];
    while (this.#text[this.#at] === '|') {
      this.#at++;
      items.push(this.#all());
    }
    return joined('any', items);
  }

  #all(): Query {
    const items: Query[] = [];
    for (;;) {
      this.#skipBlanks();
      const next = this.#text[this.#at];
      if (next === undefined || next === '|' || (next === ')' && this.#open > 0)) break;
      items.push(this.#one());
    }
    if (items.length > 0) return joined('all', items);
    const before = this.#text.slice(0, this.#at).trimEnd();
    if (before.endsWith('|'))
      throw QueryError.unfinished('Something has to follow the |.', before.length - 1, before.length);
    if (before.endsWith('(')) throw new QueryError('There is nothing in the brackets.', before.length - 1, this.#at);
    throw new QueryError('Something has to come before the |.', this.#at, this.#at + 1);
  }

  #one(): Query {
    const from = this.#at;
    if (this.#text[from] === '!') {
      this.#at++;
      this.#skipBlanks();
      const next = this.#text[this.#at];
      if (next === undefined || next === '|' || (next === ')' && this.#open > 0)) {
        throw QueryError.unfinished('Something has to follow the !, which negates it.', from, from + 1);
      }
      return negated(this.#one());
    }
    if (this.#text[from] === '(') {
      this.#at++;
      this.#open++;
      const inside = this.#any();
      if (this.#text[this.#at] !== ')') {
        throw new QueryError('The bracket is not closed.', from, from + 1, {
          text: `${this.#text})`,
          replaces: 'all',
        });
      }
      this.#at++;
      this.#open--;
      return inside;
    }
    const name = this.#fieldHere();
    if (name === undefined) return { kind: 'text', pattern: this.#pattern() };
    return this.#field(name);
  }

  #fieldHere(): string | undefined {
    return FIELD.exec(this.#text.slice(this.#at, this.#at + 32))?.[1];
  }

  #field(written: string): Query {
    const from = this.#at;
    const name = written.toLowerCase();
    this.#at += written.length + 1;
    if (!isQueryField(name)) throw this.#unknownField(written, from);
    const tests: Test[] = [this.#test(name)];
    while (this.#text[this.#at] === '|' && this.#isValueAfterBar()) {
      this.#at++;
      tests.push(this.#test(name));
    }
    return { kind: 'field', field: name, tests };
  }

  /** `user:root|deploy` names two users; in `user:root | deploy` and `user:root|name:sh` there are two terms. */
  #isValueAfterBar(): boolean {
    const before = this.#at;
    this.#at++;
    const next = this.#text[this.#at];
    const isNegated = next === '!' && this.#text[this.#at + 1] !== '=';
    const isValue = next !== undefined && !/[\s|()]/.test(next) && !isNegated && this.#fieldHere() === undefined;
    this.#at = before;
    return isValue;
  }

  #unknownField(written: string, from: number): QueryError {
    const name = nearestOf(written.toLowerCase(), QUERY_FIELD_NAMES);
    if (name !== undefined) {
      const fix = { text: `${name}:`, replaces: 'part' } as const;
      return new QueryError(`There is no field ${written}: did you mean ${name}:?`, from, this.#at, fix);
    }
    const valueFrom = this.#at;
    const rest = /^[^\s|)]*/.exec(this.#text.slice(valueFrom))?.[0] ?? '';
    const fix = { text: printWords(`${written}:${rest}`), replaces: 'part' } as const;
    const message = `There is no field ${written}. In quotes it is found as text: ${fix.text}`;
    return new QueryError(message, from, valueFrom + rest.length, fix);
  }

  #test(field: QueryField): Test {
    const from = this.#at;
    const operator = OPERATOR.exec(this.#text.slice(from, from + 2))?.[0];
    this.#at += operator?.length ?? 0;
    const next = this.#text[this.#at];
    const isEmpty = next === undefined || /[\s|]/.test(next) || (next === ')' && this.#open > 0);
    if (isEmpty) {
      const example = QUERY_FIELDS[field].examples[0];
      throw QueryError.unfinished(`${field}: needs a value, as in ${field}:${example}`, from, Math.max(from, this.#at));
    }
    const isBare = next !== '"' && !(next === '/' && this.#regexEnd() !== undefined);
    const pattern = this.#pattern();
    const value: WrittenValue = { operator, pattern, isBare, from, to: this.#at };
    return parseTest(field, value);
  }

  #pattern(): Pattern {
    const next = this.#text[this.#at];
    if (next === '"') return { kind: 'words', text: this.#quoted() };
    const end = next === '/' ? this.#regexEnd() : undefined;
    if (next === '/' && end === undefined && this.#open === 0 && REGEX_BEGUN.test(this.#text.slice(this.#at))) {
      throw QueryError.unfinished('A regular expression ends with another /.', this.#at, this.#text.length);
    }
    if (end === undefined) return { kind: 'words', text: this.#word() };
    const source = this.#text.slice(this.#at + 1, end).replaceAll('\\/', '/');
    this.#at = end + 1;
    return { kind: 'regex', source };
  }

  #quoted(): string {
    const from = this.#at;
    let text = '';
    for (let at = from + 1; at < this.#text.length; at++) {
      const next = this.#text[at] as string;
      if (next === '"') {
        this.#at = at + 1;
        return text;
      }
      const escaped = this.#text[at + 1];
      if (next === '\\' && (escaped === '"' || escaped === '\\')) {
        text += escaped;
        at++;
      } else text += next;
    }
    throw new QueryError('The quote is not closed.', from, from + 1, { text: `${this.#text}"`, replaces: 'all' });
  }

  /** Index of the slash that ends the regular expression which begins here; undefined when it is a path. */
  #regexEnd(): number | undefined {
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const next = this.#text[at];
      if (next === '\\') at++;
      else if (next === '/') {
        const after = this.#text[at + 1];
        const isEnd = after === undefined || /[\s|]/.test(after) || (after === ')' && this.#open > 0);
        return isEnd && at > this.#at + 1 ? at : undefined;
      }
    }
    return undefined;
  }

  /** A bracket that was opened in a word belongs to it. */
  #word(): string {
    const from = this.#at;
    let nested = 0;
    for (; this.#at < this.#text.length; this.#at++) {
      const next = this.#text[this.#at] as string;
      if (next === '|' || /\s/.test(next)) break;
      if (next === '(') nested++;
      else if (next === ')' && nested > 0) nested--;
      else if (next === ')' && this.#open > 0) break;
    }
    return this.#text.slice(from, this.#at);
  }

  #skipBlanks(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }
}
