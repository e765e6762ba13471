// Facts that another tree has told: batches of a recording. They go through the
// recorder like those that follow from events, under the task ids that they
// have, so that whoever follows this tree is told of them too. Why evictions are
// left out, and what is refused: docs/adr/0010.
//
// Facts from elsewhere can be hostile. What could make readers go astray is refused and
// counted: rings of creators, parents and leaders, tids and times that there are not, tasks that
// nobody has announced.

import {
  AUTHORITY,
  type Authority,
  type EntityId,
  type EventNs,
  type FactVisitor,
  FIELDS,
  fieldType,
  isTextField,
  isTid,
  NO_TASK_ID,
  readBatch,
  type TaskId,
  type Tid,
} from '@dendro/protocol';
import type { EntityTable } from './entity-table.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';
import type { Lives } from './lives.ts';
import { MAX_LEADERS } from './parent-reader.ts';
import type { Recorder } from './recorder.ts';
import type { Residents } from './residents.ts';
import { NO_TEXT } from './string-table.ts';
import type { TemporalTree } from './temporal-tree.ts';

/** Later ones of one batch are refused: to put one in its place costs as much as there are. */
const MAX_GAPS = 10_000;
/** A tree goes on counting from the greatest id that it has taken. */
const MAX_TASK_ID = 2 ** 52;
/** Epoch nanoseconds fit into 64 bits, and so do differences of them. */
const MAX_EVENT_NS = 2 ** 63;

/**
 * Ancestors that may be looked at in search of rings, and lives of a tid to find the place of one, for each fact and besides.
 * A feed needs some tens; facts that were made to need ever more are refused, or a recording of a few megabytes could take
 * for hours.
 */
const STEPS_PER_FACT = 256;
const STEPS_BESIDES = 1_000_000;

/** What ProcessTree knows of ancestors. */
export interface RingGuard {
  /** Does `creator` itself descend from `task`? Counts it then. */
  isCreatedBy(creator: TaskIndex, task: TaskIndex): boolean;
  /** Records a parent unless that would make a ring; counts it then. */
  setParent(task: TaskIndex, parent: TaskIndex, since: EventNs, authority: Authority): void;
  /** Ancestors that were looked at so far. */
  stepsTaken(): number;
}

interface ParentFact {
  readonly task: TaskIndex;
  readonly parent: TaskId;
  readonly since: EventNs;
  readonly authority: Authority;
}

export class FactIntake implements FactVisitor {
  readonly #tree: TemporalTree;
  readonly #recorder: Recorder;
  readonly #lives: Lives;
  readonly #residents: Residents;
  readonly #byEntity: EntityTable;
  readonly #guard: RingGuard;
  #refused = 0;
  /** Greatest id announced so far. */
  #newestId = 0;
  /** The same before this batch or snapshot: a task with an id up to it that is not here has left memory. */
  #knownUpTo = 0;
  #gaps = 0;
  #stepsLeft = STEPS_BESIDES;
  // Of the batch that is being taken.
  #texts: readonly string[] = [];
  #textIndexes = new Int32Array(0); // index in the batch -> index in the tree, 0 = not looked up yet
  readonly #parents: ParentFact[] = [];
  readonly #born: TaskIndex[] = [];
  /** Threads that were not taken. */
  readonly #passedOver = new Set<TaskId>();
  /** Tasks that may have ended, and processes whose threads may have. */
  readonly #ended = new Set<TaskIndex>();

  constructor(recorder: Recorder, lives: Lives, residents: Residents, byEntity: EntityTable, guard: RingGuard) {
    this.#tree = recorder.tree;
    this.#recorder = recorder;
    this.#lives = lives;
    this.#residents = residents;
    this.#byEntity = byEntity;
    this.#guard = guard;
  }

  /** Facts that were refused. Those about tasks that have left memory do not count: their eviction was counted. */
  get refused(): number {
    return this.#refused;
  }

  /** The greatest id of a task that was announced. */
  get newestId(): number {
    return this.#newestId;
  }

