// Who was whose parent, since when: the changelog of the field `parent`, kept
// apart because it is read in both directions.
//
//   child  -> its entries, newest first      (parent as of T)
//   parent -> all entries that name it       (children as of T)

import type { Authority, EventNs } from '@dendro/protocol';
import { grown } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

type LinkIndex = number;
const NO_LINK: LinkIndex = -1;

export class ParentageTable {
  #newest = new Int32Array(1024).fill(NO_LINK); // child TaskIndex -> newest link
  #children = new Int32Array(1024).fill(NO_LINK); // parent TaskIndex -> some link that names it
  #older = new Int32Array(1024); // link -> older link of the same child
  #nextOfParent = new Int32Array(1024); // link -> next link that names the same parent
  #previousOfParent = new Int32Array(1024);
  #child = new Int32Array(1024);
  #parent = new Int32Array(1024); // or NO_TASK: from then on it has no parent that is known
  #since = new Float64Array(1024);
  #authority = new Uint8Array(1024);
  #firstFree: LinkIndex = NO_LINK;
  #length = 0;
  readonly #limit: number;
  readonly #retain: (task: TaskIndex) => void;
  readonly #release: (task: TaskIndex) => void;

  constructor(limit: number, retain: (task: TaskIndex) => void, release: (task: TaskIndex) => void) {
    this.#limit = limit;
    this.#retain = retain;
    this.#release = release;
  }

  /** The link that answers for `at`: greatest `since <= at`. */
  #find(child: TaskIndex, at: EventNs): LinkIndex {
    let link = child < this.#newest.length ? this.#newest[child]! : NO_LINK;
    while (link !== NO_LINK && this.#since[link]! > at) link = this.#older[link]!;
    return link;
  }

