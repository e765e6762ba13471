// What is there to ask for: the values of a field among the rows, the most
// frequent first.

import type { TaskIndex } from '@dendro/engine';
import { signalName } from '../layout/format.ts';
import type { Columns } from './columns.ts';

export interface Word {
  readonly value: string;
  readonly count: number;
}

export type CountedField = 'name' | 'container' | 'user' | 'euid' | 'exit';

export function countedValues(
  field: CountedField,
  columns: Columns,
  users: Readonly<Record<string, string>>,
): readonly Word[] {
  switch (field) {
    case 'name':
    case 'container': {
      const { indexes } = columns.texts(field === 'name' ? 'comm' : 'container');
      return counted(inOrder(columns, indexes), (index) => (index === 0 ? undefined : columns.tree.textOf(index)));
    }
    case 'user':
    case 'euid': {
      const uids = columns.numbers(field === 'user' ? 'uid' : 'euid');
      return counted(inOrder(columns, uids), (uid) => (Number.isNaN(uid) ? undefined : (users[uid] ?? String(uid))));
    }
    case 'exit':
      return counted(exitsOf(columns), (exit) => (exit < 0 ? signalName(-exit) : String(exit)));
  }
}

/** @param values by TaskIndex */
function inOrder({ order }: Columns, values: Int32Array | Float64Array): number[] {
  return Array.from(order.tasks, (task) => values[task] as number);
}

function exitsOf({ tree, order }: Columns): number[] {
  const exits: number[] = [];
  for (const slot of order.tasks.subarray(0, order.length)) {
    const task = slot as TaskIndex;
    if (tree.exitOf(task) > order.at) continue;
    const signal = tree.exitSignalOf(task) ?? 0;
    const code = tree.exitCodeOf(task);
    if (signal > 0) exits.push(-signal);
    else if (code !== undefined) exits.push(code);
  }
  return exits;
}

function counted(values: Iterable<number>, nameOf: (value: number) => string | undefined): Word[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const words: Word[] = [];
  for (const [number, count] of counts) {
    const value = nameOf(number);
    if (value !== undefined) words.push({ value, count });
  }
  return words.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}
