// Who was the parent as of an instant, and whose children: the rules of reading
// (SPEC.md: AS6, AS7, FO1, FO2, PA1, PA2, PA3).
//
// Most parents are not facts. The parent of a process is the process of its creator;
// once that has ended, it is init. Only what somebody said or saw is kept as a link: a
// parent named by the source, a new one, a sighting. A sighting goes back to where a
// conclusion began.

import { AUTHORITY, type Authority, type EventNs, TASK_FLAG } from '@dendro/protocol';
import type { FieldReader } from './field-reader.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { type LinkIndex, NO_LINK, type ParentageTable } from './parentage-table.ts';
import type { TaskTable } from './task-table.ts';

/** A leader that is a thread itself has a leader; facts from elsewhere can make a ring of them. */
export const MAX_LEADERS = 8;
export const INIT_TID = 1;
/** Siblings of siblings that are followed anew each time; of longer chains it is kept whom each was born under. */
const NEAR = 64;
/** What is kept of a birth: a parent, or NO_TASK, is added to it; that it is not known any more; a ring. */
const KEPT = 4;
const TRIMMED = 1;
const RING = 2;

export class ParentReader {
  readonly #tasks: TaskTable;
  readonly #links: ParentageTable;
  readonly #fields: FieldReader;
  #init: TaskIndex = NO_TASK;
  // What `#read` found besides the parent. Authority is undefined where nobody has said or seen a parent, nor a creator.
  #authority: Authority | undefined;
  #since = 0 as EventNs;
  #isFromLater = false; // a sighting that goes back
  #isTrimmed = false; // it is not known any more
  /** TaskIndex -> whom it was born under, plus KEPT; TRIMMED; RING; 0 not looked up yet. Valid until a fact changes. */
  #births: Int32Array | undefined;
  #siblingSteps = 0;

  constructor(tasks: TaskTable, links: ParentageTable, fields: FieldReader) {
    this.#tasks = tasks;
    this.#links = links;
    this.#fields = fields;
  }

  /** The task with tid 1: should there be two, because one was evicted, the younger one is meant. */
  get init(): TaskIndex {
    return this.#init;
  }

