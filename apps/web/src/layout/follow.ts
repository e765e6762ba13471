// Whom to keep in view: the task that was asked for, and once it has ended its
// parent, and so on.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';
import { printableName } from './printable.ts';
import { taskState } from './task-state.ts';

export type FollowTarget =
  /** `ended` is the last one on the way up from who was asked for; NO_TASK when that lives. */
  | { readonly kind: 'living'; readonly task: TaskIndex; readonly ended: TaskIndex }
  | { readonly kind: 'not-begun' | 'lost' };

export function followTarget(tree: TemporalTree, id: TaskId, at: EventNs): FollowTarget {
  let task = tree.indexOf(id);
  if (task === NO_TASK || !tree.isPresent(task)) return { kind: 'lost' };
  if (tree.startOf(task) > at) return { kind: 'not-begun' };
  let ended: TaskIndex = NO_TASK;
  const seen = new Set<TaskIndex>(); // a hostile feed can close a ring
  while (tree.exitOf(task) <= at) {
    const above = tree.isThread(task) ? tree.leaderOf(task) : tree.parentAt(task, tree.exitOf(task));
    if (above === NO_TASK || !tree.isPresent(above) || seen.has(above)) return { kind: 'lost' };
    seen.add(task);
    ended = task;
    task = above;
  }
  return { kind: 'living', task, ended };
}

/** `nginx [812]` */
export function calledAt(tree: TemporalTree, task: TaskIndex, at: EventNs): string {
  return `${printableName(tree.textAt(task, 'comm', at) ?? '?')} [${tree.tidOf(task)}]`;
}

/** `nginx [812] ended (SIGKILL)` */
export function endOf(tree: TemporalTree, task: TaskIndex, at: EventNs): string {
  return `${calledAt(tree, task, at)} ended (${taskState(tree, task, at).text})`;
}
