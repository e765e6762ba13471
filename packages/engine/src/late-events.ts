// What turns out late: that a tid had another life, that a life had ended
// earlier, that what was taken for a process is a thread. An event without a
// start is told of the best life that was known by then; once a better one is
// known, what was told goes to that one. Rules: SPEC.md, ID6 and ID9.
//
//   told in this order    exec at 7      exit at 8      a birth at 5
//   of the old life       it has it      it ends        ends at 5
//   of the new one                                      has the exec, ends at 8

import { AUTHORITY, type Authority, type EventNs, TASK_FLAG } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { END_SLACK_NS, type Lives } from './lives.ts';
import type { Recorder } from './recorder.ts';
import type { Residents } from './residents.ts';
import type { TemporalTree } from './temporal-tree.ts';

/** What it takes to write down who somebody is: that can turn out late, too, and is settled in turn. */
export interface TaskWriting {
  announce(
    task: TaskIndex,
    tid: number,
    leader: TaskIndex,
    creator: TaskIndex,
    start: EventNs,
    flags: number,
    authority: Authority,
  ): void;
  /** A new life of `tid`, of which nothing is known but that something was told of it at `at`. */
  beginMentioned(tid: number, at: EventNs): TaskIndex;
  /** The process that had this pid; a placeholder when nobody has announced it. */
  processAt(pid: number, at: EventNs): TaskIndex;
  setParent(task: TaskIndex, parent: TaskIndex, since: EventNs, authority: Authority): void;
}

/** Nothing comes so late that so many others have had the tid since. A feed that is made to say so must not cost ever more. */
const MAX_OLDER = 64;

export class LateEvents {
  readonly #tree: TemporalTree;
  readonly #recorder: Recorder;
  readonly #lives: Lives;
  readonly #residents: Residents;
  readonly #writing: TaskWriting;

  constructor(tree: TemporalTree, recorder: Recorder, lives: Lives, residents: Residents, writing: TaskWriting) {
    this.#tree = tree;
    this.#recorder = recorder;
    this.#lives = lives;
    this.#residents = residents;
    this.#writing = writing;
  }

  /**
   * A late birth: what was told of the life before it, at times after it, was meant for it [ID6]. Who sees a task knows
   * its start: sightings stay.
   */
  settleBirth(tid: number, task: TaskIndex): void {
    let before = this.#lives.olderOf(task);
    for (let nth = 0; before !== NO_TASK && nth < MAX_OLDER; nth++) {
      this.#takeOver(before, tid, task);
      before = this.#lives.olderOf(before);
    }
  }

  /** A late end: what was told of the life at later times was meant for another life of its tid, which is not known yet. */
  settleEnd(task: TaskIndex, end: EventNs): void {
    const first = this.#firstMentionAfter(task, (end + END_SLACK_NS) as EventNs);
    if (first === Number.POSITIVE_INFINITY) return;
    const tid = this.#tree.tidOf(task);
    let next = this.#lives.newerOf(tid, task);
    if (next === NO_TASK || this.#tree.startOf(next) > first) next = this.#writing.beginMentioned(tid, first);
    this.settleBirth(tid, next);
  }

  /** Threads were born in what was taken for a process, and is a thread of `leader`. */
  settleKind(task: TaskIndex, leader: TaskIndex): void {
    const tree = this.#tree;
    for (let thread = tree.firstThreadOf(task); thread !== NO_TASK; ) {
      const next = tree.nextThreadOf(thread);
      if (tree.isPresent(thread)) this.#passThread(thread, task, leader);
      thread = next;
    }
  }

  #takeOver(before: TaskIndex, tid: number, task: TaskIndex): void {
    const tree = this.#tree;
    const start = tree.startOf(task);
    const after = this.#lives.newerOf(tid, task);
    const end = after === NO_TASK ? Number.POSITIVE_INFINITY : tree.startOf(after);
    tree.forEachEntrySince(before, start, (field, since, authority, value) => {
      if (since < end && authority !== AUTHORITY.sighting) this.#recorder.value(task, field, since, authority, value);
    });
    tree.forEachParent(before, (parent, since, authority) => {
      if (since >= start && since < end && authority !== AUTHORITY.sighting)
        this.#writing.setParent(task, parent, since, authority);
    });
    this.#handOver(before, task, start, end);
    if (tree.isExitSaid(before)) this.#takeEndOver(before, tid, task, start, end);
  }

