// Siblings that are alike: thirty-eight workers of one program are one row
// until somebody wants to see each. Alike are processes that run the same file
// under the same name as the same user. Whoever has started something is not
// put away with it.

import type { TaskIndex, TreeOrder } from '@dendro/engine';
import { Likenesses } from './likeness.ts';
import type { TaskColumns } from './task-columns.ts';

/** Fewer are not worth a row of their own. */
export const LEAST_ALIKE = 4;

/** Names a group as long as its members have the same parent, name, program and user, whoever they are. */
export type GroupKey = string;

export interface SiblingGroups {
  readonly length: number;
  /** -1 for who is in none. By position, like all here. */
  groupAt(position: number): number;
  /** In the order of the tree. */
  membersOf(group: number): readonly number[];
  keyOf(group: number): GroupKey;
}

export const NO_GROUPS: SiblingGroups = {
  length: 0,
  groupAt: () => -1,
  membersOf: () => [],
  keyOf: () => '',
};

/** By position: the same number for who is alike, -1 for who is like nobody. */
export type Likeness = (position: number) => number;

/** Of all siblings with at least `LEAST_ALIKE` that are alike. */
export function siblingGroups(
  order: TreeOrder,
  likeness: Likeness,
  keyOf: (parent: number, member: number) => GroupKey,
): SiblingGroups {
  const { length, subtreeEnds } = order;
  const groupAt = new Int32Array(length).fill(-1);
  const members: number[][] = [];
  const parents: number[] = []; // by group
  const alike = new Map<number, number[]>();
  for (let parent = -1; parent < length; parent++) {
    const end = parent < 0 ? length : (subtreeEnds[parent] as number);
    if (end - parent - 1 < LEAST_ALIKE || !hasMany(parent + 1, end)) continue;
    alike.clear();
    for (let child = parent + 1; child < end; child = subtreeEnds[child] as number) {
      const like = likeness(child);
      if (like < 0) continue;
      const list = alike.get(like);
      if (list === undefined) alike.set(like, [child]);
      else list.push(child);
    }
    for (const list of alike.values()) {
      if (list.length < LEAST_ALIKE) continue;
      for (const member of list) groupAt[member] = members.length;
      members.push(list);
      parents.push(parent);
    }
  }
  const keys: (GroupKey | undefined)[] = members.map(() => undefined); // made when they are asked for
  return {
    length: members.length,
    groupAt: (position) => groupAt[position] as number,
    membersOf: (group) => members[group] as number[],
    keyOf: (group) => {
      keys[group] ??= keyOf(parents[group] as number, members[group]?.[0] as number);
      return keys[group];
    },
  };

  /** Are there as many siblings at all? Most have few. */
  function hasMany(from: number, end: number): boolean {
    let count = 0;
    for (let child = from; child < end && count < LEAST_ALIKE; child = subtreeEnds[child] as number) count++;
    return count === LEAST_ALIKE;
  }
}

/**
 * @param columns as of the instant of the order
 * @param kept who is shown; all when undefined
 */
export function groupsOfTree(columns: TaskColumns, order: TreeOrder, kept: Uint8Array | undefined): SiblingGroups {
  const { tree } = columns;
  const { at, alsoAt, tasks, subtreeEnds } = order;
  const { likes } = Likenesses.of(columns);
  const likeness = (position: number): number => {
    if (kept !== undefined && kept[position] === 0) return -1;
    // Who is yet to be born stands by itself.
    if (alsoAt !== undefined && tree.startOf(tasks[position] as TaskIndex) > at) return -1;
    // Threads come before children.
    const end = subtreeEnds[position] as number;
    if (end > position + 1 && !tree.isThread(tasks[end - 1] as TaskIndex)) return -1;
    return likes[tasks[position] as number] as number;
  };
  const keyOf = (parent: number, member: number): GroupKey => {
    const task = tasks[member] as TaskIndex;
    const under = parent < 0 ? 0 : tree.taskIdOf(tasks[parent] as TaskIndex);
    const [comm, uid] = [tree.textAt(task, 'comm', at), tree.numberAt(task, 'uid', at)];
    return [under, uid ?? '', comm, tree.executablePathAt(task, at) ?? ''].join('\0');
  };
  return siblingGroups(order, likeness, keyOf);
}
