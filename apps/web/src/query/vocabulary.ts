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
      return named(countedTexts(columns, indexes), (index) => columns.tree.textOf(index));
    }
    case 'user':
    case 'euid': {
      const counts = countedIn(columns, columns.numbers(field === 'user' ? 'uid' : 'euid'));
      counts.delete(Number.NaN);
      return named(counts, (uid) => users[uid] ?? String(uid));
    }
    case 'exit':
      return named(countedExits(columns), (exit) => (exit < 0 ? signalName(-exit) : String(exit)));
  }
}

// hot: runs once per row with each key
function countedTexts({ order }: Columns, indexes: Int32Array): Map<number, number> {
  const { tasks } = order;
  let largest = 0;
  for (let p = 0; p < tasks.length; p++) largest = Math.max(largest, indexes[tasks[p] as number] as number);
  const counts = new Uint32Array(largest + 1);
  for (let p = 0; p < tasks.length; p++) {
    const index = indexes[tasks[p] as number] as number;
    counts[index] = (counts[index] as number) + 1;
  }
  const found = new Map<number, number>();
  for (let index = 1; index <= largest; index++) {
    const count = counts[index] as number;
    if (count > 0) found.set(index, count);
  }
  return found;
}

function countedIn({ order }: Columns, values: Float64Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (const task of order.tasks) {
    const value = values[task] as number;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

function countedExits({ tree, order }: Columns): Map<number, number> {
  const counts = new Map<number, number>();
  const add = (exit: number) => counts.set(exit, (counts.get(exit) ?? 0) + 1);
  for (const slot of order.tasks) {
    const task = slot as TaskIndex;
    if (tree.exitOf(task) > order.at) continue;
    const signal = tree.exitSignalOf(task) ?? 0;
    const code = tree.exitCodeOf(task);
    if (signal > 0) add(-signal);
    else if (code !== undefined) add(code);
  }
  return counts;
}

function named(counts: ReadonlyMap<number, number>, nameOf: (value: number) => string): Word[] {
  const words = Array.from(counts, ([number, count]) => ({ value: nameOf(number), count }));
  return words.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}
