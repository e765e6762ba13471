// What follows the colon of a field, by the type of the field.

import type { EventNs } from '@dendro/protocol';
import { signalNumber } from '../layout/format.ts';
import { parseTimeText } from '../layout/time-text.ts';
import { type Comparison, type Pattern, type Scalar, STATES, type Test } from './ast.ts';
import { parseDuration } from './duration.ts';
import { type FieldType, nearestOf, QUERY_FIELDS, type QueryField } from './fields.ts';

/** Why a query cannot be read, and where. */
export interface QueryProblem {
  readonly message: string;
  /** [from, to) in the text. */
  readonly from: number;
  readonly to: number;
  readonly fix?: Fix | undefined;
  /** Is something missing, and perhaps only not written yet? */
  readonly isUnfinished?: boolean;
}

/** What could be meant. */
export interface Fix {
  readonly text: string;
  /** The text from `from` to `to`, or all of it. */
  readonly replaces: 'part' | 'all';
}

export class QueryError extends Error {
  readonly problem: QueryProblem;

  constructor(message: string, from: number, to: number, fix?: Fix) {
    super(message);
    this.problem = { message, from, to, fix };
  }

  static unfinished(message: string, from: number, to: number): QueryError {
    const error = new QueryError(message, from, to);
    return Object.assign(error, { problem: { ...error.problem, isUnfinished: true } });
  }
}

export interface WrittenValue {
  readonly operator: string | undefined;
  readonly pattern: Pattern;
  /** Neither in quotes nor a regular expression. */
  readonly isBare: boolean;
  readonly from: number;
  readonly to: number;
}

const MAX_ID = 2 ** 32;
/** Whether a text is a time does not depend on when it is read. */
const NO_BASE = { epochNs: 0n };

/** @throws QueryError */
export function parseTest(field: QueryField, value: WrittenValue): Test {
  const { type } = QUERY_FIELDS[field];
  const text = value.pattern.kind === 'words' ? value.pattern.text : '';
  if (value.isBare && value.operator === undefined && text.startsWith('!')) {
    throw wrong(value, `To rule it out, write !${field}:${text.slice(1)}`);
  }
  switch (type) {
    case 'text':
    case 'user':
      return textTest(field, value);
    case 'state':
      return stateTest(field, value, text);
    case 'task':
      if (value.isBare && /^\d+$/.test(text)) {
        if (value.operator !== undefined && value.operator !== '=')
          throw wrong(value, `${field}: takes one pid or a name`);
        return { kind: 'compare', op: '=', value: numberOf(field, value, text) };
      }
      return textTest(field, value);
    default:
      return scalarTest(field, type, value, text);
  }
}

function textTest(field: QueryField, { operator, pattern, ...value }: WrittenValue): Test {
  if (operator === undefined) return { kind: 'text', op: ':', pattern };
  if (operator !== '=' && operator !== '!=')
    throw wrong(value, `${field}: is text: ${operator} is for numbers and times`);
  if (pattern.kind === 'regex' && operator === '=') return { kind: 'text', op: ':', pattern };
  return { kind: 'text', op: operator, pattern };
}

function stateTest(field: QueryField, value: WrittenValue, text: string): Test {
  const state = STATES.find((state) => state === text.toLowerCase());
  if (state !== undefined && (value.operator ?? '=') === '=') return { kind: 'state', state };
  const near = nearestOf(text.toLowerCase(), STATES);
  const message = `${field}: is one of ${STATES.join(', ')}`;
  throw wrong(value, message, near);
}

function scalarTest(field: QueryField, type: FieldType, value: WrittenValue, text: string): Test {
  if (!value.isBare) throw wrong(value, `${field}: takes ${TAKES[type]}`);
  const scalar = (part: string): Scalar | undefined => (part === '' ? undefined : scalarOf(field, type, value, part));
  const dots = text.indexOf('..');
  if (dots >= 0 && value.operator === undefined) {
    const [from, to] = [scalar(text.slice(0, dots)), scalar(text.slice(dots + 2))];
    if (from === undefined && to === undefined) throw wrong(value, `A range needs an end, as in ${field}:10..20`);
    if (from?.kind === 'signal' || to?.kind === 'signal') throw wrong(value, 'Signals have no order');
    return { kind: 'range', from, to };
  }
  const one = scalarOf(field, type, value, text);
  const op = (value.operator ?? '=') as Comparison;
  if (one.kind === 'signal' && op !== '=' && op !== '!=') throw wrong(value, 'Signals have no order');
  if ((one.kind === 'duration' || one.kind === 'time') && (op === '=' || op === '!=')) {
    const better = type === 'time' ? `>${text}` : `<${text}`;
    throw wrong(value, `No ${type} is met to the nanosecond: did you mean ${field}:${better}?`, better);
  }
  return { kind: 'compare', op, value: one };
}

const TAKES: Readonly<Record<FieldType, string>> = {
  text: 'text',
  user: 'a user',
  state: 'a state',
  task: 'a pid or a name',
  number: 'a number or a range, as 1000..2000',
  exit: 'a code from 0 to 255, a range or a signal, as SIGKILL',
  duration: 'a length of time, as <5m, >1h30m or 10s..1m',
  time: 'a time, as >14:03, >-5m or >2026-11-23T14:03:00Z',
};

function scalarOf(field: QueryField, type: FieldType, value: WrittenValue, text: string): Scalar {
  if (type === 'duration') {
    const ns = parseDuration(text);
    if (ns !== undefined) return { kind: 'duration', ns, written: text };
  } else if (type === 'time') {
    if (typeof parseTimeText(text, NO_BASE, 0 as EventNs) === 'number') return { kind: 'time', written: text };
  } else if (/^\d+$/.test(text)) return numberOf(field, value, text);
  else if (type === 'exit') {
    const signal = signalNumber(text);
    if (signal !== undefined) return { kind: 'signal', signal };
  }
  throw wrong(value, `${field}: takes ${TAKES[type]}`);
}

function numberOf(field: QueryField, value: WrittenValue, text: string): Scalar {
  const number = Number(text);
  if (number >= MAX_ID) throw wrong(value, `${field}: has no number that large`);
  return { kind: 'number', value: number };
}

function wrong({ from, to }: Pick<WrittenValue, 'from' | 'to'>, message: string, better?: string): QueryError {
  return new QueryError(message, from, to, better === undefined ? undefined : { text: better, replaces: 'part' });
}
