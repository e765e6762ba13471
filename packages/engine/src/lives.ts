// Identity: which life of a tid is meant. A life is (tid, start); sources know
// the start exactly, as a 10 ms tick of /proc rounded down, or not at all
// (first mention).

import { AUTHORITY, type EventNs, TASK_FLAG } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { LivesTable } from './lives-table.ts';
import type { Residents } from './residents.ts';
import type { TemporalTree } from './temporal-tree.ts';

/** USER_HZ is 100 on every Linux platform that Node runs on. */
const TICK_NS = 10_000_000;
/** Two sources stamp one birth with two times, less than this apart. The kernel gives no tid out again so soon. [ID8] */
const BIRTH_SLACK_NS = 1_000_000;
/** A mention is stamped before the birth by another source, so long before at most. */
export const MENTION_SLACK_NS = 100_000;
/** Ends that are told of one process together, or by two sources, are so far apart at most. */
export const END_SLACK_NS = 1_000_000;

export class Lives {
  readonly #tree: TemporalTree;
  readonly #residents: Residents;
  readonly #table: LivesTable;
  #passed = 0;

  /** @param residents know who has not ended, as far as anybody has told: it costs less to ask them first */
  constructor(tree: TemporalTree, residents: Residents) {
    this.#tree = tree;
    this.#residents = residents;
    this.#table = new LivesTable(tree.rows);
  }

