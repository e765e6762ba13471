// One row per task: what never changes about a task, or is settled once (its
// start, its end), the links between a leader and its threads, and the heads of
// its lists in ChangelogTable and ParentageTable. A task is found by its id
// through a chained hash table whose links are in the rows too.
//
// A slot can stand for a task that is not present: somebody referred to it
// (a child's creator that is not here yet), or it was evicted while others
// still refer to it (a stub). `references` counts those who refer to it; a slot
// without task fact, facts and references is given out again.

import { type Authority, type EntityId, type EventNs, TASK_FLAG, type TaskId, type Tid } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { Rows } from './rows.ts';

/** Stands for a code or signal that is not known. */
export const NOT_KNOWN = -1;
/** Stands for "no entry" and "no link" in the heads of lists. */
const NOTHING = -1;

const STATE = { free: 0, mentioned: 1, present: 2, stub: 3 } as const;
/** Flags that say how the start is known: they go with the start, the others add up. */
const START_FLAGS = TASK_FLAG.placeholder | TASK_FLAG.startIsTick | TASK_FLAG.startIsUnknown;

// Columns of a row: doubles first, then integers.
const ID = 0; // TaskId
const START = 1; // EventNs
const EXIT = 2; // EventNs, Infinity while not ended
const TID = 6;
const PID = 7;
const ENTITY = 8; // EntityId, as a signed integer
const LEADER = 9; // TaskIndex | NO_TASK
const CREATOR = 10; // TaskIndex | NO_TASK
const REFERENCES = 11;
const FIRST_THREAD = 12; // leader -> one of its threads | NO_TASK
const NEXT_THREAD = 13; // thread -> next thread of the same leader | NO_TASK
const PREVIOUS_THREAD = 14;
const STATUS = 15; // exit code in the high half, signal in the low one, NOT_KNOWN each
const BITS = 16;
const ENTRIES = 17; // newest entry in ChangelogTable | NOTHING
const FIELDS = 18; // bits of the fields that have entries there
const PARENTS = 19; // newest link in ParentageTable that names it as child | NOTHING
const CHILDREN = 20; // some link there that names it as parent | NOTHING
const SAME_BUCKET = 21; // next task whose id falls into the same bucket | NO_TASK
const INTEGERS = 22;
const DOUBLES = INTEGERS / 2;

// Parts of BITS: flags in the lowest byte, then two bits each. An authority is stored plus one: 0 is "nobody".
const FLAG_BITS = 0xff;
const STATE_AT = 8;
const AUTHORITY_AT = 10; // of start, pid and leader
const CREATOR_AUTHORITY_AT = 12;
const EXIT_AUTHORITY_AT = 14;
const STATUS_AUTHORITY_AT = 16;
const PARENTS_TRIMMED = 1 << 18;
const NOBODY = -1;

const UNKNOWN_STATUS = (NOT_KNOWN << 16) | (NOT_KNOWN & 0xffff);

export class TaskTable {
  readonly #rows: Rows;
  readonly #free: TaskIndex[] = [];
  readonly #onAbandoned: (task: TaskIndex) => void;
  #buckets = new Int32Array(1024).fill(NO_TASK); // bucket -> some task in it | NO_TASK
  #length = 0;
  #present = 0;

  /**
   * @param expected tasks that are likely to come
   * @param onAbandoned called when the last reference to a task goes that is not present
   */
  constructor(expected: number, onAbandoned: (task: TaskIndex) => void) {
    this.#rows = new Rows(INTEGERS, expected);
    this.#onAbandoned = onAbandoned;
  }

  /** Slots ever used: every index is below. */
  get length(): number {
    return this.#length;
  }

  get presentCount(): number {
    return this.#present;
  }

  find(id: TaskId): TaskIndex {
    const { i32, f64 } = this.#rows;
    let task = this.#buckets[this.#bucketOf(id)]! as TaskIndex;
    while (task !== NO_TASK && f64[task * DOUBLES + ID] !== id) task = i32[task * INTEGERS + SAME_BUCKET]! as TaskIndex;
    return task;
  }

