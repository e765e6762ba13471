// The tree as of an instant as JSON: a flat list with parent ids, because a
// fork chain can be deeper than any nested JSON may be.

import type { TaskIndex, TemporalTree } from '@dendro/engine';
import { type TaskRecord, taskRecord } from '@dendro/export';
import { eventTimeOf, type TimeBase } from '@dendro/protocol';

export interface TreeJsonOptions {
  /** Id of the host. */
  readonly host: string;
  readonly base: TimeBase;
  /** The instant. */
  readonly epochNs: bigint;
  /** Also tasks that had ended by then. */
  readonly withExited: boolean;
  /** Why some may be missing of which nothing is known any more. */
  readonly lack: string | undefined;
}

export const EVICTED =
  'Tasks of that time have left memory to make room: total counts those that are known of. --max-processes and --max-threads keep more.';
const LOST = 'Events of that time were lost.';

/** A tree, and the version of it that is answered from. */
export interface VersionedTree {
  readonly tree: TemporalTree;
  readonly version: number;
}

export interface TreeAnswer {
  readonly host: string;
  readonly at: string;
  readonly version: number;
  readonly tasks: readonly TaskRecord[];
  readonly returned: number;
  readonly total: number;
  readonly reason: string | null;
}

export function treeAnswer({ tree, version }: VersionedTree, options: TreeJsonOptions): TreeAnswer {
  const { host, base, epochNs, withExited, lack } = options;
  const at = eventTimeOf(base, epochNs);
  const tasks: TaskRecord[] = [];
  let evicted = 0;
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    const isPresent = tree.isPresent(task);
    if ((!isPresent && !tree.isStub(task)) || tree.startOf(task) > at) continue;
    if (!withExited && !tree.isAliveAt(task, at)) continue;
    if (isPresent) tasks.push(taskRecord(tree, base, task, at));
    else evicted++;
  }
  const reasons = [
    ...(lack !== undefined ? [lack] : evicted > 0 ? [EVICTED] : []),
    ...(tree.gaps().some(({ from, to }) => from <= at && at <= to) ? [LOST] : []),
  ];
  return {
    host,
    at: String(epochNs),
    version,
    tasks,
    returned: tasks.length,
    total: tasks.length + evicted,
    reason: reasons.length === 0 ? null : reasons.join(' '),
  };
}
