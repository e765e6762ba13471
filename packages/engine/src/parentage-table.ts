// Who was whose parent, since when: the changelog of the field `parent`, kept
// apart because it is read in both directions.
//
//   child  -> its links, newest first      (parent as of T)
//   parent -> all links that name it       (children as of T)

import type { Authority, EventNs } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { Rows } from './rows.ts';
import type { TaskTable } from './task-table.ts';

/** Number of a link in the pool. */
export type LinkIndex = number;
export const NO_LINK: LinkIndex = -1;

// Columns of a link: the double first, then integers.
const SINCE = 0;
const CHILD = 2;
const PARENT = 3; // or NO_TASK: from then on it has no parent that is known
const OLDER = 4; // older link of the same child | NO_LINK; of a free link the next free one
const NEXT_OF_PARENT = 5; // next link that names the same parent | NO_LINK
const PREVIOUS_OF_PARENT = 6;
const AUTHORITY = 7;
const INTEGERS = 8;
const DOUBLES = INTEGERS / 2;

export class ParentageTable {
  readonly #tasks: TaskTable;
  readonly #links = new Rows(INTEGERS);
  readonly #limit: number;
  #hasTrimmed = false;
  #firstFree: LinkIndex = NO_LINK;
  #length = 0;

  constructor(tasks: TaskTable, limit: number) {
    this.#tasks = tasks;
    this.#limit = limit;
  }

  /** Has any task ever lost its oldest entries? */
  get hasTrimmed(): boolean {
    return this.#hasTrimmed;
  }

  /** The link that says who the parent was at `at`: greatest `since <= at`. NO_LINK when there is none. */
  find(child: TaskIndex, at: EventNs): LinkIndex {
    const { i32, f64 } = this.#links;
    let link = this.#tasks.parentsOf(child);
    while (link !== NO_LINK && f64[link * DOUBLES + SINCE]! > at) link = i32[link * INTEGERS + OLDER]!;
    return link;
  }

  /** The first link after `at`. */
  findNext(child: TaskIndex, at: EventNs): LinkIndex {
    const { i32, f64 } = this.#links;
    let next = NO_LINK;
    let link = this.#tasks.parentsOf(child);
    while (link !== NO_LINK && f64[link * DOUBLES + SINCE]! > at) {
      next = link;
      link = i32[link * INTEGERS + OLDER]!;
    }
    return next;
  }

  /** NO_TASK: from then on it has no parent that is known. */
  parentOf(link: LinkIndex): TaskIndex {
    return this.#links.i32[link * INTEGERS + PARENT]! as TaskIndex;
  }

  sinceOf(link: LinkIndex): EventNs {
    return this.#links.f64[link * DOUBLES + SINCE]! as EventNs;
  }

  /** Since when the newest parent is one; -Infinity without any. */
  newestOf(child: TaskIndex): EventNs {
    const link = this.#tasks.parentsOf(child);
    return link === NO_LINK ? (Number.NEGATIVE_INFINITY as EventNs) : this.sinceOf(link);
  }

  authorityOf(link: LinkIndex): Authority {
    return this.#links.i32[link * INTEGERS + AUTHORITY]! as Authority;
  }

  /** Has it lost its oldest links? */
  isTrimmed(child: TaskIndex): boolean {
    return this.#tasks.areParentsTrimmed(child);
  }

  hasLinks(child: TaskIndex): boolean {
    return this.#tasks.parentsOf(child) !== NO_LINK;
  }

  /** Has any link ever named it as a parent, of those that are kept? */
  hasChildren(parent: TaskIndex): boolean {
    return this.#tasks.childrenOf(parent) !== NO_LINK;
  }

  /** Calls `visit` for every link of `child`, newest first. */
  forEachOf(child: TaskIndex, visit: (parent: TaskIndex, since: EventNs, authority: Authority) => void): void {
    for (let link = this.#tasks.parentsOf(child); link !== NO_LINK; link = this.#olderOf(link)) {
      visit(this.parentOf(link), this.sinceOf(link), this.authorityOf(link));
    }
  }

  /** Calls `visit` for every link that names `parent`. No link may change meanwhile. */
  forEachChildOf(parent: TaskIndex, visit: (child: TaskIndex, since: EventNs, authority: Authority) => void): void {
    const { i32 } = this.#links;
    let link = this.#tasks.childrenOf(parent);
    while (link !== NO_LINK) {
      visit(i32[link * INTEGERS + CHILD]! as TaskIndex, this.sinceOf(link), this.authorityOf(link));
      link = i32[link * INTEGERS + NEXT_OF_PARENT]!;
    }
  }