  /**
   * @param isSnapshot is it a chunk of one? Its tasks come in no order of ids.
   * @throws DendroError DENDRO_BATCH_MALFORMED; nothing was taken then
   */
  take(batch: Uint8Array, isSnapshot: boolean): void {
    if (!isSnapshot) this.#knownUpTo = this.#newestId;
    this.#gaps = 0;
    readBatch(batch, this);
    // Parents come last: until all births and ends are known, a chain of ancestors can look like a ring.
    for (const { task, parent, since, authority } of this.#parents) this.#takeParent(task, parent, since, authority);
    for (const task of this.#born) this.#settleReuse(task);
    for (const task of this.#ended) this.#settleEnd(task);
    this.#parents.length = 0;
    this.#born.length = 0;
    this.#ended.clear();
    this.#passedOver.clear();
  }

  strings(table: readonly string[]): void {
    this.#texts = table;
    this.#textIndexes = new Int32Array(table.length);
  }

  task(
    id: TaskId,
    tid: Tid,
    pid: Tid,
    leader: TaskId,
    creator: TaskId,
    start: EventNs,
    entityId: EntityId,
    flags: number,
    authority: Authority,
  ): void {
    const tree = this.#tree;
    if (this.#hasLeft(id)) return;
    const known = tree.indexOf(id);
    const wasPresent = known !== NO_TASK && tree.isPresent(known);
    const process = leader === id ? known : tree.indexOf(leader);
    const isSound = isTid(tid) && isTid(pid) && isTime(start) && id <= MAX_TASK_ID;
    if (!isSound || (wasPresent && tree.tidOf(known) !== tid) || this.#isLedBy(process, known)) {
      this.#refused++;
      return;
    }
    this.#stepsLeft += STEPS_PER_FACT;
    if (this.#stepsLeft < 0 && this.#lives.isOlder(tid, start)) {
      this.#refused++;
      return;
    }
    if (leader !== id && (process === NO_TASK || !tree.isPresent(process))) {
      this.#passOver(id, leader);
      return;
    }
    const task = this.#slotOf(id);
    const leaderSlot = leader === id ? task : process;
    const creatorSlot = this.#creatorSlotOf(creator, task);
    const [wasThread, startBefore] = [tree.isThread(task), tree.startOf(task)];
    this.#recorder.taskOf(task, tid, pid, leaderSlot, creatorSlot, start, entityId, flags, authority);
    tree.forgetIfUnused(creatorSlot);
    if (!tree.isPresent(task)) return; // a stub
    this.#newestId = Math.max(this.#newestId, id);
    this.#byEntity.noteChange(task);
    this.#place(task, wasPresent, startBefore);
    const isThread = tree.isThread(task);
    if (wasPresent && isThread !== wasThread) this.#residents.forget(task);
    this.#residents.touch(task, isThread, start);
    this.#ended.add(task);
  }

  set(id: TaskId, field: number, since: EventNs, authority: Authority, value: number): void {
    const task = this.#presentWith(id);
    if (task === NO_TASK) return;
    if (!isTime(since)) this.#refused++;
    else if (field === FIELDS.parent.id) this.#parents.push({ task, parent: value as TaskId, since, authority });
    else {
      const isText = isTextField(fieldType(field));
      this.#recorder.value(task, field, since, authority, isText ? this.#internText(value) : value);
      if (field === FIELDS.argv.id) this.#ended.add(task); // an exec ends threads
    }
    this.#residents.touch(task, this.#tree.isThread(task), since);
  }

  exit(id: TaskId, at: EventNs, authority: Authority, code: number, signal: number): void {
    const task = this.#presentWith(id);
    if (task === NO_TASK) return;
    if (!isTime(at)) {
      this.#refused++;
      return;
    }
    this.#recorder.exit(task, at, authority, code, signal);
    this.#residents.touch(task, this.#tree.isThread(task), at);
    this.#ended.add(task);
  }

  gap(from: EventNs, to: EventNs, lost: number): void {
    if (isTime(from) && isTime(to) && ++this.#gaps <= MAX_GAPS) this.#recorder.gap(from, to, lost);
    else this.#refused++;
  }

  /** The other tree was full; this one has room of its own. */
  evict(): void {}

  /** Puts a task where its start belongs among the lives of its tid. */
  #place(task: TaskIndex, wasPresent: boolean, startBefore: EventNs): void {
    const [tid, start] = [this.#tree.tidOf(task), this.#tree.startOf(task)];
    if (wasPresent && start === startBefore) return;
    if (wasPresent) this.#lives.remove(tid, task);
    else this.#born.push(task);
    const passed = this.#lives.passed;
    this.#lives.insert(tid, task, start);
    this.#stepsLeft -= this.#lives.passed - passed;
  }

  /** Of whose tid another life has begun has ended. The other tree knew unless it had let go of it. */
  #settleReuse(task: TaskIndex): void {
    const tree = this.#tree;
    if (!tree.isPresent(task)) return;
    const before = this.#lives.olderOf(task);
    if (before === NO_TASK || tree.exitOf(before) <= tree.startOf(task)) return;
    this.#recorder.exit(before, tree.startOf(task), AUTHORITY.inferred);
    this.#ended.add(before);
  }

  #settleEnd(task: TaskIndex): void {
    const tree = this.#tree;
    this.#endIfOver(task);
    for (let thread = tree.firstThreadOf(task); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      this.#endIfOver(thread);
    }
  }

  #endIfOver(task: TaskIndex): void {
    const isOver = this.#tree.isPresent(task) && this.#tree.exitOf(task) !== Number.POSITIVE_INFINITY;
    if (isOver) this.#residents.end(task, this.#tree.isThread(task));
  }

  #takeParent(task: TaskIndex, parent: TaskId, since: EventNs, authority: Authority): void {
    this.#stepsLeft += STEPS_PER_FACT;
    if (!this.#isTask(parent)) {
      this.#recorder.parent(task, NO_TASK, since, authority);
      return;
    }
    if (this.#hasLeft(parent)) return; // as if it had never been said: what follows from the creator holds
    if (parent > MAX_TASK_ID) {
      this.#refused++;
      return;
    }
    const slot = this.#slotOf(parent);
    this.#climb(task, () => this.#guard.setParent(task, slot, since, authority));
    this.#tree.forgetIfUnused(slot);
  }

  #creatorSlotOf(creator: TaskId, task: TaskIndex): TaskIndex {
    if (creator === NO_TASK_ID || creator > MAX_TASK_ID || this.#hasLeft(creator)) return NO_TASK;
    const slot = this.#slotOf(creator);
    if (this.#climb(task, () => !this.#guard.isCreatedBy(slot, task))) return slot;
    if (slot !== task) this.#tree.forgetIfUnused(slot);
    return NO_TASK;
  }

  /** Asks the guard about somebody above `task`; refuses to when that was made to take too long. */
  #climb<T>(task: TaskIndex, ask: () => T): T | undefined {
    if (this.#stepsLeft < 0 && this.#tree.mayHaveChildren(task)) {
      this.#refused++;
      return undefined;
    }
    const before = this.#guard.stepsTaken();
    const answer = ask();
    this.#stepsLeft -= this.#guard.stepsTaken() - before;
    return answer;
  }

  /** Is a process, at however many removes, a thread of one that is to be its own? */
  #isLedBy(process: TaskIndex, task: TaskIndex): boolean {
    const tree = this.#tree;
    if (task === NO_TASK || process === task) return false;
    let above = process;
    for (let steps = 0; steps < MAX_LEADERS && above !== NO_TASK; steps++) {
      const leader = tree.leaderOf(above);
      if (leader === above) return false;
      if (leader === task) return true;
      above = leader;
    }
    return above !== NO_TASK;
  }

  /** A thread whose process has left memory, or was never announced: then it is refused. */
  #passOver(id: TaskId, leader: TaskId): void {
    const isOfEvicted = this.#hasLeft(leader) || this.#tree.indexOf(leader) !== NO_TASK || this.#passedOver.has(leader);
    if (!isOfEvicted) this.#refused++;
    this.#newestId = Math.max(this.#newestId, id);
    this.#passedOver.add(id);
  }

