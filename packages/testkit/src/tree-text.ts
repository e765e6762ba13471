// Trees as text, for tests that compare them.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { type EventNs, FIELDS, type FieldName } from '@dendro/protocol';

const FIELD_NAMES = Object.keys(FIELDS) as FieldName[];

/** The tasks of a tree with everything known of each, by TaskId: equal for two trees that know the same. */
export function describeTree(tree: TemporalTree): unknown[] {
  const tasks: TaskIndex[] = [];
  for (let slot = 0; slot < tree.slotCount; slot++) {
    if (tree.isPresent(slot as TaskIndex)) tasks.push(slot as TaskIndex);
  }
  const idOf = (task: TaskIndex) => (task === NO_TASK ? undefined : tree.taskIdOf(task));
  return tasks
    .sort((a, b) => tree.taskIdOf(a) - tree.taskIdOf(b))
    .map((task) => ({
      task: tree.taskIdOf(task),
      tid: tree.tidOf(task),
      pid: tree.pidOf(task),
      leader: idOf(tree.leaderOf(task)),
      creator: idOf(tree.creatorOf(task)),
      start: tree.startOf(task),
      entityId: tree.entityIdOf(task),
      flags: tree.flagsOf(task),
      exit: tree.exitOf(task),
      exitCode: tree.exitCodeOf(task),
      exitSignal: tree.exitSignalOf(task),
      threads: [...tree.threadsOf(task)].map(idOf).sort(),
      trimmed: FIELD_NAMES.filter((field) => tree.isTrimmedAt(task, field, Number.NEGATIVE_INFINITY as EventNs)),
      fields: Object.fromEntries(
        FIELD_NAMES.map((field) => [field, tree.changelogOf(task, field)] as const).filter(([, log]) => log.length > 0),
      ),
    }));
}

/**
 * The living tree as of an instant, one line per process, children indented, siblings by pid:
 *
 *     1 init
 *       10 sh
 *         11 sleep +2    (two threads besides the leader)
 */
export function drawTree(tree: TemporalTree, at: EventNs): string {
  const living: TaskIndex[] = [];
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (tree.isPresent(task) && !tree.isThread(task) && tree.startOf(task) <= at && tree.exitOf(task) > at) {
      living.push(task);
    }
  }
  living.sort((a, b) => tree.pidOf(a) - tree.pidOf(b));
  const isLiving = new Set(living);
  const lines: string[] = [];
  const draw = (task: TaskIndex, indent: string): void => {
    const threads = [...tree.threadsOf(task)].filter(
      (thread) => tree.startOf(thread) <= at && tree.exitOf(thread) > at,
    ).length;
    const mark = tree.isPlaceholder(task) ? ' ?' : '';
    const comm = tree.textAt(task, 'comm', at) ?? '-';
    lines.push(`${indent}${tree.pidOf(task)} ${comm}${threads > 0 ? ` +${threads}` : ''}${mark}`);
    for (const child of living) if (tree.parentAt(child, at) === task) draw(child, `${indent}  `);
  };
  for (const task of living) if (!isLiving.has(tree.parentAt(task, at))) draw(task, '');
  return lines.join('\n');
}
