// One row per task (task-row.ts): what never changes about a task, or is settled once (its
// start, its end), the links between a leader and its threads, and the heads of
// its lists in ChangelogTable and ParentageTable. A task is found by its id
// through a chained hash table whose links are in the rows too.
//
// A slot can stand for a task that is not present: somebody referred to it
// (a child's creator that is not here yet), or it was evicted while others
// descend from it (a stub). Whoever refers to a task stands in one of its lists:
// its threads, those it created, the links that name it as parent. A slot without
// task fact, facts and such lists is given out again.

import { type Authority, type EntityId, type EventNs, TASK_FLAG, type TaskId, type Tid } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { Rows } from './rows.ts';
import { TASK_ROW } from './task-row.ts';

/** Stands for a code or signal that is not known. */
export const NOT_KNOWN = -1;
/** Stands for "no entry" and "no link" in the heads of lists. */
const NOTHING = -1;

const STATE = { free: 0, mentioned: 1, present: 2, stub: 3 } as const;
/** Flags that go with start, pid and leader; the others add up. */
const START_FLAGS = TASK_FLAG.thread | TASK_FLAG.placeholder | TASK_FLAG.startIsTick | TASK_FLAG.startIsUnknown;

const { start: START, exit: EXIT, statusAt: STATUS_AT, id: ID } = TASK_ROW;
const { tid: TID, pid: PID, entity: ENTITY, leader: LEADER, creator: CREATOR, status: STATUS, bits: BITS } = TASK_ROW;
const { firstThread: FIRST_THREAD, nextThread: NEXT_THREAD } = TASK_ROW;
const { firstCreated: FIRST_CREATED, nextCreated: NEXT_CREATED } = TASK_ROW;
const { entries: ENTRIES, fields: FIELDS, parents: PARENTS, children: CHILDREN, sameIdBucket: SAME_BUCKET } = TASK_ROW;
const { integers: INTEGERS, doubles: DOUBLES } = TASK_ROW;

// Parts of BITS: flags in the lowest byte, then two bits each. An authority is stored plus one: 0 is "nobody".
const FLAG_BITS = 0xff;
const STATE_AT = 8;
const AUTHORITY_AT = 10; // of start, pid and leader
const CREATOR_AUTHORITY_AT = 12;
const EXIT_AUTHORITY_AT = 14;
const STATUS_AUTHORITY_AT = 16;
const PARENTS_TRIMMED = 1 << 18;
const NOBODY = -1;
/** What is of the task itself: its state and the list in which its writer has it are not. */
const COPIED_BITS = FLAG_BITS | (0xff << AUTHORITY_AT) | PARENTS_TRIMMED;

/** Two sources stamp one end with two times, so far apart at most. */
const STATUS_SLACK_NS = 1_000_000;

const UNKNOWN_STATUS = (NOT_KNOWN << 16) | (NOT_KNOWN & 0xffff);

export class TaskTable {
  readonly #rows: Rows;
  readonly #free: TaskIndex[] = [];
  /** Tasks that are not present and that nobody refers to any more; perhaps twice, perhaps not true any more. */
  readonly #abandoned: TaskIndex[] = [];
  /** bucket -> some task in it | NO_TASK. Made when somebody looks for an id: the writer of a tree never does. */
  #buckets: Int32Array | undefined;
  #length = 0;
  #present = 0;
  #stubs = 0;
  #hasSiblings = false;

  /** @param expected tasks that are likely to come */
  constructor(expected: number) {
    this.#rows = new Rows(INTEGERS, expected);
  }

  /** Slots ever used: every index is below. */
  get length(): number {
    return this.#length;
  }

  get presentCount(): number {
    return this.#present;
  }

  get stubCount(): number {
    return this.#stubs;
  }

  /** Was any task ever born as a sibling? */
  get hasSiblings(): boolean {
    return this.#hasSiblings;
  }

  /** For the writer, which keeps columns of its own in them. */
  get rows(): Rows {
    return this.#rows;
  }

  find(id: TaskId): TaskIndex {
    const buckets = this.#buckets ?? this.#makeBuckets(this.#length);
    const { i32, f64 } = this.#rows;
    let task = buckets[bucketOf(id, buckets)]! as TaskIndex;
    while (task !== NO_TASK && f64[task * DOUBLES + ID] !== id) task = i32[task * INTEGERS + SAME_BUCKET]! as TaskIndex;
    return task;
  }

