// What is read often of each task, by TaskIndex, and kept from frame to frame: a
// frame reads again only those tasks that may read otherwise. A column is made
// when it is first asked for.

import { instantOf, type TaskChanges, type TaskIndex, type TemporalTree, type TreeOrder } from '@dendro/engine';
import type { EventNs } from '@dendro/protocol';

export interface TaskColumn {
  /** Makes room for so many tasks. */
  reserve(slots: number): void;
  /** Reads a task; a slot without one must not stop it. */
  read(task: TaskIndex, at: EventNs): void;
  /** Is there so much in it that it should be made anew? */
  readonly isFull?: boolean;
}

export class TaskColumns {
  readonly tree: TemporalTree;
  readonly #changes: TaskChanges | undefined;
  /** Of an order of two instants the other one: who is yet to be born at the first is read as of it. */
  readonly #alsoAt: EventNs | undefined;
  readonly #columns = new Map<string, TaskColumn>();
  #at: EventNs;
  #slots = 0;
  #textGeneration: number;

  /** @param changes of the tree, for nobody else; without them all is read anew at another instant */
  constructor(tree: TemporalTree, at: EventNs, changes?: TaskChanges, alsoAt?: EventNs) {
    this.tree = tree;
    this.#changes = changes;
    this.#alsoAt = alsoAt;
    this.#textGeneration = tree.textGeneration;
    this.#at = at;
  }

  /** For one order alone. */
  static of(tree: TemporalTree, { at, alsoAt }: Pick<TreeOrder, 'at' | 'alsoAt'>): TaskColumns {
    return new TaskColumns(tree, at, undefined, alsoAt);
  }

  /** The instant as of which all is read. */
  get at(): EventNs {
    return this.#at;
  }

  /** To be called whenever the tree or the instant has changed. */
  moveTo(at: EventNs): void {
    const changed = this.#changes?.upTo(at);
    this.#at = at;
    const isOther = this.tree.textGeneration !== this.#textGeneration;
    this.#textGeneration = this.tree.textGeneration;
    if (changed === undefined || isOther) {
      this.#columns.clear();
      return;
    }
    const hasGrown = this.tree.slotCount > this.#slots;
    if (hasGrown) this.#slots = this.tree.slotCount + (this.tree.slotCount >> 3);
    for (const [name, column] of this.#columns) {
      if (hasGrown) column.reserve(this.#slots);
      for (const task of changed) column.read(task, this.#instantOf(task));
      if (column.isFull === true) this.#columns.delete(name);
    }
  }

  /** @param make one of this name, for the tree */
  column<C extends TaskColumn>(name: string, make: (tree: TemporalTree) => C): C {
    // There is one kind of column for a name.
    const known = this.#columns.get(name) as C | undefined;
    if (known !== undefined) return known;
    const column = make(this.tree);
    column.reserve(Math.max(this.#slots, this.tree.slotCount));
    for (let slot = 0; slot < this.tree.slotCount; slot++) {
      column.read(slot as TaskIndex, this.#instantOf(slot as TaskIndex));
    }
    this.#columns.set(name, column);
    return column;
  }

  #instantOf(task: TaskIndex): EventNs {
    if (this.#alsoAt === undefined) return this.#at;
    return instantOf(this.tree, { at: this.#at, alsoAt: this.#alsoAt }, task);
  }
}

/** A number for each task. */
export class NumberColumn implements TaskColumn {
  values = new Float64Array(0);
  readonly #numberOf: (task: TaskIndex, at: EventNs) => number;

  constructor(numberOf: (task: TaskIndex, at: EventNs) => number) {
    this.#numberOf = numberOf;
  }

  reserve(slots: number): void {
    const values = new Float64Array(slots);
    values.set(this.values);
    this.values = values;
  }

  read(task: TaskIndex, at: EventNs): void {
    this.values[task] = this.#numberOf(task, at);
  }
}