  /**
   * Merges one link; of two with the same `since` the greater authority stays, then the parent with the greater id.
   * @returns whether anything changed
   */
  merge(child: TaskIndex, parent: TaskIndex, since: EventNs, authority: Authority): boolean {
    let before = NO_LINK;
    let link = this.#tasks.parentsOf(child);
    let newer = 0;
    while (link !== NO_LINK && this.sinceOf(link) > since) {
      newer++;
      before = link;
      link = this.#olderOf(link);
    }
    if (link !== NO_LINK && this.sinceOf(link) === since) {
      const known = this.parentOf(link);
      const order = authority - this.authorityOf(link) || this.#idOrZero(parent) - this.#idOrZero(known);
      if (order <= 0) return false;
      this.#links.i32[link * INTEGERS + AUTHORITY] = authority;
      if (known !== parent) this.#nameParent(link, parent);
      return true;
    }
    if (newer >= this.#limit) return this.#noteTrimmed(child);
    const added = this.#take();
    const { i32, f64 } = this.#links;
    const row = added * INTEGERS;
    f64[added * DOUBLES + SINCE] = since;
    i32[row + CHILD] = child;
    i32[row + AUTHORITY] = authority;
    i32[row + OLDER] = link;
    i32[row + PARENT] = NO_TASK;
    if (before === NO_LINK) this.#tasks.setParents(child, added);
    else i32[before * INTEGERS + OLDER] = added;
    this.#nameParent(added, parent);
    this.#dropOldest(child, added, newer + 1);
    return true;
  }

  /** Forgets the links of all tasks, which are forgotten too. */
  clearAll(): void {
    this.#hasTrimmed = false;
    this.#firstFree = NO_LINK;
    this.#length = 0;
  }

  /** Forgets the parents of a child. */
  clear(child: TaskIndex): void {
    let link = this.#tasks.parentsOf(child);
    this.#tasks.setParents(child, NO_LINK);
    while (link !== NO_LINK) {
      const older = this.#olderOf(link);
      this.#give(link);
      link = older;
    }
  }

  #olderOf(link: LinkIndex): LinkIndex {
    return this.#links.i32[link * INTEGERS + OLDER]!;
  }

  // Tasks are compared by id, never by slot: two trees must settle a tie alike.
  #idOrZero(task: TaskIndex): number {
    return task === NO_TASK ? 0 : this.#tasks.taskIdOf(task);
  }

  #nameParent(link: LinkIndex, parent: TaskIndex): void {
    const known = this.parentOf(link);
    this.#unlinkFromParent(link);
    const { i32 } = this.#links;
    i32[link * INTEGERS + PARENT] = parent;
    if (parent !== NO_TASK) {
      const first = this.#tasks.childrenOf(parent);
      i32[link * INTEGERS + NEXT_OF_PARENT] = first;
      i32[link * INTEGERS + PREVIOUS_OF_PARENT] = NO_LINK;
      if (first !== NO_LINK) i32[first * INTEGERS + PREVIOUS_OF_PARENT] = link;
      this.#tasks.setChildren(parent, link);
    }
    if (known !== NO_TASK) this.#tasks.noteRelease(known);
  }

  #unlinkFromParent(link: LinkIndex): void {
    const { i32 } = this.#links;
    const parent = this.parentOf(link);
    if (parent === NO_TASK) return;
    const next = i32[link * INTEGERS + NEXT_OF_PARENT]!;
    const previous = i32[link * INTEGERS + PREVIOUS_OF_PARENT]!;
    if (previous === NO_LINK) this.#tasks.setChildren(parent, next);
    else i32[previous * INTEGERS + NEXT_OF_PARENT] = next;
    if (next !== NO_LINK) i32[next * INTEGERS + PREVIOUS_OF_PARENT] = previous;
  }

  // `added` is the `rank`-th newest of its child; the one beyond the limit goes.
  #dropOldest(child: TaskIndex, added: LinkIndex, rank: number): void {
    let kept = rank;
    let link = added;
    while (kept < this.#limit && this.#olderOf(link) !== NO_LINK) {
      link = this.#olderOf(link);
      kept++;
    }
    const beyond = this.#olderOf(link);
    if (kept < this.#limit || beyond === NO_LINK) return;
    this.#links.i32[link * INTEGERS + OLDER] = this.#olderOf(beyond);
    this.#give(beyond);
    this.#noteTrimmed(child);
  }

  /** @returns whether that was not known yet */
  #noteTrimmed(child: TaskIndex): boolean {
    this.#hasTrimmed = true;
    const wasKnown = this.#tasks.areParentsTrimmed(child);
    this.#tasks.trimParents(child);
    return !wasKnown;
  }

  #take(): LinkIndex {
    const link = this.#firstFree;
    if (link !== NO_LINK) {
      this.#firstFree = this.#olderOf(link);
      return link;
    }
    this.#links.reserve(this.#length);
    return this.#length++;
  }

  #give(link: LinkIndex): void {
    const parent = this.parentOf(link);
    this.#unlinkFromParent(link);
    this.#links.i32[link * INTEGERS + PARENT] = NO_TASK;
    this.#links.i32[link * INTEGERS + OLDER] = this.#firstFree;
    this.#firstFree = link;
    if (parent !== NO_TASK) this.#tasks.noteRelease(parent);
  }
}
