// The slot of a life in the tree of open ones. One that is sealed is brought back, with those through whom it is read.

import { NO_TASK, type TaskIndex, type TemporalTree } from '@dendro/engine';
import { type EventNs, NO_TASK_ID, type TaskId } from '@dendro/protocol';
import type { LifeSpans } from './life-spans.ts';

const MAX_MISSING = 16_384;

export interface SealedSpan {
  readonly from: EventNs;
  readonly to: EventNs;
  readonly isPart: boolean;
}

/** Finds what is sealed. */
export interface SealedLives {
  /**
   * Loads what is known of a life into the tree.
   * @returns from when to when it matters, and whether some of it is in earlier blocks alone; undefined when it is not there
   */
  bringBack(id: TaskId, tree: TemporalTree): SealedSpan | undefined;
}

export class LifeFinder {
  readonly #tree: TemporalTree;
  readonly #spans: LifeSpans;
  readonly #sealed: SealedLives;
  /** Called for each that has come back. */
  readonly #broughtBack: (task: TaskIndex, id: TaskId, span: SealedSpan) => void;
  /** Ids that are in no block: not looked for again. */
  readonly #missing = new Set<number>();
  /** Of all that were ever told of, in earlier runs too: what is beyond is in no block. */
  newestId = 0;

  constructor(
    tree: TemporalTree,
    spans: LifeSpans,
    sealed: SealedLives,
    broughtBack: (task: TaskIndex, id: TaskId, span: SealedSpan) => void,
  ) {
    this.#tree = tree;
    this.#spans = spans;
    this.#sealed = sealed;
    this.#broughtBack = broughtBack;
  }

  // hot: these run once per fact

  /** @returns NO_TASK when it is neither open nor in a block */
  find(id: TaskId): TaskIndex {
    const known = this.#tree.indexOf(id);
    if (known !== NO_TASK && this.#tree.isPresent(known)) return known;
    return id <= this.newestId && !this.#missing.has(id) ? this.#bringBack(id) : NO_TASK;
  }

  /** The same of one that is going to be announced, or that a fact names: a slot is made where there is none. */
  findOrAdd(id: TaskId): TaskIndex {
    const found = this.find(id);
    if (found !== NO_TASK) return found;
    const known = this.#tree.indexOf(id);
    return known === NO_TASK ? this.#tree.addTask(id) : known;
  }

  /** Of whoever a fact names; others will be read through it. */
  named(id: number): TaskIndex {
    return id > NO_TASK_ID ? this.findOrAdd(id as TaskId) : NO_TASK;
  }

  /** One has been announced. */
  noteAnnounced(id: TaskId): void {
    if (this.#missing.size > 0) this.#missing.delete(id);
    if (id > this.newestId) this.newestId = id;
  }

  #bringBack(id: TaskId): TaskIndex {
    const tree = this.#tree;
    const todo: TaskId[] = [id];
    for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
      const span = this.#sealed.bringBack(next, tree);
      const task = tree.indexOf(next);
      if (span === undefined || task === NO_TASK || !tree.isPresent(task)) {
        if (this.#missing.size >= MAX_MISSING) this.#missing.clear();
        this.#missing.add(next);
        continue;
      }
      this.#broughtBack(task, next, span);
      this.#spans.forEachNamedBy(task, (above) => {
        const aboveId = tree.taskIdOf(above);
        if (!tree.isPresent(above) && !this.#missing.has(aboveId) && !todo.includes(aboveId)) todo.push(aboveId);
      });
    }
    const task = tree.indexOf(id);
    return task !== NO_TASK && tree.isPresent(task) ? task : NO_TASK;
  }
}