  parentAt(child: TaskIndex, at: EventNs): TaskIndex {
    const link = this.#find(child, at);
    return link === NO_LINK ? NO_TASK : (this.#parent[link]! as TaskIndex);
  }

  authorityAt(child: TaskIndex, at: EventNs): Authority | undefined {
    const link = this.#find(child, at);
    return link === NO_LINK ? undefined : (this.#authority[link]! as Authority);
  }

  sinceAt(child: TaskIndex, at: EventNs): EventNs | undefined {
    const link = this.#find(child, at);
    return link === NO_LINK ? undefined : (this.#since[link]! as EventNs);
  }

  hasLinks(child: TaskIndex): boolean {
    return child < this.#newest.length && this.#newest[child] !== NO_LINK;
  }

  /** Has any entry ever named it as a parent, of those that are kept? */
  hasChildren(parent: TaskIndex): boolean {
    return parent < this.#children.length && this.#children[parent] !== NO_LINK;
  }

  /** Calls `visit` for every entry of `child`, newest first. */
  forEachOf(child: TaskIndex, visit: (parent: TaskIndex, since: EventNs, authority: Authority) => void): void {
    let link = child < this.#newest.length ? this.#newest[child]! : NO_LINK;
    while (link !== NO_LINK) {
      visit(this.#parent[link]! as TaskIndex, this.#since[link]! as EventNs, this.#authority[link]! as Authority);
      link = this.#older[link]!;
    }
  }

  /** The tasks whose parent was `parent` at `at` (dead or alive), in no order. */
  childrenAt(parent: TaskIndex, at: EventNs): TaskIndex[] {
    const children: TaskIndex[] = [];
    let link = parent < this.#children.length ? this.#children[parent]! : NO_LINK;
    while (link !== NO_LINK) {
      const child = this.#child[link]! as TaskIndex;
      if (this.#find(child, at) === link) children.push(child);
      link = this.#nextOfParent[link]!;
    }
    return children;
  }

  /**
   * Merges one entry; of two with the same `since` the greater authority stays, then the one that `compare` puts last.
   * @returns whether anything changed
   */
  merge(
    child: TaskIndex,
    parent: TaskIndex,
    since: EventNs,
    authority: Authority,
    compare: (a: TaskIndex, b: TaskIndex) => number,
  ): boolean {
    this.#growHeads(child > parent ? child : parent);
    let before = NO_LINK;
    let link = this.#newest[child]!;
    let newer = 0;
    while (link !== NO_LINK && this.#since[link]! > since) {
      newer++;
      before = link;
      link = this.#older[link]!;
    }
    if (link !== NO_LINK && this.#since[link] === since) {
      const known = this.#parent[link]! as TaskIndex;
      const order = authority - this.#authority[link]! || compare(parent, known);
      if (order <= 0) return false;
      this.#authority[link] = authority;
      if (known !== parent) this.#nameParent(link, parent);
      return true;
    }
    if (newer >= this.#limit) return false;
    const added = this.#take();
    this.#child[added] = child;
    this.#since[added] = since;
    this.#authority[added] = authority;
    this.#older[added] = link;
    if (before === NO_LINK) this.#newest[child] = added;
    else this.#older[before] = added;
    this.#parent[added] = NO_TASK;
    this.#nameParent(added, parent);
    this.#dropOldest(added, newer + 1);
    return true;
  }

  /** Forgets the parents of a child. */
  clear(child: TaskIndex): void {
    let link = child < this.#newest.length ? this.#newest[child]! : NO_LINK;
    if (child < this.#newest.length) this.#newest[child] = NO_LINK;
    while (link !== NO_LINK) {
      const older = this.#older[link]!;
      this.#give(link);
      link = older;
    }
  }

  #nameParent(link: LinkIndex, parent: TaskIndex): void {
    const known = this.#parent[link]! as TaskIndex;
    this.#unlinkFromParent(link);
    this.#parent[link] = parent;
    if (parent !== NO_TASK) {
      const first = this.#children[parent]!;
      this.#nextOfParent[link] = first;
      this.#previousOfParent[link] = NO_LINK;
      if (first !== NO_LINK) this.#previousOfParent[first] = link;
      this.#children[parent] = link;
      this.#retain(parent);
    }
    if (known !== NO_TASK) this.#release(known);
  }

  #unlinkFromParent(link: LinkIndex): void {
    const parent = this.#parent[link]!;
    if (parent === NO_TASK) return;
    const next = this.#nextOfParent[link]!;
    const previous = this.#previousOfParent[link]!;
    if (previous === NO_LINK) this.#children[parent] = next;
    else this.#nextOfParent[previous] = next;
    if (next !== NO_LINK) this.#previousOfParent[next] = previous;
  }

  #dropOldest(added: LinkIndex, rank: number): void {
    let kept = rank;
    let link = added;
    while (kept < this.#limit && this.#older[link] !== NO_LINK) {
      link = this.#older[link]!;
      kept++;
    }
    const beyond = this.#older[link]!;
    if (kept < this.#limit || beyond === NO_LINK) return;
    this.#older[link] = this.#older[beyond]!;
    this.#give(beyond);
  }

  #take(): LinkIndex {
    const link = this.#firstFree;
    if (link !== NO_LINK) {
      this.#firstFree = this.#older[link]!;
      return link;
    }
    if (this.#length === this.#older.length) this.#growLinks();
    return this.#length++;
  }

  #give(link: LinkIndex): void {
    const parent = this.#parent[link]! as TaskIndex;
    this.#unlinkFromParent(link);
    this.#parent[link] = NO_TASK;
    this.#older[link] = this.#firstFree;
    this.#firstFree = link;
    if (parent !== NO_TASK) this.#release(parent);
  }

  #growHeads(task: TaskIndex): void {
    if (task < this.#newest.length) return;
    let capacity = this.#newest.length * 2;
    while (capacity <= task) capacity *= 2;
    this.#newest = grown(this.#newest, capacity, NO_LINK);
    this.#children = grown(this.#children, capacity, NO_LINK);
  }

  #growLinks(): void {
    const capacity = this.#older.length * 2;
    this.#older = grown(this.#older, capacity, NO_LINK);
    this.#nextOfParent = grown(this.#nextOfParent, capacity, NO_LINK);
    this.#previousOfParent = grown(this.#previousOfParent, capacity, NO_LINK);
    this.#child = grown(this.#child, capacity, NO_TASK);
    this.#parent = grown(this.#parent, capacity, NO_TASK);
    this.#since = grown(this.#since, capacity, 0);
    this.#authority = grown(this.#authority, capacity, 0);
  }
}
