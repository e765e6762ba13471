// Which rows of the tree a query means. Text is looked at once for each distinct
// text, not for each task.

import type { TaskIndex } from '@dendro/engine';
import type { EventNs, TimeBase } from '@dendro/protocol';
import { parseTimeText } from '../layout/time-text.ts';
import type { Comparison, Pattern, Query, Scalar, Test } from './ast.ts';
import type { Columns, NumberField } from './columns.ts';
import { compileRegex } from './regex.ts';
import type { TextField } from './texts.ts';

export interface MatchContext {
  readonly columns: Columns;
  readonly base: TimeBase;
  /** User names by uid. */
  readonly users: Readonly<Record<string, string>>;
}

/** Is it so of the row at this position? */
type Holds = (position: number) => boolean;
const FIELD_COLUMN = { name: 'comm', cmd: 'argv', exe: 'executable', container: 'container' } as const;
/** As shells report an end by a signal. */
const SIGNAL_CODE = 128;

/** @returns by position in the order: 1 for rows that are meant */
export function matchQuery(query: Query, context: MatchContext): Uint8Array {
  const { length } = context.columns.order;
  const found = new Uint8Array(length);
  const holds = compile(query, context);
  for (let position = 0; position < length; position++) found[position] = holds(position) ? 1 : 0;
  return found;
}

function compile(query: Query, context: MatchContext): Holds {
  switch (query.kind) {
    case 'all':
      return query.items
        .map((item) => compile(item, context))
        .reduce((a, b) => (position) => a(position) && b(position));
    case 'any':
      return anyOf(query.items.map((item) => compile(item, context)));
    case 'not': {
      const holds = compile(query.item, context);
      return (position) => !holds(position);
    }
    case 'text':
      return anywhere(query.pattern, context);
    case 'field':
      return anyOf(query.tests.map((test) => fieldHolds(query.field, test, context)));
  }
}

function anyOf(holds: readonly Holds[]): Holds {
  return holds.reduce((a, b) => (position) => a(position) || b(position));
}

function fieldHolds(field: Extract<Query, { kind: 'field' }>['field'], test: Test, context: MatchContext): Holds {
  const { tree, order } = context.columns;
  const { at, tasks } = order;
  const taskAt = (position: number) => tasks[position] as TaskIndex;
  switch (field) {
    case 'name':
    case 'cmd':
    case 'exe':
    case 'container':
      return inColumn(FIELD_COLUMN[field], test, context.columns);
    case 'user':
      return userHolds('uid', test, context);
    case 'euid':
      return userHolds('euid', test, context);
    case 'uid':
    case 'ppid': {
      const numbers = context.columns.numbers(field);
      const holds = numberHolds(test, numberOfScalar);
      return (position) => holds(numbers[taskAt(position)] as number);
    }
    case 'pid': {
      const holds = numberHolds(test, numberOfScalar);
      return (position) => holds(tree.pidOf(taskAt(position)));
    }
    case 'tid': {
      const holds = numberHolds(test, numberOfScalar);
      return (position) => holds(tree.tidOf(taskAt(position)));
    }
    case 'state': {
      if (test.kind !== 'state' || test.state === 'all') return () => true;
      const isRunning = test.state === 'running';
      return (position) => tree.exitOf(taskAt(position)) > at === isRunning;
    }
    case 'exit':
      return exitHolds(test, context);
    case 'age': {
      const holds = numberHolds(test, numberOfScalar);
      return (position) => holds(Math.min(at, tree.exitOf(taskAt(position))) - tree.startOf(taskAt(position)));
    }
    case 'born': {
      const holds = numberHolds(test, numberOfScalar);
      return (position) => holds(at - tree.startOf(taskAt(position)));
    }
    case 'started': {
      const holds = numberHolds(test, (scalar) => timeOfScalar(scalar, context.base, at));
      return (position) => holds(tree.startOf(taskAt(position)));
    }
    case 'under':
      return below(isTarget(test, context), order.subtreeEnds, order.length);
    case 'above':
      return leadsTo(isTarget(test, context), order.subtreeEnds, order.length);
  }
}

// --- text ---

/** In a name, a command line or a path; a number is also that of a task. */
function anywhere(pattern: Pattern, { columns }: MatchContext): Holds {
  const [names, commands, paths] = [
    textsMeant('comm', ':', pattern, columns),
    textsMeant('argv', ':', pattern, columns),
    textsMeant('executable', ':', pattern, columns),
  ];
  const { tree, order } = columns;
  const { tasks } = order;
  // hot: runs once per row with each key
  const text = (position: number): boolean => {
    const task = tasks[position] as number;
    return (
      names.isMeant[names.indexes[task] as number] === 1 ||
      commands.isMeant[commands.indexes[task] as number] === 1 ||
      paths.isMeant[paths.indexes[task] as number] === 1
    );
  };
  if (pattern.kind === 'regex' || !/^\d{1,10}$/.test(pattern.text)) return text;
  const id = Number(pattern.text);
  return (position) => text(position) || tree.tidOf(tasks[position] as TaskIndex) === id;
}

/** Asks once for each text. Of what is not known nothing holds, nor does the contrary. */
function inColumn(field: TextField, test: Test, columns: Columns): Holds {
  if (test.kind !== 'text') return () => false;
  const { indexes, isMeant } = textsMeant(field, test.op, test.pattern, columns);
  const { tasks } = columns.order;
  if (test.op !== '!=') return (position) => isMeant[indexes[tasks[position] as number] as number] === 1;
  return (position) => {
    const index = indexes[tasks[position] as number] as number;
    return index !== 0 && isMeant[index] === 0;
  };
}

