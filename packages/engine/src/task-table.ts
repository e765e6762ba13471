// One slot per task: what never changes about a task, or is settled once (its
// start, its end), and the links between a leader and its threads. Fields that
// change over time are in ChangelogTable, parents in ParentageTable.
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
const NO_AUTHORITY = 255;

export class TaskTable {
  #state = new Uint8Array(1024); // STATE
  #taskId = new Float64Array(1024); // TaskId
  #tid = new Int32Array(1024);
  #pid = new Int32Array(1024);
  #entityId = new Uint32Array(1024);
  #flags = new Uint8Array(1024); // TASK_FLAG bits
  #authority = new Uint8Array(1024); // of start, pid and leader
  #start = new Float64Array(1024); // EventNs
  #leader = new Int32Array(1024); // TaskIndex | NO_TASK
  #creator = new Int32Array(1024); // TaskIndex | NO_TASK
  #creatorAuthority = new Uint8Array(1024);
  #exit = new Float64Array(1024); // EventNs, Infinity while not ended
  #exitAuthority = new Uint8Array(1024); // NO_AUTHORITY while not ended
  #exitCode = new Int16Array(1024); // or NOT_KNOWN
  #exitSignal = new Int16Array(1024); // or NOT_KNOWN
  #exitStatusAuthority = new Uint8Array(1024);
  #references = new Int32Array(1024);
  #firstThread = new Int32Array(1024); // leader -> one of its threads | NO_TASK
  #nextThread = new Int32Array(1024); // thread -> next thread of the same leader | NO_TASK
  #previousThread = new Int32Array(1024);
  readonly #indexById = new IdMap((task) => this.#taskId[task]! as TaskId);
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
    this.#state[index] = STATE.mentioned;
    this.#taskId[index] = task;
    this.#tid[index] = 0;
    this.#pid[index] = 0;
    this.#entityId[index] = 0;
    this.#flags[index] = 0;
    this.#authority[index] = NO_AUTHORITY;
    this.#start[index] = 0;
    this.#leader[index] = NO_TASK;
    this.#creator[index] = NO_TASK;
    this.#creatorAuthority[index] = NO_AUTHORITY;
    this.#exit[index] = Number.POSITIVE_INFINITY;
    this.#exitAuthority[index] = NO_AUTHORITY;
    this.#exitCode[index] = NOT_KNOWN;
    this.#exitSignal[index] = NOT_KNOWN;
    this.#exitStatusAuthority[index] = NO_AUTHORITY;
    this.#references[index] = 0;
    this.#firstThread[index] = NO_TASK;
    this.#nextThread[index] = NO_TASK;
    this.#previousThread[index] = NO_TASK;
    this.#indexById.add(task, index);
    return index;
  }

  isPresent(task: TaskIndex): boolean {
    return this.#state[task] === STATE.present;
  }

  isStub(task: TaskIndex): boolean {
    return this.#state[task] === STATE.stub;
  }

  taskIdOf(task: TaskIndex): TaskId {
    return this.#taskId[task]! as TaskId;
  }

  tidOf(task: TaskIndex): Tid {
    return this.#tid[task]! as Tid;
  }

  pidOf(task: TaskIndex): Tid {
    return this.#pid[task]! as Tid;
  }

  entityIdOf(task: TaskIndex): EntityId {
    return this.#entityId[task]! as EntityId;
  }

  flagsOf(task: TaskIndex): number {
    return this.#flags[task]!;
  }

  authorityOf(task: TaskIndex): Authority {
    return this.#authority[task]! as Authority;
  }

  startOf(task: TaskIndex): EventNs {
    return this.#start[task]! as EventNs;
  }

  leaderOf(task: TaskIndex): TaskIndex {
    return this.#leader[task]! as TaskIndex;
  }

  creatorOf(task: TaskIndex): TaskIndex {
    return this.#creator[task]! as TaskIndex;
  }

  creatorAuthorityOf(task: TaskIndex): Authority {
    return this.#creatorAuthority[task]! as Authority;
  }

  exitOf(task: TaskIndex): EventNs {
    return this.#exit[task]! as EventNs;
  }

  /** Meaningful only when the task has ended. */
  exitAuthorityOf(task: TaskIndex): Authority {
    return this.#exitAuthority[task]! as Authority;
  }

  exitCodeOf(task: TaskIndex): number {
    return this.#exitCode[task]!;
  }

  exitSignalOf(task: TaskIndex): number {
    return this.#exitSignal[task]!;
  }

  firstThreadOf(leader: TaskIndex): TaskIndex {
    return this.#firstThread[leader]! as TaskIndex;
  }

  nextThreadOf(thread: TaskIndex): TaskIndex {
    return this.#nextThread[thread]! as TaskIndex;
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
    if (this.#state[task] === STATE.stub) return false;
    let hasChanged = this.#state[task] !== STATE.present;
    if (hasChanged) {
      this.#state[task] = STATE.present;
      this.#present++;
    }
    const lasting = (this.#flags[task]! | flags) & ~START_FLAGS;
    const known = this.#authority[task]!;
    const isBetter =
      known === NO_AUTHORITY ||
      authority > known ||
      (authority === known && this.#isSmaller(task, tid, pid, leader, start, flags));
    const startFlags = isBetter ? flags : this.#flags[task]!;
    const merged = lasting | (startFlags & START_FLAGS);
    if (merged !== this.#flags[task]) {
      this.#flags[task] = merged;
      hasChanged = true;
    }
    if (isBetter) {
      hasChanged = true;
      this.#authority[task] = authority;
      this.#tid[task] = tid;
      this.#pid[task] = pid;
      this.#start[task] = start;
      this.#entityId[task] = entityId;
      this.#setLeader(task, leader);
    }
    return this.#mergeCreator(task, creator, authority) || hasChanged;
  }

  /** @returns whether anything changed */
  mergeExit(task: TaskIndex, at: EventNs, authority: Authority, code: number, signal: number): boolean {
    if (this.#state[task] === STATE.stub) return false;
    let hasChanged = false;
    const known = this.#exitAuthority[task]!;
    if (known === NO_AUTHORITY || authority > known || (authority === known && at < this.#exit[task]!)) {
      this.#exit[task] = at;
      this.#exitAuthority[task] = authority;
      hasChanged = true;
    }
    if (code === NOT_KNOWN && signal === NOT_KNOWN) return hasChanged;
    const knownStatus = this.#exitStatusAuthority[task]!;
    const order = code - this.#exitCode[task]! || signal - this.#exitSignal[task]!;
    if (knownStatus === NO_AUTHORITY || authority > knownStatus || (authority === knownStatus && order > 0)) {
      this.#exitCode[task] = code;
      this.#exitSignal[task] = signal;
      this.#exitStatusAuthority[task] = authority;
      hasChanged = true;
    }
    return hasChanged;
  }

  /** Meaningful only when code or signal is known. */
  exitStatusAuthorityOf(task: TaskIndex): Authority {
    return this.#exitStatusAuthority[task]! as Authority;
  }

  retain(task: TaskIndex): void {
    if (task !== NO_TASK) this.#references[task]! += 1;
  }

  release(task: TaskIndex): void {
    if (task === NO_TASK) return;
    this.#references[task]! -= 1;
    if (this.#references[task] === 0 && this.#state[task] !== STATE.present) this.#onAbandoned(task);
  }

  isReferenced(task: TaskIndex): boolean {
    return this.#references[task]! > 0;
  }

  /** Has anything been said about a task that nobody has announced yet? */
  hasEnded(task: TaskIndex): boolean {
    return this.#exitAuthority[task] !== NO_AUTHORITY;
  }

  /** Takes the task out of the present ones; others may still refer to it. Its own links are cut first. */
  makeStub(task: TaskIndex): void {
    if (this.#state[task] === STATE.present) this.#present--;
    this.#state[task] = STATE.stub;
  }

  /** Cuts the links to creator and leader. */
  dropLinks(task: TaskIndex): void {
    const creator = this.creatorOf(task);
    this.#creator[task] = NO_TASK;
    this.release(creator);
    const leader = this.leaderOf(task);
    if (leader === task || leader === NO_TASK) return;
    this.#unlinkThread(task, leader);
    this.#leader[task] = NO_TASK;
    this.release(leader);
  }

  /** Gives the slot back. Nothing may refer to it. */
  freeSlot(task: TaskIndex): void {
    if (this.#state[task] === STATE.present) this.#present--;
    this.#state[task] = STATE.free;
    this.#indexById.delete(this.taskIdOf(task));
    this.#free.push(task);
  }

  #isSmaller(task: TaskIndex, tid: Tid, pid: Tid, leader: TaskIndex, start: EventNs, flags: number): boolean {
    const order =
      start - this.#start[task]! ||
      tid - this.#tid[task]! ||
      pid - this.#pid[task]! ||
      (flags & START_FLAGS) - (this.#flags[task]! & START_FLAGS) ||
      this.#idOrZero(leader) - this.#idOrZero(this.leaderOf(task));
    return order < 0;
  }

  #idOrZero(task: TaskIndex): number {
    return task === NO_TASK ? 0 : this.#taskId[task]!;
  }

  #mergeCreator(task: TaskIndex, creator: TaskIndex, authority: Authority): boolean {
    if (creator === NO_TASK || creator === task) return false;
    const known = this.creatorOf(task);
    const knownAuthority = this.#creatorAuthority[task]!;
    if (known !== NO_TASK) {
      if (authority < knownAuthority) return false;
      if (authority === knownAuthority && this.#taskId[creator]! >= this.#taskId[known]!) return false;
    }
    this.retain(creator);
    this.#creator[task] = creator;
    this.#creatorAuthority[task] = authority;
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
    this.#leader[task] = leader;
    if (leader === task || leader === NO_TASK) return;
    this.retain(leader);
    const first = this.firstThreadOf(leader);
    this.#nextThread[task] = first;
    this.#previousThread[task] = NO_TASK;
    if (first !== NO_TASK) this.#previousThread[first] = task;
    this.#firstThread[leader] = task;
  }

  #unlinkThread(task: TaskIndex, leader: TaskIndex): void {
    const next = this.#nextThread[task]!;
    const previous = this.#previousThread[task]!;
    if (previous === NO_TASK) this.#firstThread[leader] = next;
    else this.#nextThread[previous] = next;
    if (next !== NO_TASK) this.#previousThread[next] = previous;
    this.#nextThread[task] = NO_TASK;
    this.#previousThread[task] = NO_TASK;
  }

  #append(): TaskIndex {
    if (this.#length === this.#state.length) this.#grow();
    return this.#length++ as TaskIndex;
  }

  #grow(): void {
    const capacity = this.#state.length * 2;
    this.#state = grown(this.#state, capacity, STATE.free);
    this.#taskId = grown(this.#taskId, capacity, 0);
    this.#tid = grown(this.#tid, capacity, 0);
    this.#pid = grown(this.#pid, capacity, 0);
    this.#entityId = grown(this.#entityId, capacity, 0);
    this.#flags = grown(this.#flags, capacity, 0);
    this.#authority = grown(this.#authority, capacity, NO_AUTHORITY);
    this.#start = grown(this.#start, capacity, 0);
    this.#leader = grown(this.#leader, capacity, NO_TASK);
    this.#creator = grown(this.#creator, capacity, NO_TASK);
    this.#creatorAuthority = grown(this.#creatorAuthority, capacity, NO_AUTHORITY);
    this.#exit = grown(this.#exit, capacity, Number.POSITIVE_INFINITY);
    this.#exitAuthority = grown(this.#exitAuthority, capacity, NO_AUTHORITY);
    this.#exitCode = grown(this.#exitCode, capacity, NOT_KNOWN);
    this.#exitSignal = grown(this.#exitSignal, capacity, NOT_KNOWN);
    this.#exitStatusAuthority = grown(this.#exitStatusAuthority, capacity, NO_AUTHORITY);
    this.#references = grown(this.#references, capacity, 0);
    this.#firstThread = grown(this.#firstThread, capacity, NO_TASK);
    this.#nextThread = grown(this.#nextThread, capacity, NO_TASK);
    this.#previousThread = grown(this.#previousThread, capacity, NO_TASK);
  }
}
