// What stays in memory: at most so many processes and so many threads. The one
// that events touched longest ago goes first, those that ended before those
// that live. Queries touch nothing.
//
// Those that have ended stand in two lists in order of touch, linked through
// columns by slot as in lru-cache; there is no hash table, because a task is found by
// its slot already. The living are merely stamped when they are touched. Should they
// alone be too many, the eighth part that was touched longest ago is picked out, and
// these go one by one (docs/adr/0009).

import type { EventNs } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import type { Rows } from './rows.ts';
import { TASK_ROW } from './task-row.ts';

const { touchedAt: TOUCHED_AT, touchedBefore: BEFORE, touchedAfter: AFTER, bits: BITS, listAt: LIST_AT } = TASK_ROW;
const { integers: INTEGERS, doubles: DOUBLES } = TASK_ROW;

const ABSENT = 0;
// The living first: only the ended stand in lists.
const LIVING_PROCESS = 1;
const LIVING_THREAD = 2;
const ENDED_PROCESS = 3;
const ENDED_THREAD = 4;
const STATES = 5;
const PICKED_SHARE = 1 / 8;

export class Residents {
  readonly #maxProcesses: number;
  readonly #maxThreads: number;
  readonly #counts = new Int32Array(STATES);
  // Of the lists of the ended, by state: TaskIndex | NO_TASK.
  readonly #oldest = new Int32Array(STATES).fill(NO_TASK);
  readonly #newest = new Int32Array(STATES).fill(NO_TASK);
  /** By state: living ones that go next, the most urgent last. */
  readonly #picked = new Map<number, Picked>();
  readonly #rows: Rows;

  /** @param rows of the tasks */
  constructor(maxProcesses: number, maxThreads: number, rows: Rows) {
    this.#maxProcesses = maxProcesses;
    this.#maxThreads = maxThreads;
    this.#rows = rows;
  }

