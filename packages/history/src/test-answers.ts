// For tests: all that a tree says of an instant, as data.

import { NO_TASK, ProcessTreeDataSource, type TaskIndex, type TemporalTree } from '@dendro/engine';
import type { EventNs, TaskId } from '@dendro/protocol';

export type Answers = ReadonlyMap<string, unknown>;

/** Of everyone who lived at `at`: what is read of it, of its parent, children, threads and ancestors. */
export function answersAt(tree: TemporalTree, at: EventNs, only?: TaskId): Answers {
  const answers = new Map<string, unknown>();
  const idOf = (task: TaskIndex) => (task === NO_TASK ? undefined : tree.taskIdOf(task));
  const living = (tasks: readonly TaskIndex[]) =>
    tasks
      .filter((task) => tree.isAliveAt(task, at))
      .map(idOf)
      .sort();
  const source = new ProcessTreeDataSource({
    tree,
    resolve: (ref) => tree.indexOf('taskId' in ref ? ref.taskId : (0 as TaskId)),
  });
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task) || !tree.isAliveAt(task, at)) continue;
    const taskId = tree.taskIdOf(task);
    if (only !== undefined && taskId !== only) continue;
    const add = (what: string, answer: unknown) => answers.set(`${what} of ${taskId}`, answer);
    add('ids', [
      tree.tidOf(task),
      tree.pidOf(task),
      tree.entityIdOf(task),
      idOf(tree.leaderOf(task)),
      idOf(tree.creatorOf(task)),
    ]);
    add('start', [tree.startOf(task), tree.flagsOf(task), tree.authorityOf(task)]);
    add('fields', [...tree.valuesAt(task, at)]);
    add('trimmed', [...tree.trimmedAt(task, at)]);
    add('parent', [idOf(tree.parentAt(task, at)), tree.lastParentAuthority, tree.lastParentSince]);
    add('exec time', tree.execTimeAt(task, at));
    if (only === undefined) {
      add('children', living(tree.childrenAt(task, at)));
      add('threads', living(tree.threadsOf(task)));
    }
    if (tree.isThread(task)) continue;
    const { process_lineage } = source.get({ kind: 'LineageKey', task: { taskId }, time: at, maxDepth: 100 });
    add(
      'lineage',
      process_lineage.info.ancestors.map(({ timestamp, info }) => [timestamp, { ...info }]),
    );
    add('end of lineage', process_lineage.info.end);
  }
  return answers;
}