/** Of a field: TaskIndex -> index of a text, and that -> 1 where the pattern is in it, or with another `op` is the whole of it. */
function textsMeant(field: TextField, op: ':' | '=' | '!=', pattern: Pattern, columns: Columns) {
  const texts = columns.texts(field);
  const isMeant = texts.answers(wordsOf(op, pattern), (haystack, from, take) => {
    if (pattern.kind === 'words') haystack.search(pattern.text, op !== ':', from, take);
    else haystack.filter(regexHolds(pattern.source), from, take);
  });
  return { indexes: texts.indexes, isMeant };
}

/** The same for two that mean the same texts. */
function wordsOf(op: ':' | '=' | '!=', pattern: Pattern): string {
  return pattern.kind === 'regex' ? `/${pattern.source}` : `${op === ':' ? ':' : '='}${pattern.text}`;
}

function regexHolds(source: string): (text: string) => boolean {
  const compiled = compileRegex(source);
  return compiled.kind === 'bad' ? () => false : (text) => compiled.regex.test(text);
}

/** Words as they are, whatever their case; a blank stands for several. Only characters and blanks: it cannot hang. */
export function wordsPattern(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&').replace(/\s+/g, '\\s+'), 'i');
}

/** A user is meant by the whole name, or by the number. */
function userHolds(field: NumberField, test: Test, { columns, users }: MatchContext): Holds {
  if (test.kind !== 'text') return () => false;
  const { op, pattern } = test;
  const named = pattern.kind === 'regex' ? regexHolds(pattern.source) : (name: string) => name === pattern.text;
  const answers = new Map<number, boolean>();
  const numbers = columns.numbers(field);
  const { tasks } = columns.order;
  return (position) => {
    const uid = numbers[tasks[position] as number] as number;
    if (Number.isNaN(uid)) return false;
    let answer = answers.get(uid);
    if (answer === undefined) {
      const isNamed = named(users[uid] ?? '') || (pattern.kind === 'words' && String(uid) === pattern.text);
      answer = isNamed !== (op === '!=');
      answers.set(uid, answer);
    }
    return answer;
  };
}

// --- numbers ---

function numberHolds(test: Test, numberOf: (scalar: Scalar) => number): (value: number) => boolean {
  if (test.kind === 'range') {
    const from = test.from === undefined ? Number.NEGATIVE_INFINITY : numberOf(test.from);
    const to = test.to === undefined ? Number.POSITIVE_INFINITY : numberOf(test.to);
    return (value) => value >= from && value <= to;
  }
  return test.kind === 'compare' ? compared(test.op, numberOf(test.value)) : () => false;
}

function compared(op: Comparison, to: number): (value: number) => boolean {
  switch (op) {
    case '=':
      return (value) => value === to;
    case '!=':
      return (value) => value !== to && !Number.isNaN(value);
    case '<':
      return (value) => value < to;
    case '<=':
      return (value) => value <= to;
    case '>':
      return (value) => value > to;
    case '>=':
      return (value) => value >= to;
  }
}

function numberOfScalar(scalar: Scalar): number {
  switch (scalar.kind) {
    case 'number':
      return scalar.value;
    case 'duration':
      return scalar.ns;
    case 'signal':
      return SIGNAL_CODE + scalar.signal;
    case 'time':
      return Number.NaN;
  }
}

function timeOfScalar(scalar: Scalar, base: TimeBase, at: EventNs): number {
  const time = scalar.kind === 'time' ? parseTimeText(scalar.written, base, at) : undefined;
  return typeof time === 'number' ? time : Number.NaN;
}

/** A signal by its name is no code; by its number it is the code that shells give for it. */
function exitHolds(test: Test, { columns: { tree, order } }: MatchContext): Holds {
  const isSignal = test.kind === 'compare' && test.value.kind === 'signal';
  const isOther = test.kind === 'compare' && test.op === '!=';
  const holds = numberHolds(test, numberOfScalar);
  return (position) => {
    const task = order.tasks[position] as TaskIndex;
    if (tree.exitOf(task) > order.at) return false;
    const signal = tree.exitSignalOf(task) ?? 0;
    if (signal > 0) return holds(SIGNAL_CODE + signal);
    const code = tree.exitCodeOf(task);
    if (code === undefined) return false;
    return isSignal ? isOther : holds(code);
  };
}

// --- places in the tree ---

function isTarget(test: Test, context: MatchContext): Holds {
  const { columns } = context;
  if (test.kind === 'text') return inColumn('comm', test, columns);
  const holds = numberHolds(test, numberOfScalar);
  return (position) => holds(columns.tree.tidOf(columns.order.tasks[position] as TaskIndex));
}

/** Rows in the subtree of a target, without the target itself. */
function below(isTarget: Holds, subtreeEnds: Int32Array, length: number): Holds {
  const isBelow = new Uint8Array(length);
  let end = 0; // of the subtrees that have been entered
  for (let position = 0; position < length; position++) {
    if (position < end) isBelow[position] = 1;
    if (isTarget(position)) end = Math.max(end, subtreeEnds[position] as number);
  }
  return (position) => isBelow[position] === 1;
}

/** Rows with a target in their subtree, other than themselves. */
function leadsTo(isTarget: Holds, subtreeEnds: Int32Array, length: number): Holds {
  const before = new Int32Array(length + 1); // targets at positions below
  for (let p = 0; p < length; p++) before[p + 1] = (before[p] as number) + (isTarget(p) ? 1 : 0);
  return (position) => before[subtreeEnds[position] as number] !== before[position + 1];
}