  /** The slot of a task, made when there is none. */
  ensure(id: TaskId): TaskIndex {
    const known = this.find(id);
    if (known !== NO_TASK) return known;
    const task = this.#free.pop() ?? this.#append();
    if (this.#length - this.#free.length > this.#buckets.length) this.#growBuckets();
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
    i32[row + REFERENCES] = 0;
    i32[row + FIRST_THREAD] = NO_TASK;
    i32[row + NEXT_THREAD] = NO_TASK;
    i32[row + PREVIOUS_THREAD] = NO_TASK;
    i32[row + STATUS] = UNKNOWN_STATUS;
    i32[row + BITS] = STATE.mentioned << STATE_AT;
    i32[row + ENTRIES] = NOTHING;
    i32[row + FIELDS] = 0;
    i32[row + PARENTS] = NOTHING;
    i32[row + CHILDREN] = NOTHING;
    const bucket = this.#bucketOf(id);
    i32[row + SAME_BUCKET] = this.#buckets[bucket]!;
    this.#buckets[bucket] = task;
    return task;
  }

  isPresent(task: TaskIndex): boolean {
    return this.#part(task, STATE_AT) === STATE.present;
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
    return this.#rows.i32[task * INTEGERS + STATUS]! >> 16;
  }

  exitSignalOf(task: TaskIndex): number {
    return (this.#rows.i32[task * INTEGERS + STATUS]! << 16) >> 16;
  }

  firstThreadOf(leader: TaskIndex): TaskIndex {
    return this.#rows.i32[leader * INTEGERS + FIRST_THREAD]! as TaskIndex;
  }

  nextThreadOf(thread: TaskIndex): TaskIndex {
    return this.#rows.i32[thread * INTEGERS + NEXT_THREAD]! as TaskIndex;
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
   * Merges a task fact. Start, pid and leader come from the greatest authority (then the smaller start, pid,
   * leader), the creator from the greatest authority that knows one: any order of facts ends the same.
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
    flags: number,
    authority: Authority,
  ): boolean {
    const { i32, f64 } = this.#rows;
    const row = task * INTEGERS;
    const before = i32[row + BITS]!;
    const state = (before >> STATE_AT) & 3;
    if (state === STATE.stub) return false;
    if (state !== STATE.present) this.#present++;
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
    const order = code - this.exitCodeOf(task) || signal - this.exitSignalOf(task);
    if (authority > knownStatus || (authority === knownStatus && order > 0)) {
      this.#rows.i32[task * INTEGERS + STATUS] = (code << 16) | (signal & 0xffff);
      this.#setPart(task, STATUS_AUTHORITY_AT, authority + 1);
      hasChanged = true;
    }
    return hasChanged;
  }

  /** Meaningful only when code or signal is known. */
  exitStatusAuthorityOf(task: TaskIndex): Authority {
    return this.#authorityAt(task, STATUS_AUTHORITY_AT) as Authority;
  }

  retain(task: TaskIndex): void {
    if (task !== NO_TASK) this.#rows.i32[task * INTEGERS + REFERENCES]! += 1;
  }

  release(task: TaskIndex): void {
    if (task === NO_TASK) return;
    this.#rows.i32[task * INTEGERS + REFERENCES]! -= 1;
    if (this.#rows.i32[task * INTEGERS + REFERENCES] === 0 && this.#part(task, STATE_AT) !== STATE.present)
      this.#onAbandoned(task);
  }

  isReferenced(task: TaskIndex): boolean {
    return this.#rows.i32[task * INTEGERS + REFERENCES]! > 0;
  }

  /** Has anything been said about a task that nobody has announced yet? */
  hasEnded(task: TaskIndex): boolean {
    return this.#authorityAt(task, EXIT_AUTHORITY_AT) !== NOBODY;
  }

  /** Takes the task out of the present ones; others may still refer to it. Its own links are cut first. */
  makeStub(task: TaskIndex): void {
    if (this.#part(task, STATE_AT) === STATE.present) this.#present--;
    this.#setPart(task, STATE_AT, STATE.stub);
  }

  /** Cuts the links to creator and leader. */
  dropLinks(task: TaskIndex): void {
    const creator = this.creatorOf(task);
    this.#rows.i32[task * INTEGERS + CREATOR] = NO_TASK;
    this.release(creator);
    const leader = this.leaderOf(task);
    if (leader === task || leader === NO_TASK) return;
    this.#unlinkThread(task, leader);
    this.#rows.i32[task * INTEGERS + LEADER] = NO_TASK;
    this.release(leader);
  }

  /** Gives the slot back. Nothing may refer to it. */
  freeSlot(task: TaskIndex): void {
    if (this.#part(task, STATE_AT) === STATE.present) this.#present--;
    this.#setPart(task, STATE_AT, STATE.free);
    this.#leaveBucket(task);
    this.#free.push(task);
  }

  #isSmaller(task: TaskIndex, tid: Tid, pid: Tid, leader: TaskIndex, start: EventNs, flags: number): boolean {
    const order =
      start - this.startOf(task) ||
      tid - this.tidOf(task) ||
      pid - this.pidOf(task) ||
      (flags & START_FLAGS) - (this.flagsOf(task) & START_FLAGS) ||
      this.#idOrZero(leader) - this.#idOrZero(this.leaderOf(task));
    return order < 0;
  }

  #idOrZero(task: TaskIndex): number {
    return task === NO_TASK ? 0 : this.taskIdOf(task);
  }

  #mergeCreator(task: TaskIndex, creator: TaskIndex, authority: Authority): boolean {
    if (creator === NO_TASK || creator === task) return false;
    const known = this.creatorOf(task);
    const knownAuthority = this.#authorityAt(task, CREATOR_AUTHORITY_AT);
    if (known !== NO_TASK) {
      if (authority < knownAuthority) return false;
      if (authority === knownAuthority && this.taskIdOf(creator) >= this.taskIdOf(known)) return false;
    }
    this.retain(creator);
    this.#rows.i32[task * INTEGERS + CREATOR] = creator;
    this.#setPart(task, CREATOR_AUTHORITY_AT, authority + 1);
    this.release(known);
    return true;
  }

  #setLeader(task: TaskIndex, leader: TaskIndex): void {
    const known = this.leaderOf(task);
    if (known === leader) return;
    if (known !== NO_TASK && known !== task) {
      this.#unlinkThread(task, known);
      this.release(known);
    }
    this.#rows.i32[task * INTEGERS + LEADER] = leader;
    if (leader === task || leader === NO_TASK) return;
    this.retain(leader);
    const first = this.firstThreadOf(leader);
    this.#rows.i32[task * INTEGERS + NEXT_THREAD] = first;
    this.#rows.i32[task * INTEGERS + PREVIOUS_THREAD] = NO_TASK;
    if (first !== NO_TASK) this.#rows.i32[first * INTEGERS + PREVIOUS_THREAD] = task;
    this.#rows.i32[leader * INTEGERS + FIRST_THREAD] = task;
  }

  #unlinkThread(task: TaskIndex, leader: TaskIndex): void {
    const next = this.#rows.i32[task * INTEGERS + NEXT_THREAD]!;
    const previous = this.#rows.i32[task * INTEGERS + PREVIOUS_THREAD]!;
    if (previous === NO_TASK) this.#rows.i32[leader * INTEGERS + FIRST_THREAD] = next;
    else this.#rows.i32[previous * INTEGERS + NEXT_THREAD] = next;
    if (next !== NO_TASK) this.#rows.i32[next * INTEGERS + PREVIOUS_THREAD] = previous;
    this.#rows.i32[task * INTEGERS + NEXT_THREAD] = NO_TASK;
    this.#rows.i32[task * INTEGERS + PREVIOUS_THREAD] = NO_TASK;
  }