  /** The slot of a task, made when there is none. */
  ensure(id: TaskId): TaskIndex {
    const known = this.find(id);
    return known === NO_TASK ? this.add(id) : known;
  }

  /** A slot for a task that has none yet. */
  add(id: TaskId): TaskIndex {
    const task = this.#free.pop() ?? this.#append();
    const { i32, f64 } = this.#rows;
    const doubles = task * DOUBLES;
    f64[doubles + ID] = id;
    f64[doubles + START] = 0;
    f64[doubles + EXIT] = Number.POSITIVE_INFINITY;
    const row = task * INTEGERS;
    i32[row + TID] = 0;
    i32[row + PID] = 0;
    i32[row + ENTITY] = 0;
    i32[row + LEADER] = NO_TASK;
    i32[row + CREATOR] = NO_TASK;
    i32[row + FIRST_THREAD] = NO_TASK;
    i32[row + NEXT_THREAD] = NO_TASK;
    i32[row + NEXT_THREAD + 1] = NO_TASK;
    i32[row + FIRST_CREATED] = NO_TASK;
    i32[row + NEXT_CREATED] = NO_TASK;
    i32[row + NEXT_CREATED + 1] = NO_TASK;
    i32[row + STATUS] = UNKNOWN_STATUS;
    i32[row + BITS] = STATE.mentioned << STATE_AT;
    i32[row + ENTRIES] = NOTHING;
    i32[row + FIELDS] = 0;
    i32[row + PARENTS] = NOTHING;
    i32[row + CHILDREN] = NOTHING;
    const { length } = this;
    if (this.#buckets !== undefined) {
      if (length - this.#free.length > this.#buckets.length) this.#makeBuckets(length);
      else this.#enterBucket(task, this.#buckets);
    }
    return task;
  }

  /**
   * What never changes and how it ended, as another table has it, for a slot that nothing is known of: not whom it refers
   * to, and no lists.
   */
  copyFacts(task: TaskIndex, from: TaskTable, of: TaskIndex): void {
    const { i32, f64 } = this.#rows;
    const source = from.#rows;
    const [row, doubles, sourceRow, sourceDoubles] = [task * INTEGERS, task * DOUBLES, of * INTEGERS, of * DOUBLES];
    f64[doubles + START] = source.f64[sourceDoubles + START]!;
    f64[doubles + EXIT] = source.f64[sourceDoubles + EXIT]!;
    f64[doubles + STATUS_AT] = source.f64[sourceDoubles + STATUS_AT]!;
    i32[row + TID] = source.i32[sourceRow + TID]!;
    i32[row + PID] = source.i32[sourceRow + PID]!;
    i32[row + ENTITY] = source.i32[sourceRow + ENTITY]!;
    i32[row + STATUS] = source.i32[sourceRow + STATUS]!;
    const bits = source.i32[sourceRow + BITS]! & COPIED_BITS;
    i32[row + BITS] = bits | (STATE.present << STATE_AT);
    if ((bits & TASK_FLAG.sibling) !== 0) this.#hasSiblings = true;
    this.#present++;
  }

  /** For a task whose facts were copied: whom it refers to. */
  copyReferences(task: TaskIndex, leader: TaskIndex, creator: TaskIndex): void {
    this.#setLeader(task, leader);
    if (creator === NO_TASK) return;
    this.#link(task, creator, FIRST_CREATED, NEXT_CREATED);
    this.#rows.i32[task * INTEGERS + CREATOR] = creator;
  }

  /** Forgets all tasks. The memory stays, for those that come next. */
  clear(): void {
    this.#free.length = 0;
    this.#abandoned.length = 0;
    this.#buckets?.fill(NO_TASK);
    this.#length = 0;
    this.#present = 0;
    this.#stubs = 0;
    this.#hasSiblings = false;
  }

  isPresent(task: TaskIndex): boolean {
    return this.#part(task, STATE_AT) === STATE.present;
  }

  isFree(task: TaskIndex): boolean {
    return this.#part(task, STATE_AT) === STATE.free;
  }

  isStub(task: TaskIndex): boolean {
    return this.#part(task, STATE_AT) === STATE.stub;
  }

  taskIdOf(task: TaskIndex): TaskId {
    return this.#rows.f64[task * DOUBLES + ID]! as TaskId;
  }

  tidOf(task: TaskIndex): Tid {
    return this.#rows.i32[task * INTEGERS + TID]! as Tid;
  }

  pidOf(task: TaskIndex): Tid {
    return this.#rows.i32[task * INTEGERS + PID]! as Tid;
  }

  entityIdOf(task: TaskIndex): EntityId {
    return (this.#rows.i32[task * INTEGERS + ENTITY]! >>> 0) as EntityId;
  }

  flagsOf(task: TaskIndex): number {
    return this.#rows.i32[task * INTEGERS + BITS]! & FLAG_BITS;
  }

  authorityOf(task: TaskIndex): Authority {
    return this.#authorityAt(task, AUTHORITY_AT) as Authority;
  }

  startOf(task: TaskIndex): EventNs {
    return this.#rows.f64[task * DOUBLES + START]! as EventNs;
  }

  leaderOf(task: TaskIndex): TaskIndex {
    return this.#rows.i32[task * INTEGERS + LEADER]! as TaskIndex;
  }

  creatorOf(task: TaskIndex): TaskIndex {
    return this.#rows.i32[task * INTEGERS + CREATOR]! as TaskIndex;
  }

  creatorAuthorityOf(task: TaskIndex): Authority {
    return this.#authorityAt(task, CREATOR_AUTHORITY_AT) as Authority;
  }

  exitOf(task: TaskIndex): EventNs {
    return this.#rows.f64[task * DOUBLES + EXIT]! as EventNs;
  }

  /** Meaningful only when the task has ended. */
  exitAuthorityOf(task: TaskIndex): Authority {
    return this.#authorityAt(task, EXIT_AUTHORITY_AT) as Authority;
  }

  exitCodeOf(task: TaskIndex): number {
    return this.#statusOf(task) >> 16;
  }

  exitSignalOf(task: TaskIndex): number {
    return (this.#statusOf(task) << 16) >> 16;
  }

  /** Time of the end that told code and signal; meaningful only when one of them is known. */
  exitStatusTimeOf(task: TaskIndex): EventNs {
    return this.#rows.f64[task * DOUBLES + STATUS_AT]! as EventNs;
  }

  // What was told of a later end is not the status of this one.
  #statusOf(task: TaskIndex): number {
    const { i32, f64 } = this.#rows;
    const status = i32[task * INTEGERS + STATUS]!;
    if (status === UNKNOWN_STATUS) return status;
    const isOfThisEnd = f64[task * DOUBLES + STATUS_AT]! < f64[task * DOUBLES + EXIT]! + STATUS_SLACK_NS;
    return isOfThisEnd ? status : UNKNOWN_STATUS;
  }

  firstThreadOf(leader: TaskIndex): TaskIndex {
    return this.#rows.i32[leader * INTEGERS + FIRST_THREAD]! as TaskIndex;
  }

  nextThreadOf(thread: TaskIndex): TaskIndex {
    return this.#rows.i32[thread * INTEGERS + NEXT_THREAD]! as TaskIndex;
  }

  firstCreatedBy(creator: TaskIndex): TaskIndex {
    return this.#rows.i32[creator * INTEGERS + FIRST_CREATED]! as TaskIndex;
  }

  /** The next one that the creator of `task` created. */
  nextCreatedOf(task: TaskIndex): TaskIndex {
    return this.#rows.i32[task * INTEGERS + NEXT_CREATED]! as TaskIndex;
  }

  // Heads of the lists in ChangelogTable and ParentageTable.

  entriesOf(task: TaskIndex): number {
    return this.#rows.i32[task * INTEGERS + ENTRIES]!;
  }

  setEntries(task: TaskIndex, entry: number): void {
    this.#rows.i32[task * INTEGERS + ENTRIES] = entry;
  }

  fieldsOf(task: TaskIndex): number {
    return this.#rows.i32[task * INTEGERS + FIELDS]!;
  }

  setFields(task: TaskIndex, fields: number): void {
    this.#rows.i32[task * INTEGERS + FIELDS] = fields;
  }

  parentsOf(task: TaskIndex): number {
    return this.#rows.i32[task * INTEGERS + PARENTS]!;
  }

  setParents(task: TaskIndex, link: number): void {
    this.#rows.i32[task * INTEGERS + PARENTS] = link;
  }

  /** Has ParentageTable let go of its oldest parents? */
  areParentsTrimmed(task: TaskIndex): boolean {
    return (this.#rows.i32[task * INTEGERS + BITS]! & PARENTS_TRIMMED) !== 0;
  }

  trimParents(task: TaskIndex): void {
    this.#rows.i32[task * INTEGERS + BITS]! |= PARENTS_TRIMMED;
  }

  childrenOf(task: TaskIndex): number {
    return this.#rows.i32[task * INTEGERS + CHILDREN]!;
  }

  setChildren(task: TaskIndex, link: number): void {
    this.#rows.i32[task * INTEGERS + CHILDREN] = link;
  }

  /**
   * Merges a task fact. Start, pid and leader come from the greatest authority (then the smaller start, a thread before
   * a process, the leader with the greater id), the creator from the greatest authority that knows one (then the
   * greater id): any order of facts ends the same.
   * @returns whether anything changed
   */
  mergeTask(
    task: TaskIndex,
    tid: Tid,
    pid: Tid,
    leader: TaskIndex,
    creator: TaskIndex,
    start: EventNs,
    entityId: EntityId,
    told: number,
    authority: Authority,
  ): boolean {
    const { i32, f64 } = this.#rows;
    const row = task * INTEGERS;
    const before = i32[row + BITS]!;
    // Whoever is led by another is a thread, whether that was told or not.
    const flags = leader === task || leader === NO_TASK ? told : told | TASK_FLAG.thread;
    const state = (before >> STATE_AT) & 3;
    if (state === STATE.stub) return false;
    if (state !== STATE.present) this.#present++;
    if ((flags & TASK_FLAG.sibling) !== 0) this.#hasSiblings = true;
    let bits = (before & ~(3 << STATE_AT)) | (STATE.present << STATE_AT) | (flags & FLAG_BITS & ~START_FLAGS);
    const known = ((before >> AUTHORITY_AT) & 3) - 1;
    const isBetter =
      authority > known || (authority === known && this.#isSmaller(task, tid, pid, leader, start, flags));
    if (isBetter) {
      bits = (bits & ~(START_FLAGS | (3 << AUTHORITY_AT))) | (flags & START_FLAGS) | ((authority + 1) << AUTHORITY_AT);
      i32[row + TID] = tid;
      i32[row + PID] = pid;
      f64[task * DOUBLES + START] = start;
      i32[row + ENTITY] = entityId | 0;
    }
    i32[row + BITS] = bits;
    if (isBetter) this.#setLeader(task, leader);
    const hasChanged = isBetter || bits !== before;
    return this.#mergeCreator(task, creator, authority) || hasChanged;
  }

  /** @returns whether anything changed */
  mergeExit(task: TaskIndex, at: EventNs, authority: Authority, code: number, signal: number): boolean {
    if (this.#part(task, STATE_AT) === STATE.stub) return false;
    let hasChanged = false;
    const known = this.#authorityAt(task, EXIT_AUTHORITY_AT);
    if (authority > known || (authority === known && at < this.exitOf(task))) {
      this.#rows.f64[task * DOUBLES + EXIT] = at;
      this.#setPart(task, EXIT_AUTHORITY_AT, authority + 1);
      hasChanged = true;
    }
    if (code === NOT_KNOWN && signal === NOT_KNOWN) return hasChanged;
    const knownStatus = this.#authorityAt(task, STATUS_AUTHORITY_AT);
    const status = (code << 16) | (signal & 0xffff);
    const { i32, f64 } = this.#rows;
    const order = f64[task * DOUBLES + STATUS_AT]! - at || status - i32[task * INTEGERS + STATUS]!;
    if (authority > knownStatus || (authority === knownStatus && order > 0)) {
      i32[task * INTEGERS + STATUS] = status;
      f64[task * DOUBLES + STATUS_AT] = at;
      this.#setPart(task, STATUS_AUTHORITY_AT, authority + 1);
      hasChanged = true;
    }
    return hasChanged;
  }

  /** Meaningful only when code or signal is known. */
  exitStatusAuthorityOf(task: TaskIndex): Authority {
    return this.#authorityAt(task, STATUS_AUTHORITY_AT) as Authority;
  }

  /** Has anybody this task for creator, leader or, in ParentageTable, for parent? */
  isReferenced(task: TaskIndex): boolean {
    const { i32 } = this.#rows;
    const row = task * INTEGERS;
    // NO_TASK and NOTHING are all ones.
    return (i32[row + FIRST_THREAD]! & i32[row + FIRST_CREATED]! & i32[row + CHILDREN]!) !== NOTHING;
  }

  /** Has anybody this task for creator or, in ParentageTable, for parent? */
  mayHaveChildren(task: TaskIndex): boolean {
    const { i32 } = this.#rows;
    const row = task * INTEGERS;
    return (i32[row + FIRST_CREATED]! & i32[row + CHILDREN]!) !== NOTHING;
  }

  /** To be called when somebody has ceased to refer to `task`. */
  noteRelease(task: TaskIndex): void {
    if (this.#part(task, STATE_AT) !== STATE.present && !this.isReferenced(task)) this.#abandoned.push(task);
  }

  /** Tasks that perhaps have to be forgotten, one at each call; NO_TASK when there is none. */
  takeAbandoned(): TaskIndex {
    for (let task = this.#abandoned.pop(); task !== undefined; task = this.#abandoned.pop()) {
      const state = this.#part(task, STATE_AT);
      if (state !== STATE.free && state !== STATE.present && !this.isReferenced(task)) return task;
    }
    return NO_TASK;
  }

  /** Has anybody said when it ended? */
  hasEnded(task: TaskIndex): boolean {
    return this.#authorityAt(task, EXIT_AUTHORITY_AT) !== NOBODY;
  }

  /** Takes a present task to which others refer out of the present ones. */
  makeStub(task: TaskIndex): void {
    this.#present--;
    this.#stubs++;
    this.#setPart(task, STATE_AT, STATE.stub);
  }

  dropCreator(task: TaskIndex): void {
    const { i32 } = this.#rows;
    const row = task * INTEGERS;
    const creator = i32[row + CREATOR]! as TaskIndex;
    if (creator === NO_TASK) return;
    this.#unlink(task, creator, FIRST_CREATED, NEXT_CREATED);
    i32[row + CREATOR] = NO_TASK;
    this.noteRelease(creator);
  }

  /** Gives the slot of a task back. Nothing may refer to it, and it has no entries and links any more. */
  freeSlot(task: TaskIndex): void {
    this.dropCreator(task);
    const leader = this.leaderOf(task);
    if (leader !== task && leader !== NO_TASK) {
      this.#unlink(task, leader, FIRST_THREAD, NEXT_THREAD);
      this.noteRelease(leader);
    }
    const state = this.#part(task, STATE_AT);
    if (state === STATE.stub) this.#stubs--;
    else if (state === STATE.present) this.#present--;
    this.#setPart(task, STATE_AT, STATE.free);
    if (this.#buckets !== undefined) this.#leaveBucket(task, this.#buckets);
    this.#free.push(task);
  }

  #isSmaller(task: TaskIndex, tid: Tid, pid: Tid, leader: TaskIndex, start: EventNs, flags: number): boolean {
    const order =
      start - this.startOf(task) ||
      Number(this.pidOf(task) !== this.tidOf(task)) - Number(pid !== tid) ||
      this.#idOrZero(this.leaderOf(task)) - this.#idOrZero(leader) ||
      tid - this.tidOf(task) ||
      pid - this.pidOf(task) ||
      (flags & START_FLAGS) - (this.flagsOf(task) & START_FLAGS);
    return order < 0;
  }

  #idOrZero(task: TaskIndex): number {
    return task === NO_TASK ? 0 : this.taskIdOf(task);
  }

  #mergeCreator(task: TaskIndex, creator: TaskIndex, authority: Authority): boolean {
    if (creator === NO_TASK || creator === task) return false;
    const known = this.creatorOf(task);
    if (known !== NO_TASK) {
      const order = authority - this.creatorAuthorityOf(task) || this.taskIdOf(creator) - this.taskIdOf(known);
      if (order <= 0) return false;
      if (known !== creator) this.#unlink(task, known, FIRST_CREATED, NEXT_CREATED);
    }
    if (known !== creator) this.#link(task, creator, FIRST_CREATED, NEXT_CREATED);
    this.#rows.i32[task * INTEGERS + CREATOR] = creator;
    this.#setPart(task, CREATOR_AUTHORITY_AT, authority + 1);
    if (known !== NO_TASK) this.noteRelease(known);
    return true;
  }

  #setLeader(task: TaskIndex, leader: TaskIndex): void {
    const known = this.leaderOf(task);
    if (known === leader) return;
    const hadLeader = known !== NO_TASK && known !== task;
    if (hadLeader) this.#unlink(task, known, FIRST_THREAD, NEXT_THREAD);
    this.#rows.i32[task * INTEGERS + LEADER] = leader;
    if (leader !== task && leader !== NO_TASK) this.#link(task, leader, FIRST_THREAD, NEXT_THREAD);
    if (hadLeader) this.noteRelease(known);
  }

  // Two lists, of the threads of a leader and of those that a task created. In both, the column of the previous one
  // follows that of the next one.

  #link(task: TaskIndex, owner: TaskIndex, firstColumn: number, nextColumn: number): void {
    const { i32 } = this.#rows;
    const row = task * INTEGERS;
    const first = i32[owner * INTEGERS + firstColumn]!;
    i32[row + nextColumn] = first;
    i32[row + nextColumn + 1] = NO_TASK;
    if (first !== NO_TASK) i32[first * INTEGERS + nextColumn + 1] = task;
    i32[owner * INTEGERS + firstColumn] = task;
  }

  #unlink(task: TaskIndex, owner: TaskIndex, firstColumn: number, nextColumn: number): void {
    const { i32 } = this.#rows;
    const row = task * INTEGERS;
    const next = i32[row + nextColumn]!;
    const previous = i32[row + nextColumn + 1]!;
    if (previous === NO_TASK) i32[owner * INTEGERS + firstColumn] = next;
    else i32[previous * INTEGERS + nextColumn] = next;
    if (next !== NO_TASK) i32[next * INTEGERS + nextColumn + 1] = previous;
    i32[row + nextColumn] = NO_TASK;
    i32[row + nextColumn + 1] = NO_TASK;
  }

  #append(): TaskIndex {
    this.#rows.reserve(this.#length);
    return this.#length++ as TaskIndex;
  }

