// What is different between two instants: who lives at one of them alone, and what has changed of those who
// live at both. The two trees need not be there at the same time.

import { isDeepStrictEqual } from 'node:util';
import { NO_TASK, type TaskIndex } from '@dendro/engine';
import { type FieldName, type FieldValue, fieldName, type TaskId } from '@dendro/protocol';
import type { TreeAsOf, TreeDifference } from './history.ts';

interface Remembered {
  readonly values: readonly FieldValue[];
  readonly parent: TaskId | undefined;
}

export type RememberedTree = ReadonlyMap<TaskId, Remembered>;

/** What is compared of everyone who lives. */
export function remember({ tree, at }: TreeAsOf): RememberedTree {
  const living = new Map<TaskId, Remembered>();
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task) || !tree.isAliveAt(task, at)) continue;
    const parent = tree.parentAt(task, at);
    living.set(tree.taskIdOf(task), {
      values: [...tree.valuesAt(task, at)],
      parent: parent === NO_TASK ? undefined : tree.taskIdOf(parent),
    });
  }
  return living;
}

export function differenceOf(first: RememberedTree, second: RememberedTree): TreeDifference {
  const changed: { readonly taskId: TaskId; readonly fields: readonly FieldName[] }[] = [];
  for (const [taskId, before] of first) {
    const after = second.get(taskId);
    const fields = after === undefined ? [] : changedFields(before, after);
    if (fields.length > 0) changed.push({ taskId, fields });
  }
  const only = (one: RememberedTree, other: RememberedTree) =>
    [...one.keys()].filter((id) => !other.has(id)).sort((a, b) => a - b);
  return {
    started: only(second, first),
    ended: only(first, second),
    changed: changed.sort((a, b) => a.taskId - b.taskId),
  };
}

function changedFields(before: Remembered, after: Remembered): FieldName[] {
  const fields: FieldName[] = before.parent === after.parent ? [] : ['parent'];
  for (const [id, value] of after.values.entries()) {
    const known = before.values[id];
    // Nearly always it is the very same.
    if (value === known || isDeepStrictEqual(value, known)) continue;
    const name = fieldName(id);
    if (name !== undefined) fields.push(name);
  }
  return fields;
}