  #isTask(id: TaskId): boolean {
    return Number.isSafeInteger(id) && id > NO_TASK_ID;
  }

  /** Was it announced, and has left this tree's memory since, even as a stub? */
  #hasLeft(id: TaskId): boolean {
    return id <= this.#knownUpTo && this.#tree.indexOf(id) === NO_TASK;
  }

  /** The slot of a task, made when there is none: its own fact may come later. */
  #slotOf(id: TaskId): TaskIndex {
    const known = this.#tree.indexOf(id);
    return known === NO_TASK ? this.#tree.addTask(id) : known;
  }

  /** NO_TASK when the task is not here; refused when nobody has announced it. */
  #presentWith(id: TaskId): TaskIndex {
    const task = this.#tree.indexOf(id);
    if (task !== NO_TASK && this.#tree.isPresent(task)) return task;
    if (id > this.#knownUpTo && !this.#passedOver.has(id)) this.#refused++;
    return NO_TASK;
  }

  #internText(wire: number): number {
    if (wire === 0) return NO_TEXT;
    const known = this.#textIndexes[wire - 1] ?? 0;
    if (known !== 0) return known;
    const index = this.#tree.intern(this.#texts[wire - 1] ?? '');
    this.#textIndexes[wire - 1] = index;
    return index;
  }
}

function isTime(time: number): boolean {
  return Math.abs(time) <= MAX_EVENT_NS;
}
