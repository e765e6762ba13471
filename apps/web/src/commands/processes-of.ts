import type { TaskIndex, TemporalTree } from '@dendro/engine';
import type { TaskId } from '@dendro/protocol';

/** All of them: one without children has nothing to fold, until it has some. */
export function* processesOf(tree: TemporalTree): Generator<TaskId> {
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (tree.isPresent(task) && !tree.isThread(task)) yield tree.taskIdOf(task);
  }
}