  get processes(): number {
    return this.livingProcesses + (this.#counts[ENDED_PROCESS] as number);
  }

  get threads(): number {
    return this.livingThreads + (this.#counts[ENDED_THREAD] as number);
  }

  get livingProcesses(): number {
    return this.#counts[LIVING_PROCESS] as number;
  }

  get livingThreads(): number {
    return this.#counts[LIVING_THREAD] as number;
  }

  /** When an event or a sighting last spoke of the task; -Infinity for one that is not resident. */
  touchedAt(task: TaskIndex): EventNs {
    const isResident = this.#stateOf(task) !== ABSENT;
    return (isResident ? this.#stampOf(task) : Number.NEGATIVE_INFINITY) as EventNs;
  }

  /** Is it resident, and has nobody told its end? */
  isLiving(task: TaskIndex): boolean {
    const state = this.#stateOf(task);
    return state === LIVING_PROCESS || state === LIVING_THREAD;
  }

  /** Notes an event of the task; a task not seen before becomes a living resident. */
  touch(task: TaskIndex, isThread: boolean, at: EventNs): void {
    const { f64 } = this.#rows;
    const state = this.#stateOf(task);
    if (state === ABSENT) {
      this.#enter(task, isThread ? LIVING_THREAD : LIVING_PROCESS);
      f64[task * DOUBLES + TOUCHED_AT] = at;
      return;
    }
    if (at > (f64[task * DOUBLES + TOUCHED_AT] as number)) f64[task * DOUBLES + TOUCHED_AT] = at;
    if (state < ENDED_PROCESS || this.#newest[state] === task) return;
    this.#leave(task, state);
    this.#enter(task, state);
  }

  /** Notes that a resident has ended. */
  end(task: TaskIndex, isThread: boolean): void {
    if (!this.isLiving(task)) return;
    this.#leave(task, this.#stateOf(task));
    this.#enter(task, isThread ? ENDED_THREAD : ENDED_PROCESS);
  }

  forget(task: TaskIndex): void {
    const state = this.#stateOf(task);
    if (state === ABSENT) return;
    this.#leave(task, state);
    this.#setState(task, ABSENT);
  }

  get hasExcess(): boolean {
    return this.threads > this.#maxThreads || this.processes > this.#maxProcesses;
  }

  /** Takes out the thread that has to go, if there are more than the limit; else NO_TASK. */
  excessThread(): TaskIndex {
    return this.threads <= this.#maxThreads ? NO_TASK : this.#takeOldest(ENDED_THREAD, LIVING_THREAD);
  }

  /** Takes out the process that has to go, if there are more than the limit; else NO_TASK. */
  excessProcess(): TaskIndex {
    return this.processes <= this.#maxProcesses ? NO_TASK : this.#takeOldest(ENDED_PROCESS, LIVING_PROCESS);
  }

  #takeOldest(ended: number, living: number): TaskIndex {
    const oldestEnded = this.#oldest[ended] as TaskIndex;
    const task = oldestEnded !== NO_TASK ? oldestEnded : this.#oldestLiving(living);
    this.forget(task);
    return task;
  }

  /** The living one of this state that was touched longest ago; there is one. */
  #oldestLiving(state: number): TaskIndex {
    for (;;) {
      const picked = this.#picked.get(state);
      const task = picked?.tasks.pop();
      if (picked === undefined || task === undefined) this.#picked.set(state, this.#pick(state));
      else if (this.#stateOf(task) === state && this.#stampOf(task) <= picked.upTo) return task;
    }
  }

  #pick(state: number): Picked {
    const living: TaskIndex[] = [];
    for (let slot = 0; slot < this.#rows.capacity; slot++) {
      if (this.#stateOf(slot as TaskIndex) === state) living.push(slot as TaskIndex);
    }
    const stamps = Float64Array.from(living, (task) => this.#stampOf(task)).sort();
    const upTo = stamps[Math.floor((stamps.length - 1) * PICKED_SHARE)] as number;
    const tasks = living.filter((task) => this.#stampOf(task) <= upTo);
    return { tasks: tasks.sort((a, b) => this.#stampOf(b) - this.#stampOf(a)), upTo };
  }

  #stampOf(task: TaskIndex): number {
    return this.#rows.f64[task * DOUBLES + TOUCHED_AT] as number;
  }

  #stateOf(task: TaskIndex): number {
    return ((this.#rows.i32[task * INTEGERS + BITS] as number) >> LIST_AT) & 7;
  }

  #setState(task: TaskIndex, state: number): void {
    const { i32 } = this.#rows;
    const cell = task * INTEGERS + BITS;
    i32[cell] = ((i32[cell] as number) & ~(7 << LIST_AT)) | (state << LIST_AT);
  }

  /** Counts a task in; one that has ended, at the newest end of its list. */
  #enter(task: TaskIndex, state: number): void {
    this.#setState(task, state);
    this.#counts[state] = (this.#counts[state] as number) + 1;
    if (state < ENDED_PROCESS) return;
    const { i32 } = this.#rows;
    const row = task * INTEGERS;
    const before = this.#newest[state] as number;
    i32[row + BEFORE] = before;
    i32[row + AFTER] = NO_TASK;
    if (before === NO_TASK) this.#oldest[state] = task;
    else i32[before * INTEGERS + AFTER] = task;
    this.#newest[state] = task;
  }

  #leave(task: TaskIndex, state: number): void {
    this.#counts[state] = (this.#counts[state] as number) - 1;
    if (state < ENDED_PROCESS) return;
    const { i32 } = this.#rows;
    const before = i32[task * INTEGERS + BEFORE] as number;
    const after = i32[task * INTEGERS + AFTER] as number;
    if (before === NO_TASK) this.#oldest[state] = after;
    else i32[before * INTEGERS + AFTER] = after;
    if (after === NO_TASK) this.#newest[state] = before;
    else i32[after * INTEGERS + BEFORE] = before;
  }
}

interface Picked {
  /** The most urgent last. */
  readonly tasks: TaskIndex[];
  /** Not if it was touched after this. */
  readonly upTo: number;
}