  /** The life that was running at `at`: begun by then and not known to have ended before, or only just. [ID4] */
  livingAt(tid: number, at: EventNs, pid?: number): TaskIndex {
    let life = this.#table.newestOf(tid);
    while (life !== NO_TASK && this.#tree.startOf(life) > at) life = this.#table.olderOf(life);
    if (life === NO_TASK || this.#residents.isLiving(life)) return life;
    if (this.#tree.exitOf(life) + END_SLACK_NS > at) return life;
    // That its process has ended can turn out to be wrong; that it is in this one, not, while nobody else had its pid.
    const isIn = !this.#tree.isExitSaid(life) && pid !== undefined && pid === this.#tree.pidOf(life);
    return isIn && this.lastBegunBy(pid, at) === this.#tree.leaderOf(life) ? life : NO_TASK;
  }

  /** The newest life that had begun by `at`, ended or not. */
  lastBegunBy(tid: number, at: EventNs): TaskIndex {
    let life = this.#table.newestOf(tid);
    while (life !== NO_TASK && this.#tree.startOf(life) > at) life = this.#table.olderOf(life);
    return life;
  }

  /**
   * The life that began at `start` (exact, as an event says it).
   * @param pid of its process, as the event says; undefined where it does not
   * @param slack how far births may be apart and be one
   */
  begunAt(tid: number, start: EventNs, pid?: number, slack = BIRTH_SLACK_NS): TaskIndex {
    let near: TaskIndex = NO_TASK;
    for (let life = this.#table.newestOf(tid); life !== NO_TASK; life = this.#table.olderOf(life)) {
      const flags = this.#tree.flagsOf(life);
      const begun = this.#tree.startOf(life);
      if (begun === start) return life;
      if ((flags & TASK_FLAG.startIsTick) !== 0) {
        // The kernel's stamp of a birth comes some microseconds after the start itself, so a tick edge may lie between.
        if (start >= begun && start - begun < 2 * TICK_NS) return life;
      } else if ((flags & TASK_FLAG.startIsUnknown) !== 0) {
        const fits = begun > start - MENTION_SLACK_NS && this.#tree.exitOf(life) >= start;
        if (fits && !this.#hasLifeBetween(life, start) && this.canBeOf(life, pid)) return life;
      } else if (Math.abs(begun - start) < slack && this.#tree.exitOf(life) >= start) near = life;
      if (begun < start - 2 * TICK_NS) break;
    }
    return near;
  }

  /** The life that was seen at `at` with this start. */
  observed(tid: number, start: EventNs, startIsTick: boolean, at: EventNs, pid: number): TaskIndex {
    if (!startIsTick) return this.begunAt(tid, start, pid);
    for (let life = this.#table.newestOf(tid); life !== NO_TASK; life = this.#table.olderOf(life)) {
      const flags = this.#tree.flagsOf(life);
      const begun = this.#tree.startOf(life);
      if ((flags & TASK_FLAG.startIsUnknown) !== 0) {
        if (begun >= start && begun <= at && !this.#hasLifeBetween(life, start)) return life;
      } else if ((flags & TASK_FLAG.startIsTick) !== 0) {
        if (Math.abs(begun - start) < TICK_NS / 2) return life;
      } else if (begun >= start && begun - start < 2 * TICK_NS) return life;
      if (begun < start - 2 * TICK_NS) return NO_TASK;
    }
    return NO_TASK;
  }

  /** Is there a life that is known to have begun just then? */
  hasBegun(tid: number, start: EventNs): boolean {
    const isVague = TASK_FLAG.startIsTick | TASK_FLAG.startIsUnknown;
    for (let life = this.#table.newestOf(tid); life !== NO_TASK; life = this.#table.olderOf(life)) {
      const begun = this.#tree.startOf(life);
      if (begun === start && (this.#tree.flagsOf(life) & isVague) === 0) return true;
      if (begun < start) return false;
    }
    return false;
  }

  /** Can it be a life in this process (undefined: any), as far as is known of it? */
  canBeOf(life: TaskIndex, pid: number | undefined): boolean {
    if (pid === undefined || this.#tree.pidOf(life) === pid) return true;
    const flags = this.#tree.flagsOf(life);
    const isPlaceholder = (flags & TASK_FLAG.placeholder) !== 0;
    const isThread = (flags & TASK_FLAG.thread) !== 0;
    // A placeholder can turn out to be a thread, unless it was named as a process; and whose thread it is can be open.
    const isSure = isThread
      ? isPlaceholder || this.#tree.authorityOf(life) === AUTHORITY.event
      : !isPlaceholder || (flags & TASK_FLAG.namedAsProcess) !== 0 || this.#hasThread(life);
    return !isSure;
  }

  #hasThread(leader: TaskIndex): boolean {
    const tree = this.#tree;
    for (let thread = tree.firstThreadOf(leader); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      if (tree.isPresent(thread) && tree.authorityOf(thread) === AUTHORITY.event) return true;
    }
    return false;
  }

  /** A life whose start is unknown and was first mentioned after `at`, with no other life in between. */
  mentionedAfter(tid: number, at: EventNs): TaskIndex {
    let found: TaskIndex = NO_TASK;
    let life = this.#table.newestOf(tid);
    while (life !== NO_TASK && this.#tree.startOf(life) > at) {
      found = life;
      life = this.#table.olderOf(life);
    }
    return found !== NO_TASK && (this.#tree.flagsOf(found) & TASK_FLAG.startIsUnknown) !== 0 ? found : NO_TASK;
  }

  /**
   * Puts a new life where its start belongs among the lives of its tid.
   * @returns whether it is the only one
   */
  insert(tid: number, task: TaskIndex, start: EventNs): boolean {
    const newest = this.#table.newestOf(tid);
    let newer: TaskIndex = NO_TASK;
    let life = newest;
    while (life !== NO_TASK && this.#tree.startOf(life) > start) {
      newer = life;
      life = this.#table.olderOf(life);
      this.#passed++;
    }
    this.#table.insert(tid, task, newer, newest);
    return newest === NO_TASK;
  }

  /** Lives that `insert` has passed so far: for who bounds what that may cost. */
  get passed(): number {
    return this.#passed;
  }

  /** Has a younger life that tid? */
  isOlder(tid: number, start: EventNs): boolean {
    const newest = this.#table.newestOf(tid);
    return newest !== NO_TASK && this.#tree.startOf(newest) > start;
  }

  olderOf(task: TaskIndex): TaskIndex {
    return this.#table.olderOf(task);
  }

  newerOf(tid: number, task: TaskIndex): TaskIndex {
    return this.#table.newerOf(tid, task);
  }

  remove(tid: number, task: TaskIndex): void {
    this.#table.remove(tid, task);
  }

  // An unknown start can be moved back to `start` only while the life before it was over by then.
  #hasLifeBetween(life: TaskIndex, start: EventNs): boolean {
    const before = this.#table.olderOf(life);
    return before !== NO_TASK && this.#tree.startOf(before) >= start;
  }
}
