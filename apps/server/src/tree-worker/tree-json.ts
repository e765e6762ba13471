// The tree as of an instant as JSON: a flat list with parent ids, because a
// fork chain can be deeper than any nested JSON may be.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { type EventNs, epochOf, eventTimeOf, type TimeBase } from '@dendro/protocol';

/** One task in the answer to `GET /api/v1/hosts/{host}/tree`. Times are epoch nanoseconds in decimal. */
export interface TreeJsonTask {
  readonly taskId: number;
  readonly entityId: number;
  readonly kind: 'process' | 'thread';
  readonly pid: number;
  readonly tid: number;
  readonly parentTaskId: number | null;
  readonly leaderTaskId: number | null;
  readonly comm: string | null;
  readonly path: string | null;
  readonly uid: number | null;
  readonly startTime: string;
  readonly exitTime: string | null;
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly alive: boolean;
  readonly kernelThread: boolean;
  readonly placeholder: boolean;
}

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
export const LOST = 'Events of that time were lost.';

/** A tree, and the version of it that is answered from. */
export interface VersionedTree {
  readonly tree: TemporalTree;
  readonly version: number;
}

export interface TreeAnswer {
  readonly host: string;
  readonly at: string;
  readonly version: number;
  readonly tasks: readonly TreeJsonTask[];
  readonly returned: number;
  readonly total: number;
  readonly reason: string | null;
}

export function treeAnswer({ tree, version }: VersionedTree, options: TreeJsonOptions): TreeAnswer {
  const { host, base, epochNs, withExited, lack } = options;
  const at = eventTimeOf(base, epochNs);
  const tasks: TreeJsonTask[] = [];
  let evicted = 0;
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    const isPresent = tree.isPresent(task);
    if ((!isPresent && !tree.isStub(task)) || tree.startOf(task) > at) continue;
    if (!withExited && !tree.isAliveAt(task, at)) continue;
    if (isPresent) tasks.push(taskJson(tree, base, task, at));
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

function taskJson(tree: TemporalTree, base: TimeBase, task: TaskIndex, at: EventNs): TreeJsonTask {
  const exit = tree.exitOf(task);
  const idOf = (other: TaskIndex) => (other === NO_TASK ? null : tree.taskIdOf(other));
  const hasEnded = exit <= at;
  return {
    taskId: tree.taskIdOf(task),
    entityId: tree.entityIdOf(task),
    kind: tree.isThread(task) ? 'thread' : 'process',
    pid: tree.pidOf(task),
    tid: tree.tidOf(task),
    parentTaskId: idOf(tree.parentAt(tree.isThread(task) ? tree.leaderOf(task) : task, at)),
    leaderTaskId: idOf(tree.leaderOf(task)),
    comm: tree.textAt(task, 'comm', at) ?? null,
    path: tree.executablePathAt(task, at) ?? null,
    uid: tree.numberAt(task, 'uid', at) ?? null,
    startTime: String(epochOf(base, tree.startOf(task))),
    // What happened after the instant that is asked about is not part of the answer.
    exitTime: hasEnded ? String(epochOf(base, exit)) : null,
    exitCode: hasEnded ? (tree.exitCodeOf(task) ?? null) : null,
    signal: hasEnded ? (tree.exitSignalOf(task) ?? null) : null,
    alive: tree.isAliveAt(task, at),
    kernelThread: tree.isKernelThread(task),
    placeholder: tree.isPlaceholder(task),
  };
}
