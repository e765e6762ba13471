// What stays in memory: at most so many processes and so many threads. The one
// that events touched longest ago goes first, those that ended before those
// that live. Queries touch nothing.
//
// Four lists in order of touch, linked through columns by slot as in lru-cache:
// living and ended, processes and threads. There is no hash table, because a task
// is found by its slot already (docs/adr/0009).

import type { EventNs } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import type { Rows } from './rows.ts';
import { TASK_ROW } from './task-row.ts';

const { touchedAt: TOUCHED_AT, touchedBefore: BEFORE, touchedAfter: AFTER, bits: BITS, listAt: LIST_AT } = TASK_ROW;
const { integers: INTEGERS, doubles: DOUBLES } = TASK_ROW;

const ABSENT = 0;
const LIVING_PROCESS = 1;
const LIVING_THREAD = 2;
const ENDED_PROCESS = 3;
const ENDED_THREAD = 4;
const STATES = 5;

export class Residents {
  readonly #maxProcesses: number;
  readonly #maxThreads: number;
  readonly #counts = new Int32Array(STATES);
  readonly #oldest = new Int32Array(STATES).fill(NO_TASK); // state -> the one touched longest ago | NO_TASK
  readonly #newest = new Int32Array(STATES).fill(NO_TASK); // state -> the one touched last | NO_TASK
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
    return (isResident ? this.#rows.f64[task * DOUBLES + TOUCHED_AT] : Number.NEGATIVE_INFINITY) as EventNs;
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
    if (this.#newest[state] === task) return;
    this.#leave(task, state);
    this.#enter(task, state);
  }

  /** Notes that a resident has ended. */
  end(task: TaskIndex, isThread: boolean): void {
    const state = this.#stateOf(task);
    if (state !== LIVING_PROCESS && state !== LIVING_THREAD) return;
    this.#leave(task, state);
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
    const task = oldestEnded !== NO_TASK ? oldestEnded : (this.#oldest[living] as TaskIndex);
    this.forget(task);
    return task;
  }

  #stateOf(task: TaskIndex): number {
    return ((this.#rows.i32[task * INTEGERS + BITS] as number) >> LIST_AT) & 7;
  }

  #setState(task: TaskIndex, state: number): void {
    const { i32 } = this.#rows;
    const cell = task * INTEGERS + BITS;
    i32[cell] = ((i32[cell] as number) & ~(7 << LIST_AT)) | (state << LIST_AT);
  }

  /** Puts a task at the newest end of a list. */
  #enter(task: TaskIndex, state: number): void {
    const { i32 } = this.#rows;
    const row = task * INTEGERS;
    const before = this.#newest[state] as number;
    i32[row + BEFORE] = before;
    i32[row + AFTER] = NO_TASK;
    this.#setState(task, state);
    if (before === NO_TASK) this.#oldest[state] = task;
    else i32[before * INTEGERS + AFTER] = task;
    this.#newest[state] = task;
    this.#counts[state] = (this.#counts[state] as number) + 1;
  }

  #leave(task: TaskIndex, state: number): void {
    const { i32 } = this.#rows;
    const before = i32[task * INTEGERS + BEFORE] as number;
    const after = i32[task * INTEGERS + AFTER] as number;
    if (before === NO_TASK) this.#oldest[state] = after;
    else i32[before * INTEGERS + AFTER] = after;
    if (after === NO_TASK) this.#newest[state] = before;
    else i32[after * INTEGERS + BEFORE] = before;
    this.#counts[state] = (this.#counts[state] as number) - 1;
  }
}
