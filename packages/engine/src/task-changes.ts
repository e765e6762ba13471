// Which tasks may read otherwise than they did when somebody last looked: for who
// keeps something made of a tree and does not want to read all of it again.
//
// A task reads otherwise because a fact has come about it, because time has come
// to a fact that was in the future, or because the same is so of a task from which
// it has something (field-reader.ts, parent-reader.ts): its creator, its process,
// or one that was named as its parent. The ways back from these to it are in the
// tree, so that what depends on a task is found from there.

import type { EventNs } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import type { TemporalTree } from './temporal-tree.ts';
import type { TouchedTasks } from './touched-tasks.ts';

/** When a larger part of the tree depends on what has changed, all of it may as well be read. */
const MOST_PART = 4;
const FEW = 2000;

export class TaskChanges {
  readonly #tree: TemporalTree;
  readonly #touched: TouchedTasks;
  /** Tasks of which something is known that is at #at, when those who end then live still, or after it. */
  #ahead: TaskIndex[] = [];
  #at = Number.POSITIVE_INFINITY as EventNs;

  constructor(tree: TemporalTree) {
    this.#tree = tree;
    this.#touched = tree.watch();
  }

  /**
   * The tasks, slots that have become free among them, of which anything may read otherwise at `at` than it did at the
   * instant of the last call; undefined: any task.
   */
  upTo(at: EventNs): ReadonlySet<TaskIndex> | undefined {
    const touched = this.#touched.take();
    const before = this.#at;
    this.#at = at;
    if (touched === undefined || at < before) this.#lookAhead();
    else {
      const ahead = at === before ? [] : this.#ahead;
      if (at > before) this.#ahead = [];
      const first = new Set(touched);
      for (const task of ahead) first.add(task);
      for (const task of first) this.#noteIfAhead(task);
      return this.#withDependents(first);
    }
    // Whoever has nothing from the earlier instant on reads there as later.
    return touched && this.#withDependents(new Set([...touched, ...this.#ahead]));
  }

  #lookAhead(): void {
    this.#ahead = [];
    for (let slot = 0; slot < this.#tree.slotCount; slot++) this.#noteIfAhead(slot as TaskIndex);
  }

  #noteIfAhead(task: TaskIndex): void {
    if (this.#tree.newestTimeOf(task) >= this.#at) this.#ahead.push(task);
  }

  /** The set grows while it is walked. */
  #withDependents(tasks: Set<TaskIndex>): ReadonlySet<TaskIndex> | undefined {
    const tree = this.#tree;
    const most = Math.max(FEW, tree.slotCount / MOST_PART);
    for (const task of tasks) {
      if (tasks.size > most) return undefined;
      for (let born = tree.firstCreatedBy(task); born !== NO_TASK; born = tree.nextCreatedOf(born)) tasks.add(born);
      for (let thread = tree.firstThreadOf(task); thread !== NO_TASK; thread = tree.nextThreadOf(thread))
        tasks.add(thread);
      tree.forEachNamedChild(task, (child) => tasks.add(child));
    }
    return tasks;
  }
}
