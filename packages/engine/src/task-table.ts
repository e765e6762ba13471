// One slot per task: what never changes about a task, or is settled once (its
// start, its end), and the links between a leader and its threads. Fields that
// change over time are in ChangelogTable, parents in ParentageTable.
//
// Reading one task touches one row of each of two arrays, so a task costs two or
// three cache lines; a column for every property cost some twenty.
//
// A slot can stand for a task that is not present: somebody referred to it
// (a child's creator that is not here yet), or it was evicted while others
// still refer to it (a stub). `references` counts those who refer to it; a slot
// without task fact, facts and references is given out again.

import { type Authority, type EntityId, type EventNs, TASK_FLAG, type TaskId, type Tid } from '@dendro/protocol';
import { grown } from './grow.ts';
import { IdMap } from './id-map.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

/** Stands for a code or signal that is not known. */
export const NOT_KNOWN = -1;

const STATE = { free: 0, mentioned: 1, present: 2, stub: 3 } as const;
/** Flags that say how the start is known: they go with the start, the others add up. */
const START_FLAGS = TASK_FLAG.placeholder | TASK_FLAG.startIsTick | TASK_FLAG.startIsUnknown;

// Columns of #numbers, doubles.
const ID = 0; // TaskId
const START = 1; // EventNs
const EXIT = 2; // EventNs, Infinity while not ended
const NUMBERS = 3;

// Columns of #links, 32-bit integers.
const TID = 0;
const PID = 1;
const ENTITY = 2; // EntityId, as a signed integer
const LEADER = 3; // TaskIndex | NO_TASK
const CREATOR = 4; // TaskIndex | NO_TASK
const REFERENCES = 5;
const FIRST_THREAD = 6; // leader -> one of its threads | NO_TASK
const NEXT_THREAD = 7; // thread -> next thread of the same leader | NO_TASK
const PREVIOUS_THREAD = 8;
const STATUS = 9; // exit code in the high half, signal in the low one, NOT_KNOWN each
const BITS = 10;
const LINKS = 11;

// Parts of BITS: flags in the lowest byte, then two bits each. An authority is stored plus one: 0 is "nobody".
const FLAG_BITS = 0xff;
const STATE_AT = 8;
const AUTHORITY_AT = 10; // of start, pid and leader
const CREATOR_AUTHORITY_AT = 12;
const EXIT_AUTHORITY_AT = 14;
const STATUS_AUTHORITY_AT = 16;
const NOBODY = -1;

const UNKNOWN_STATUS = (NOT_KNOWN << 16) | (NOT_KNOWN & 0xffff);

export class TaskTable {
  #numbers = new Float64Array(1024 * NUMBERS);
  #links = new Int32Array(1024 * LINKS);
  #capacity = 1024;
  readonly #indexById = new IdMap((task) => this.#numbers[task * NUMBERS + ID]! as TaskId);
  readonly #free: TaskIndex[] = [];
  readonly #onAbandoned: (task: TaskIndex) => void;
  #length = 0;
  #present = 0;

  /** @param onAbandoned called when the last reference to a task goes that is not present */
  constructor(onAbandoned: (task: TaskIndex) => void) {
    this.#onAbandoned = onAbandoned;
  }

  /** Slots ever used: every index is below. */
  get length(): number {
    return this.#length;
  }

  get presentCount(): number {
    return this.#present;
  }

  find(task: TaskId): TaskIndex {
    return this.#indexById.get(task);
  }

  /** The slot of a task, made when there is none. */
  ensure(task: TaskId): TaskIndex {
    const known = this.#indexById.get(task);
    if (known !== NO_TASK) return known;
    const index = this.#free.pop() ?? this.#append();
    const numbers = index * NUMBERS;
    this.#numbers[numbers + ID] = task;
    this.#numbers[numbers + START] = 0;
    this.#numbers[numbers + EXIT] = Number.POSITIVE_INFINITY;
    const links = this.#links;
    const row = index * LINKS;
    links[row + TID] = 0;
    links[row + PID] = 0;
    links[row + ENTITY] = 0;
    links[row + LEADER] = NO_TASK;
    links[row + CREATOR] = NO_TASK;
    links[row + REFERENCES] = 0;
    links[row + FIRST_THREAD] = NO_TASK;
    links[row + NEXT_THREAD] = NO_TASK;
    links[row + PREVIOUS_THREAD] = NO_TASK;
    links[row + STATUS] = UNKNOWN_STATUS;
    links[row + BITS] = STATE.mentioned << STATE_AT;
    this.#indexById.add(task, index);
    return index;
  }

