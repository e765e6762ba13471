// What stays in memory: at most so many processes and so many threads. The one
// that events touched longest ago goes first, those that ended before those
// that live. Queries touch nothing.
//
// Four lists in order of touch, linked through columns by slot as in lru-cache:
// living and ended, processes and threads. There is no hash table, because a task
// is found by its slot already (docs/adr/0009).

import type { EventNs } from '@dendro/protocol';
import { grown, roomFor } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

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
  #links = new Int32Array(0); // 2 * TaskIndex -> next older in its list | NO_TASK, then the next newer one
  #state = new Uint8Array(0); // TaskIndex -> ABSENT, ...
  #touchedAt = new Float64Array(0); // TaskIndex -> time of the newest event of it

  constructor(maxProcesses: number, maxThreads: number) {
    this.#maxProcesses = maxProcesses;
    this.#maxThreads = maxThreads;
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
    return (this.#stateOf(task) === ABSENT ? Number.NEGATIVE_INFINITY : (this.#touchedAt[task] as number)) as EventNs;
  }

  /** Notes an event of the task; a task not seen before becomes a living resident. */
  touch(task: TaskIndex, isThread: boolean, at: EventNs): void {
    if (task >= this.#state.length) this.#grow(task);
    const state = this.#state[task] as number;
    if (state === ABSENT) {
      this.#enter(task, isThread ? LIVING_THREAD : LIVING_PROCESS);
      this.#touchedAt[task] = at;
      return;
    }
    if (at > (this.#touchedAt[task] as number)) this.#touchedAt[task] = at;
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
    this.#state[task] = ABSENT;
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
    return task < this.#state.length ? (this.#state[task] as number) : ABSENT;
  }

  /** Puts a task at the newest end of a list. */
  #enter(task: TaskIndex, state: number): void {
    const before = this.#newest[state] as number;
    this.#links[2 * task] = before;
    this.#links[2 * task + 1] = NO_TASK;
    if (before === NO_TASK) this.#oldest[state] = task;
    else this.#links[2 * before + 1] = task;
    this.#newest[state] = task;
    this.#state[task] = state;
    this.#counts[state] = (this.#counts[state] as number) + 1;
  }

  #leave(task: TaskIndex, state: number): void {
    const older = this.#links[2 * task] as number;
    const newer = this.#links[2 * task + 1] as number;
    if (older === NO_TASK) this.#oldest[state] = newer;
    else this.#links[2 * older + 1] = newer;
    if (newer === NO_TASK) this.#newest[state] = older;
    else this.#links[2 * newer] = older;
    this.#counts[state] = (this.#counts[state] as number) - 1;
  }

  #grow(task: TaskIndex): void {
    const room = roomFor(task + 1);
    this.#links = grown(this.#links, 2 * room, NO_TASK);
    this.#state = grown(this.#state, room, ABSENT);
    this.#touchedAt = grown(this.#touchedAt, room, 0);
  }
}
