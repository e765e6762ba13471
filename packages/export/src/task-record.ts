// A task as of an instant as plain data. Times are epoch nanoseconds in decimal,
// what is not known is null.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { type EventNs, epochOf, type TimeBase } from '@dendro/protocol';

/** As `GET /api/v1/hosts/{host}/tree` lists it. */
export interface TaskRecord {
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

export interface ExportedTask extends TaskRecord {
  readonly cmd: readonly string[] | null;
  readonly cwd: string | null;
  readonly containerId: string | null;
}

/** Of a table of exported tasks, in the order in which they stand. */
export const TASK_COLUMNS = [
  'taskId',
  'kind',
  'pid',
  'tid',
  'parentTaskId',
  'leaderTaskId',
  'comm',
  'path',
  'cmd',
  'cwd',
  'uid',
  'containerId',
  'startTime',
  'exitTime',
  'exitCode',
  'signal',
  'alive',
  'kernelThread',
  'placeholder',
] as const satisfies readonly (keyof ExportedTask)[];

export function taskRecord(tree: TemporalTree, base: TimeBase, task: TaskIndex, at: EventNs): TaskRecord {
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

/** A record with what is too long for a list. */
export function exportedTask<T extends TaskRecord>(
  tree: TemporalTree,
  record: T,
  task: TaskIndex,
  at: EventNs,
): T & ExportedTask {
  return {
    ...record,
    cmd: (tree.valueAt(task, 'argv', at) as readonly string[] | undefined) ?? null,
    cwd: tree.textAt(task, 'cwd', at) ?? null,
    containerId: tree.textAt(task, 'container', at) ?? null,
  };
}