  #takeEndOver(before: TaskIndex, tid: number, task: TaskIndex, start: EventNs, end: EventNs | number): void {
    const tree = this.#tree;
    const exit = tree.exitOf(before);
    const authority = tree.exitAuthorityOf(before) ?? AUTHORITY.inferred;
    if (exit <= start || exit >= end) return;
    if (authority !== AUTHORITY.inferred) {
      const ended = this.#whoEnded(before, tid, task, exit);
      this.#recorder.exit(ended, exit, authority);
      const statusTime = tree.exitStatusTimeOf(before);
      if (statusTime !== undefined && statusTime >= start) {
        this.#recorder.exit(ended, statusTime, authority, tree.exitCodeOf(before), tree.exitSignalOf(before));
      }
      this.#residents.end(ended, tree.isThread(ended));
    }
    this.#recorder.exit(before, start, authority);
  }

  /** The life of `tid` that ended at `exit`, when not the one `before`: `task`, or yet another that is no thread. */
  #whoEnded(before: TaskIndex, tid: number, task: TaskIndex, exit: EventNs): TaskIndex {
    // Threads that were handed over may have shown that there was one.
    const last = this.#lives.lastBegunBy(tid, exit);
    if (last !== task && last !== before) return last;
    const tree = this.#tree;
    const isProcess = (tree.flagsOf(before) & TASK_FLAG.namedAsProcess) !== 0 && tree.isPlaceholder(before);
    return isProcess && tree.isThread(task) ? this.#writing.processAt(tid, exit) : task;
  }

  /** The first thing after `time` that was told of a task: its end, a value, a parent, a birth by it or in it. */
  #firstMentionAfter(task: TaskIndex, time: EventNs): EventNs {
    const tree = this.#tree;
    let first = Number.POSITIVE_INFINITY;
    const note = (at: EventNs) => {
      if (at > time && at < first) first = at;
    };
    // The end of its process may have been told of it, for want of that.
    const isOwnEnd = !tree.isThread(task) || tree.exitOf(tree.leaderOf(task)) !== tree.exitOf(task);
    if (isOwnEnd && tree.exitAuthorityOf(task) === AUTHORITY.event) note(tree.exitOf(task));
    tree.forEachEntrySince(task, time, (_, since, authority) => {
      if (authority !== AUTHORITY.sighting) note(since);
    });
    tree.forEachParent(task, (_, since, authority) => {
      if (authority !== AUTHORITY.sighting) note(since);
    });
    tree.forEachNamedChild(task, (_, since) => note(since));
    for (let one = tree.firstThreadOf(task); one !== NO_TASK; one = tree.nextThreadOf(one)) note(tree.startOf(one));
    for (let one = tree.firstCreatedBy(task); one !== NO_TASK; one = tree.nextCreatedOf(one)) note(tree.startOf(one));
    return first as EventNs;
  }

  /** Threads and children that `before` has got, and that were born while `task` lived, are those of `task`. */
  #handOver(before: TaskIndex, task: TaskIndex, start: EventNs, end: EventNs | number): void {
    const tree = this.#tree;
    const leader = tree.isThread(task) ? tree.leaderOf(task) : task;
    const isOf = (other: TaskIndex) => tree.startOf(other) >= start && tree.startOf(other) < end;
    for (let thread = tree.firstThreadOf(before); thread !== NO_TASK; ) {
      const next = tree.nextThreadOf(thread);
      if (tree.isPresent(thread) && isOf(thread)) this.#passThread(thread, task, leader);
      thread = next;
    }
    const named: [child: TaskIndex, since: EventNs, authority: Authority][] = [];
    // Who is named as a parent is a process.
    if (task === leader) tree.forEachNamedChild(before, (...link) => named.push(link));
    for (const [child, since, authority] of named) {
      if (since >= start && since < end) this.#writing.setParent(child, task, since, authority);
    }
    for (let born = tree.firstCreatedBy(before); born !== NO_TASK; ) {
      const next = tree.nextCreatedOf(born);
      if (tree.isPresent(born) && isOf(born)) this.#giveCreator(born, task);
      born = next;
    }
  }

  #giveCreator(born: TaskIndex, creator: TaskIndex): void {
    const tree = this.#tree;
    const authority = tree.creatorAuthorityOf(born);
    const flags = tree.flagsOf(born);
    this.#writing.announce(born, tree.tidOf(born), tree.leaderOf(born), creator, tree.startOf(born), flags, authority);
  }

  /**
   * What was born in another life of the tid of `task`, or before it was known whether that is a thread, is of its process.
   * But where that is another one, and the process of the thread was named, it is of yet another life of the tid.
   */
  #passThread(thread: TaskIndex, task: TaskIndex, leader: TaskIndex): void {
    const tree = this.#tree;
    const start = tree.startOf(thread);
    const authority = tree.authorityOf(thread);
    const isOpen = authority === AUTHORITY.sighting || leader === task;
    const process = isOpen ? leader : this.#writing.processAt(tree.tidOf(task), start);
    const sure = isOpen ? AUTHORITY.event : authority;
    this.#writing.announce(thread, tree.tidOf(thread), process, NO_TASK, start, tree.flagsOf(thread), sure);
  }
}