  isPresent(task: TaskIndex): boolean {
    return this.#part(task, STATE_AT) === STATE.present;
  }

  isStub(task: TaskIndex): boolean {
    return this.#part(task, STATE_AT) === STATE.stub;
  }

  taskIdOf(task: TaskIndex): TaskId {
    return this.#numbers[task * NUMBERS + ID]! as TaskId;
  }

  tidOf(task: TaskIndex): Tid {
    return this.#links[task * LINKS + TID]! as Tid;
  }

  pidOf(task: TaskIndex): Tid {
    return this.#links[task * LINKS + PID]! as Tid;
  }

  entityIdOf(task: TaskIndex): EntityId {
    return (this.#links[task * LINKS + ENTITY]! >>> 0) as EntityId;
  }

  flagsOf(task: TaskIndex): number {
    return this.#links[task * LINKS + BITS]! & FLAG_BITS;
  }

  authorityOf(task: TaskIndex): Authority {
    return this.#authorityAt(task, AUTHORITY_AT) as Authority;
  }

  startOf(task: TaskIndex): EventNs {
    return this.#numbers[task * NUMBERS + START]! as EventNs;
  }

  leaderOf(task: TaskIndex): TaskIndex {
    return this.#links[task * LINKS + LEADER]! as TaskIndex;
  }

  creatorOf(task: TaskIndex): TaskIndex {
    return this.#links[task * LINKS + CREATOR]! as TaskIndex;
  }

  creatorAuthorityOf(task: TaskIndex): Authority {
    return this.#authorityAt(task, CREATOR_AUTHORITY_AT) as Authority;
  }

  exitOf(task: TaskIndex): EventNs {
    return this.#numbers[task * NUMBERS + EXIT]! as EventNs;
  }

  /** Meaningful only when the task has ended. */
  exitAuthorityOf(task: TaskIndex): Authority {
    return this.#authorityAt(task, EXIT_AUTHORITY_AT) as Authority;
  }

  exitCodeOf(task: TaskIndex): number {
    return this.#links[task * LINKS + STATUS]! >> 16;
  }

  exitSignalOf(task: TaskIndex): number {
    return (this.#links[task * LINKS + STATUS]! << 16) >> 16;
  }

  firstThreadOf(leader: TaskIndex): TaskIndex {
    return this.#links[leader * LINKS + FIRST_THREAD]! as TaskIndex;
  }

  nextThreadOf(thread: TaskIndex): TaskIndex {
    return this.#links[thread * LINKS + NEXT_THREAD]! as TaskIndex;
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
    if (this.#part(task, STATE_AT) === STATE.stub) return false;
    let hasChanged = this.#part(task, STATE_AT) !== STATE.present;
    if (hasChanged) {
      this.#setPart(task, STATE_AT, STATE.present);
      this.#present++;
    }
    const lasting = (this.flagsOf(task) | flags) & ~START_FLAGS;
    const known = this.#authorityAt(task, AUTHORITY_AT);
    const isBetter =
      authority > known || (authority === known && this.#isSmaller(task, tid, pid, leader, start, flags));
    const startFlags = isBetter ? flags : this.flagsOf(task);
    const merged = lasting | (startFlags & START_FLAGS);
    if (merged !== this.flagsOf(task)) {
      this.#links[task * LINKS + BITS] = (this.#links[task * LINKS + BITS]! & ~FLAG_BITS) | merged;
      hasChanged = true;
    }
    if (isBetter) {
      hasChanged = true;
      this.#setPart(task, AUTHORITY_AT, authority + 1);
      this.#links[task * LINKS + TID] = tid;
      this.#links[task * LINKS + PID] = pid;
      this.#numbers[task * NUMBERS + START] = start;
      this.#links[task * LINKS + ENTITY] = entityId | 0;
      this.#setLeader(task, leader);
    }
    return this.#mergeCreator(task, creator, authority) || hasChanged;
  }

  /** @returns whether anything changed */
  mergeExit(task: TaskIndex, at: EventNs, authority: Authority, code: number, signal: number): boolean {
    if (this.#part(task, STATE_AT) === STATE.stub) return false;
    let hasChanged = false;
    const known = this.#authorityAt(task, EXIT_AUTHORITY_AT);
    if (authority > known || (authority === known && at < this.exitOf(task))) {
      this.#numbers[task * NUMBERS + EXIT] = at;
      this.#setPart(task, EXIT_AUTHORITY_AT, authority + 1);
      hasChanged = true;
    }
    if (code === NOT_KNOWN && signal === NOT_KNOWN) return hasChanged;
    const knownStatus = this.#authorityAt(task, STATUS_AUTHORITY_AT);
    const order = code - this.exitCodeOf(task) || signal - this.exitSignalOf(task);
    if (authority > knownStatus || (authority === knownStatus && order > 0)) {
      this.#links[task * LINKS + STATUS] = (code << 16) | (signal & 0xffff);
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
    if (task !== NO_TASK) this.#links[task * LINKS + REFERENCES]! += 1;
  }

  release(task: TaskIndex): void {
    if (task === NO_TASK) return;
    this.#links[task * LINKS + REFERENCES]! -= 1;
    if (this.#links[task * LINKS + REFERENCES] === 0 && this.#part(task, STATE_AT) !== STATE.present)
      this.#onAbandoned(task);
  }

  isReferenced(task: TaskIndex): boolean {
    return this.#links[task * LINKS + REFERENCES]! > 0;
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
    this.#links[task * LINKS + CREATOR] = NO_TASK;
    this.release(creator);
    const leader = this.leaderOf(task);
    if (leader === task || leader === NO_TASK) return;
    this.#unlinkThread(task, leader);
    this.#links[task * LINKS + LEADER] = NO_TASK;
    this.release(leader);
  }

  /** Gives the slot back. Nothing may refer to it. */
  freeSlot(task: TaskIndex): void {
    if (this.#part(task, STATE_AT) === STATE.present) this.#present--;
    this.#setPart(task, STATE_AT, STATE.free);
    this.#indexById.delete(this.taskIdOf(task));
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
    this.#links[task * LINKS + CREATOR] = creator;
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
    this.#links[task * LINKS + LEADER] = leader;
    if (leader === task || leader === NO_TASK) return;
    this.retain(leader);
    const first = this.firstThreadOf(leader);
    this.#links[task * LINKS + NEXT_THREAD] = first;
    this.#links[task * LINKS + PREVIOUS_THREAD] = NO_TASK;
    if (first !== NO_TASK) this.#links[first * LINKS + PREVIOUS_THREAD] = task;
    this.#links[leader * LINKS + FIRST_THREAD] = task;
  }

  #unlinkThread(task: TaskIndex, leader: TaskIndex): void {
    const next = this.#links[task * LINKS + NEXT_THREAD]!;
    const previous = this.#links[task * LINKS + PREVIOUS_THREAD]!;
    if (previous === NO_TASK) this.#links[leader * LINKS + FIRST_THREAD] = next;
    else this.#links[previous * LINKS + NEXT_THREAD] = next;
    if (next !== NO_TASK) this.#links[next * LINKS + PREVIOUS_THREAD] = previous;
    this.#links[task * LINKS + NEXT_THREAD] = NO_TASK;
    this.#links[task * LINKS + PREVIOUS_THREAD] = NO_TASK;
  }

  #append(): TaskIndex {
    if (this.#length === this.#capacity) this.#grow();
    return this.#length++ as TaskIndex;
  }

  /** Two bits of BITS. */
  #part(task: TaskIndex, at: number): number {
    return (this.#links[task * LINKS + BITS]! >> at) & 3;
  }

  #setPart(task: TaskIndex, at: number, value: number): void {
    const cell = task * LINKS + BITS;
    this.#links[cell] = (this.#links[cell]! & ~(3 << at)) | (value << at);
  }

  /** NOBODY, below every authority, where nobody has said it. */
  #authorityAt(task: TaskIndex, at: number): number {
    return this.#part(task, at) - 1;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#numbers = grown(this.#numbers, this.#capacity * NUMBERS, 0);
    this.#links = grown(this.#links, this.#capacity * LINKS, 0);
  }
}