  #append(): TaskIndex {
    this.#rows.reserve(this.#length);
    return this.#length++ as TaskIndex;
  }

  // Ids come in sequence: neighbours fall into neighbouring buckets, which spreads them evenly.
  #bucketOf(id: number): number {
    return (id | 0) & (this.#buckets.length - 1);
  }

  #leaveBucket(task: TaskIndex): void {
    const { i32 } = this.#rows;
    const next = i32[task * INTEGERS + SAME_BUCKET]!;
    const bucket = this.#bucketOf(this.taskIdOf(task));
    let other = this.#buckets[bucket]!;
    if (other === task) {
      this.#buckets[bucket] = next;
      return;
    }
    while (i32[other * INTEGERS + SAME_BUCKET] !== task) other = i32[other * INTEGERS + SAME_BUCKET]!;
    i32[other * INTEGERS + SAME_BUCKET] = next;
  }

  #growBuckets(): void {
    const { i32 } = this.#rows;
    const old = this.#buckets;
    this.#buckets = new Int32Array(old.length * 2).fill(NO_TASK);
    for (const first of old) {
      let task = first as TaskIndex;
      while (task !== NO_TASK) {
        const next = i32[task * INTEGERS + SAME_BUCKET]! as TaskIndex;
        const bucket = this.#bucketOf(this.taskIdOf(task));
        i32[task * INTEGERS + SAME_BUCKET] = this.#buckets[bucket]!;
        this.#buckets[bucket] = task;
        task = next;
      }
    }
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
