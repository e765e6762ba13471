// How a query that is being written could go on at the caret.

import { plural } from '../layout/format.ts';
import { STATES } from './ast.ts';
import { isQueryField, QUERY_FIELD_NAMES, QUERY_FIELDS, type QueryField } from './fields.ts';
import { printWords } from './print-query.ts';
import type { CountedField, Word } from './vocabulary.ts';

export interface Completion {
  /** The query with it, and where the caret is then. */
  readonly text: string;
  readonly caret: number;
  readonly label: string;
  readonly detail: string;
}

const MAX_FIELDS = 6;
const MAX_VALUES = 8;
/** Opening brackets, bars and negations end what came before. */
const WORD = /(?:^|[\s|(!])([^\s|()!"]*)$/;
const VALUE = /(?:^|[\s|(!])([A-Za-z]+):([^\s()"]*)$/;
/** What can be counted, where that helps. */
const COUNTED: Partial<Readonly<Record<QueryField, CountedField>>> = {
  name: 'name',
  under: 'name',
  above: 'name',
  container: 'container',
  user: 'user',
  euid: 'euid',
  exit: 'exit',
};

export function completions(
  text: string,
  caret: number,
  valuesOf: (field: CountedField) => readonly Word[],
): Completion[] {
  const before = text.slice(0, caret);
  const [, field, written = ''] = VALUE.exec(before) ?? [];
  if (field !== undefined && isQueryField(field.toLowerCase())) {
    return ofField(field.toLowerCase() as QueryField, written, text, caret, valuesOf);
  }
  const word = WORD.exec(before)?.[1] ?? '';
  if (word === '') return text.trim() === '' ? fieldsLike('', text, caret, QUERY_FIELD_NAMES.length) : [];
  const names = like(word, valuesOf('name'), MAX_VALUES).map((one) =>
    completion(text, caret, word, `${printWords(one.value)} `, one.value, plural(one.count, 'row')),
  );
  return [...fieldsLike(word, text, caret, MAX_FIELDS), ...names];
}

function fieldsLike(word: string, text: string, caret: number, most: number): Completion[] {
  return QUERY_FIELD_NAMES.filter((name) => name.startsWith(word.toLowerCase()))
    .slice(0, most)
    .map((name) => {
      const { means, examples } = QUERY_FIELDS[name];
      return completion(text, caret, word, `${name}:`, `${name}:`, `${means}: ${name}:${examples[0]}`);
    });
}

function ofField(
  field: QueryField,
  written: string,
  text: string,
  caret: number,
  valuesOf: (field: CountedField) => readonly Word[],
): Completion[] {
  const last = written.slice(written.lastIndexOf('|') + 1);
  const word = last.replace(/^(?:!=|=)/, '');
  const { type, examples } = QUERY_FIELDS[field];
  const counted = COUNTED[field];
  if (counted !== undefined) {
    const words = like(word, valuesOf(counted), MAX_VALUES);
    if (words.length > 0 || word !== '') {
      return words.map((one) =>
        completion(text, caret, word, `${printWords(one.value)} `, one.value, plural(one.count, 'row')),
      );
    }
  }
  const values = type === 'state' ? STATES : word === '' ? examples : [];
  return values
    .filter((value) => value.startsWith(word) && value !== word)
    .map((value) => completion(text, caret, word, `${value} `, `${field}:${value}`, ''));
}

/** Those that begin with it first. */
function like(word: string, words: readonly Word[], most: number): Word[] {
  const lower = word.toLowerCase();
  const begins: Word[] = [];
  const holds: Word[] = [];
  for (const one of words) {
    const place = one.value.toLowerCase().indexOf(lower);
    if (place < 0 || one.value === word) continue;
    (place === 0 ? begins : holds).push(one);
    if (begins.length === most) break;
  }
  return [...begins, ...holds].slice(0, most);
}

function completion(text: string, caret: number, word: string, put: string, label: string, detail: string): Completion {
  const before = text.slice(0, caret - word.length) + put;
  const after = text.slice(caret);
  return { text: before + (put.endsWith(' ') ? after.trimStart() : after), caret: before.length, label, detail };
}