  /** A task was told of that has tid 1, or had it: a better fact can have given it another. */
  noteInit(task: TaskIndex): void {
    if (this.#tasks.tidOf(task) === INIT_TID) this.#init = this.#younger(task, this.#init);
    else if (task === this.#init) this.#init = this.#youngestInit();
  }

  noteFree(task: TaskIndex): void {
    if (task === this.#init) this.#init = NO_TASK;
  }

  noteClear(): void {
    this.#init = NO_TASK;
  }

  /** To be called when a fact has changed. */
  noteChange(): void {
    if (this.#births !== undefined) this.#births = undefined;
  }

  /** Siblings of siblings that were followed so far: for who bounds what reading may cost. */
  get siblingSteps(): number {
    return this.#siblingSteps;
  }

  parentAt(task: TaskIndex, at: EventNs): TaskIndex {
    return this.#read(task, at);
  }

  /** Who said what `parentAt` gave last; undefined where nobody has said anything. */
  get lastAuthority(): Authority | undefined {
    return this.#authority;
  }

  /** Since when that is so; means nothing where nobody has said anything. */
  get lastSince(): EventNs {
    return this.#since;
  }

  authorityAt(task: TaskIndex, at: EventNs): Authority | undefined {
    this.#read(task, at);
    return this.#authority;
  }

  sinceAt(task: TaskIndex, at: EventNs): EventNs | undefined {
    this.#read(task, at);
    return this.#authority === undefined ? undefined : this.#since;
  }

  /** Was it said or seen by `at` that this is the parent, and does it hold? */
  isKnownAt(task: TaskIndex, parent: TaskIndex, at: EventNs): boolean {
    const isSame = this.#read(task, at) === parent;
    return isSame && !this.#isFromLater && (this.#authority ?? AUTHORITY.inferred) >= AUTHORITY.sighting;
  }

  /** Does nobody know any more who it was, because the oldest links are let go of? */
  isTrimmedAt(task: TaskIndex, at: EventNs): boolean {
    if (!this.#links.hasTrimmed) return false;
    this.#read(task, at);
    return this.#isTrimmed;
  }

  childrenAt(parent: TaskIndex, at: EventNs): TaskIndex[] {
    if (this.#processOf(parent) !== parent) return [];
    const candidates = new Set<TaskIndex>();
    if (parent === this.#init) {
      // Of orphans nobody keeps a list: they are whose parent has ended.
      for (let task = 0; task < this.#tasks.length; task++) candidates.add(task as TaskIndex);
    } else {
      for (const task of this.#withThreads(parent)) this.#collect(task, candidates);
      // The set grows while it is walked.
      if (this.#tasks.hasSiblings) for (const child of candidates) this.#collectSiblings(child, candidates);
    }
    const children: TaskIndex[] = [];
    for (const task of candidates) {
      if (this.#tasks.isPresent(task) && this.#read(task, at) === parent) children.push(task);
    }
    return children;
  }

  #collect(task: TaskIndex, candidates: Set<TaskIndex>): void {
    this.#links.forEachChildOf(task, (child) => candidates.add(child));
    for (let child = this.#tasks.firstCreatedBy(task); child !== NO_TASK; child = this.#tasks.nextCreatedOf(child)) {
      candidates.add(child);
    }
  }

  /** Adds those whom `task`, or a thread of it, created as its siblings. */
  #collectSiblings(task: TaskIndex, candidates: Set<TaskIndex>): void {
    for (let creator = task; creator !== NO_TASK; ) {
      for (let born = this.#tasks.firstCreatedBy(creator); born !== NO_TASK; born = this.#tasks.nextCreatedOf(born)) {
        if ((this.#tasks.flagsOf(born) & TASK_FLAG.sibling) !== 0) candidates.add(born);
      }
      creator = creator === task ? this.#tasks.firstThreadOf(task) : this.#tasks.nextThreadOf(creator);
    }
  }

  // hot: runs once per ancestor and row
  #read(task: TaskIndex, at: EventNs): TaskIndex {
    this.#authority = undefined;
    this.#isFromLater = false;
    this.#isTrimmed = false;
    const start = this.#tasks.startOf(task);
    if (at < start || this.#isThread(task)) return NO_TASK;
    const limit = at === start ? at : this.#limitOf(task, at);
    const link = this.#links.hasLinks(task) ? this.#links.find(task, limit) : NO_LINK;
    if (link !== NO_LINK) {
      this.#authority = this.#links.authorityOf(link);
      this.#since = this.#links.sinceOf(link);
      return this.#parentUntil(task, limit, this.#links.parentOf(link));
    }
    if (this.#links.isTrimmed(task)) {
      this.#isTrimmed = true;
      return NO_TASK;
    }
    const birthParent = this.#birthParentOf(task);
    return this.#isTrimmed ? NO_TASK : this.#parentOfBirthUntil(task, limit, birthParent);
  }

  /** What is asked of a time after its end is asked of its end; one that was told to end before its birth had it. */
  #limitOf(task: TaskIndex, at: EventNs): EventNs {
    return Math.max(this.#tasks.startOf(task), Math.min(at, this.#fields.endOf(task))) as EventNs;
  }

  /** Who its parent is at `limit`, of whose parents no link until then is kept: who it was born under, or what followed. */
  #parentOfBirthUntil(task: TaskIndex, limit: EventNs, birthParent: TaskIndex): TaskIndex {
    this.#since = this.#tasks.startOf(task);
    this.#authority = birthParent === NO_TASK ? undefined : this.#tasks.creatorAuthorityOf(task);
    return this.#parentUntil(task, limit, birthParent);
  }

  /** Who its parent is at `limit` when the last one that was told of until then is `told`. */
  #parentUntil(task: TaskIndex, limit: EventNs, told: TaskIndex): TaskIndex {
    const start = this.#tasks.startOf(task);
    let parent = this.#processOf(told);
    if (parent === task) parent = NO_TASK;
    const isSettled = this.#authority !== undefined && this.#authority >= AUTHORITY.sighting;
    if (isSettled && (parent === NO_TASK || limit === start || this.#fields.endOf(parent) > limit)) return parent;

    // Concluded, ended or not known: the next sighting tells, if there is one.
    const next = this.#links.hasLinks(task) ? this.#links.findNext(task, limit) : NO_LINK;
    const seen = next === NO_LINK ? NO_TASK : this.#processOf(this.#links.parentOf(next));
    const isSeen = next !== NO_LINK && seen !== task && this.#goesBack(task, next);
    if (parent !== NO_TASK && limit !== start && this.#fields.endOf(parent) <= limit) {
      this.#since = Math.max(this.#since, this.#fields.endOf(parent)) as EventNs;
      this.#authority = AUTHORITY.inferred;
      parent = this.#initFor(task);
    }
    if (!isSeen) return parent;
    this.#authority = AUTHORITY.sighting;
    this.#isFromLater = true;
    return seen;
  }

  /** The process of its creator; for one that was born as a sibling, the parent of that process at the time. */
  #birthParentOf(task: TaskIndex): TaskIndex {
    const creator = this.#processOf(this.#tasks.creatorOf(task));
    return creator === NO_TASK || !this.#isSibling(task) ? creator : this.#parentOfSiblings(task, creator);
  }

  /** The parent of `creator` at the birth of `task`; siblings of siblings are followed up, and then down again. */
  #parentOfSiblings(task: TaskIndex, creator: TaskIndex): TaskIndex {
    const siblings = [task]; // the creator of each is the next one
    let top = creator;
    let at = this.#tasks.startOf(task);
    let mark = task; // somebody further down: who is met there again is in a ring
    let kept = 0;
    for (; this.#isBornBesideCreator(top, at); at = this.#tasks.startOf(top)) {
      kept = top === mark ? RING : (this.#births?.[top] ?? 0);
      if (kept !== 0) break;
      if ((siblings.length & (siblings.length - 1)) === 0) mark = top;
      siblings.push(top);
      top = this.#processOf(this.#tasks.creatorOf(top));
    }
    this.#siblingSteps += siblings.length;
    if (siblings.length > NEAR) this.#births ??= new Int32Array(this.#tasks.length);
    if (kept !== 0) siblings.push(top);
    else {
      const parent = this.#read(top, at);
      kept = this.#isTrimmed ? TRIMMED : parent + KEPT;
    }
    for (let i = siblings.length - 1; ; i--) {
      const born = siblings[i] as TaskIndex;
      if (siblings.length > NEAR && this.#births !== undefined) this.#births[born] = kept;
      if (i === 0) break;
      if (kept <= RING) continue;
      const limit = this.#limitOf(born, this.#tasks.startOf(siblings[i - 1] as TaskIndex));
      kept = this.#parentOfBirthUntil(born, limit, (kept - KEPT) as TaskIndex) + KEPT;
    }
    this.#isTrimmed = kept === TRIMMED;
    return kept <= RING ? NO_TASK : ((kept - KEPT) as TaskIndex);
  }

  /** Is its parent at `at` known only from having been born as a sibling? */
  #isBornBesideCreator(task: TaskIndex, at: EventNs): boolean {
    if (!this.#isSibling(task) || this.#processOf(this.#tasks.creatorOf(task)) === NO_TASK) return false;
    if (at < this.#tasks.startOf(task) || this.#isThread(task) || this.#links.isTrimmed(task)) return false;
    return !this.#links.hasLinks(task) || this.#links.find(task, this.#limitOf(task, at)) === NO_LINK;
  }

  #initFor(orphan: TaskIndex): TaskIndex {
    return orphan === this.#init || (this.#init !== NO_TASK && this.#isThread(this.#init)) ? NO_TASK : this.#init;
  }

  #younger(task: TaskIndex, other: TaskIndex): TaskIndex {
    return other === NO_TASK || this.#tasks.taskIdOf(task) > this.#tasks.taskIdOf(other) ? task : other;
  }

  #youngestInit(): TaskIndex {
    let init: TaskIndex = NO_TASK;
    for (let slot = 0; slot < this.#tasks.length; slot++) {
      const task = slot as TaskIndex;
      if (!this.#tasks.isFree(task) && this.#tasks.tidOf(task) === INIT_TID) init = this.#younger(task, init);
    }
    return init;
  }

  #isSibling(task: TaskIndex): boolean {
    return (this.#tasks.flagsOf(task) & TASK_FLAG.sibling) !== 0;
  }

  #goesBack(task: TaskIndex, link: LinkIndex): boolean {
    return (
      this.#links.authorityOf(link) === AUTHORITY.sighting && this.#links.sinceOf(link) <= this.#fields.endOf(task)
    );
  }

  /** A process and its threads. What comes as facts from elsewhere can say that threads have threads. */
  #withThreads(process: TaskIndex): Set<TaskIndex> {
    const tasks = new Set([process]);
    for (const task of tasks) {
      let thread = this.#tasks.firstThreadOf(task);
      for (; thread !== NO_TASK; thread = this.#tasks.nextThreadOf(thread)) tasks.add(thread);
    }
    return tasks;
  }

  // A parent can have been named before anybody knew that it is a thread.
  #processOf(task: TaskIndex): TaskIndex {
    let process = task;
    for (let steps = 0; steps < MAX_LEADERS; steps++) {
      if (process === NO_TASK || !this.#isThread(process)) return process;
      const leader = this.#tasks.leaderOf(process);
      if (leader === NO_TASK) return process;
      process = leader;
    }
    return task;
  }

  #isThread(task: TaskIndex): boolean {
    return (this.#tasks.flagsOf(task) & TASK_FLAG.thread) !== 0;
  }
}
