import type { TaskIndex, TemporalTree } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';

export interface ChangesSince {
  readonly started: number;
  readonly ended: number;
}

/** Processes that have started and ended since `at`. */
export function changesSince(tree: TemporalTree, at: EventNs): ChangesSince {
  let started = 0;
  let ended = 0;
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task) || tree.isThread(task)) continue;
    if (tree.startOf(task) > at) started++;
    const exit = tree.exitOf(task);
    if (exit > at && exit < Number.POSITIVE_INFINITY) ended++;
  }
  return { started, ended };
}