  #enterBucket(task: TaskIndex, buckets: Int32Array): void {
    const bucket = bucketOf(this.taskIdOf(task), buckets);
    this.#rows.i32[task * INTEGERS + SAME_BUCKET] = buckets[bucket]!;
    buckets[bucket] = task;
  }

  #leaveBucket(task: TaskIndex, buckets: Int32Array): void {
    const { i32 } = this.#rows;
    const next = i32[task * INTEGERS + SAME_BUCKET]!;
    const bucket = bucketOf(this.taskIdOf(task), buckets);
    let other = buckets[bucket]!;
    if (other === task) {
      buckets[bucket] = next;
      return;
    }
    while (i32[other * INTEGERS + SAME_BUCKET] !== task) other = i32[other * INTEGERS + SAME_BUCKET]!;
    i32[other * INTEGERS + SAME_BUCKET] = next;
  }

  /** @returns buckets for twice as many tasks, with all of today's in them */
  #makeBuckets(tasks: number): Int32Array {
    const size = Math.max(1024, 2 ** Math.ceil(Math.log2(2 * tasks + 1)));
    const buckets = new Int32Array(size).fill(NO_TASK);
    for (let task = 0; task < this.#length; task++) {
      if (!this.isFree(task as TaskIndex)) this.#enterBucket(task as TaskIndex, buckets);
    }
    this.#buckets = buckets;
    return buckets;
  }

  /** Two bits of BITS. */
  #part(task: TaskIndex, at: number): number {
    return (this.#rows.i32[task * INTEGERS + BITS]! >> at) & 3;
  }

  #setPart(task: TaskIndex, at: number, value: number): void {
    const cell = task * INTEGERS + BITS;
    this.#rows.i32[cell] = (this.#rows.i32[cell]! & ~(3 << at)) | (value << at);
  }

  /** NOBODY, below every authority, where nobody has said it. */
  #authorityAt(task: TaskIndex, at: number): number {
    return this.#part(task, at) - 1;
  }
}

// Ids come in sequence: neighbours fall into neighbouring buckets, which spreads them evenly. Where a stretch of them begins
// is scattered by a factor that nobody knows: else ids could be made that all fall into one bucket.
const SCATTER = Math.floor(Math.random() * 2 ** 32) | 1;

function bucketOf(id: number, buckets: Int32Array): number {
  const size = buckets.length;
  const scattered = Math.imul(id / size, SCATTER) >>> (Math.clz32(size) + 1);
  return ((id | 0) + scattered) & (size - 1);
}
