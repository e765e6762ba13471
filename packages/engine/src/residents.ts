// What stays in memory: at most so many processes and so many threads. The one
// that events touched longest ago goes first, those that ended before those
// that live. Queries touch nothing.
//
// Ended processes stand in an lru-cache: they are the ones that go, and their
// threads go with them. All others are merely stamped when they are touched. Should
// the threads, or the living processes, alone be too many, the eighth part that was touched
// longest ago is picked out, and these go one by one (docs/adr/0007).

import type { EventNs } from '@dendro/protocol';
import { LRUCache } from 'lru-cache';
import { grown, roomFor } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';

const ABSENT = 0;
const LIVING_PROCESS = 1;
const LIVING_THREAD = 2;
const ENDED_PROCESS = 3;
const ENDED_THREAD = 4;
type Stamped = typeof LIVING_PROCESS | typeof LIVING_THREAD | typeof ENDED_THREAD;
const PICKED_SHARE = 1 / 8;

export class Residents {
  readonly #maxProcesses: number;
  readonly #maxThreads: number;
  readonly #endedProcesses: LRUCache<TaskIndex, TaskIndex>;
  readonly #picked: Record<Stamped, Picked> = {
    [LIVING_PROCESS]: NONE_PICKED,
    [LIVING_THREAD]: NONE_PICKED,
    [ENDED_THREAD]: NONE_PICKED,
  };
  readonly #counts = new Int32Array(5); // of each state
  #state = new Uint8Array(0); // TaskIndex -> ABSENT, ...
  #touchedAt = new Float64Array(0); // TaskIndex -> time of the newest event of it

  constructor(maxProcesses: number, maxThreads: number) {
    this.#maxProcesses = maxProcesses;
    this.#maxThreads = maxThreads;
    // lru-cache clears its whole key list when the last entry is deleted, in time that grows with `max`. So NO_TASK
    // stays in, as an entry that is never deleted. There is one more place than the limit: what has to go is taken
    // out by `excess`, never dropped by the cache itself.
    this.#endedProcesses = new LRUCache({ max: maxProcesses + 2 });
    this.#endedProcesses.set(NO_TASK, NO_TASK);
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
    if (state === ENDED_PROCESS) this.#endedProcesses.get(task);
  }

  /** Notes that a resident has ended. */
  end(task: TaskIndex, isThread: boolean): void {
    const state = this.#stateOf(task);
    if (state !== LIVING_PROCESS && state !== LIVING_THREAD) return;
    this.#leave(task);
    this.#enter(task, isThread ? ENDED_THREAD : ENDED_PROCESS);
    if (!isThread) this.#endedProcesses.set(task, task);
  }

  forget(task: TaskIndex): void {
    if (this.#stateOf(task) === ENDED_PROCESS) this.#endedProcesses.delete(task);
    this.#leave(task);
  }

  get hasExcess(): boolean {
    return this.threads > this.#maxThreads || this.processes > this.#maxProcesses;
  }

  /** Takes out the thread that has to go, if there are more than the limit; else NO_TASK. */
  excessThread(): TaskIndex {
    if (this.threads <= this.#maxThreads) return NO_TASK;
    const task = this.#oldest(this.#counts[ENDED_THREAD] === 0 ? LIVING_THREAD : ENDED_THREAD);
    this.#leave(task);
    return task;
  }

  /** Takes out the process that has to go, if there are more than the limit; else NO_TASK. */
  excessProcess(): TaskIndex {
    if (this.processes <= this.#maxProcesses) return NO_TASK;
    const task = this.#counts[ENDED_PROCESS] === 0 ? this.#oldest(LIVING_PROCESS) : this.#oldestEndedProcess();
    this.#leave(task);
    return task;
  }

  #stateOf(task: TaskIndex): number {
    return task < this.#state.length ? (this.#state[task] as number) : ABSENT;
  }

  #enter(task: TaskIndex, state: number): void {
    this.#state[task] = state;
    this.#counts[state] = (this.#counts[state] as number) + 1;
  }

  #leave(task: TaskIndex): void {
    const state = this.#stateOf(task);
    if (state === ABSENT) return;
    this.#counts[state] = (this.#counts[state] as number) - 1;
    this.#state[task] = ABSENT;
  }

  #oldestEndedProcess(): TaskIndex {
    const oldest = this.#endedProcesses.pop() ?? NO_TASK;
    if (oldest !== NO_TASK) return oldest;
    this.#endedProcesses.set(NO_TASK, NO_TASK);
    return this.#endedProcesses.pop() ?? NO_TASK;
  }

  /** The one of this state that was touched longest ago; there is one. */
  #oldest(state: Stamped): TaskIndex {
    for (;;) {
      const { tasks, upTo } = this.#picked[state];
      const task = tasks.pop();
      if (task === undefined) this.#picked[state] = this.#pick(state);
      else if (this.#state[task] === state && (this.#touchedAt[task] as number) <= upTo) return task;
    }
  }

  #pick(state: number): Picked {
    const times = new Float64Array(this.#counts[state] as number);
    let count = 0;
    for (let task = 0; task < this.#state.length; task++) {
      if (this.#state[task] === state) times[count++] = this.#touchedAt[task] as number;
    }
    times.sort();
    const upTo = times[Math.floor((times.length - 1) * PICKED_SHARE)] as number;
    const tasks: TaskIndex[] = [];
    for (let task = 0; task < this.#state.length; task++) {
      if (this.#state[task] === state && (this.#touchedAt[task] as number) <= upTo) tasks.push(task as TaskIndex);
    }
    return { tasks: tasks.sort((a, b) => (this.#touchedAt[b] as number) - (this.#touchedAt[a] as number)), upTo };
  }

  #grow(task: TaskIndex): void {
    const room = roomFor(task + 1);
    this.#state = grown(this.#state, room, ABSENT);
    this.#touchedAt = grown(this.#touchedAt, room, 0);
  }
}

/** The next to go of one state. */
interface Picked {
  /** The most urgent last. */
  readonly tasks: TaskIndex[];
  /** Not if it was touched after this. */
  readonly upTo: number;
}

const NONE_PICKED: Picked = { tasks: [], upTo: Number.NEGATIVE_INFINITY };
