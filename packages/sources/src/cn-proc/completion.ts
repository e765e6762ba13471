// Completes the events of tracefs by what only the process connector says.
//
// Both tell of the same births, execs and ends, with times that differ by
// microseconds, and two births of one task would be two tasks. So tracefs
// alone says that something happened and when; the connector's records wait
// for the event that tells of the same, and only add to it:
//
//   fork   the pid of a thread, and the parent, which CLONE_PARENT leaves open
//   exit   the status, and the parent at the end if it was not the first one
//   uid, gid   events of their own: tracefs has none
//
// A record whose event never comes is left out, unless tracefs has lost events
// at that time: then it speaks for itself. So does a birth as soon as tracefs
// tells of something that the new task did: the order shows that it was lost,
// and to wait would give the deed to whoever had the tid before.
//
// The kernel sends a fork message before it traces the fork, an exec or exit
// message after it has traced that. An event of tracefs is passed on some 20 ms
// late, when the messages of its time have been read; so nearly always record
// and event meet here and leave as one. The message of an exit comes once the
// task has given its memory back, perhaps seconds later: then the exit is said
// again, at the same time, with the status.

import {
  CLONE,
  type CredentialsEvent,
  type EventNs,
  type ExitEvent,
  type ForkEvent,
  type GapEvent,
  type TaskEvent,
} from '@dendro/protocol';
import type { EventSink } from '../source.ts';
import { birthOf, credentialsOf, execOf, exitOf, fosterParentOf, LeftGroups, Unkept } from './events.ts';
import type { HappeningRecord } from './feed.ts';
import { KnownProcesses } from './known-processes.ts';
import { type ExecRecord, type ExitRecord, type ForkRecord, statusOf } from './messages.ts';
import { Recent } from './recent.ts';
import { Waiting } from './waiting.ts';

/** A record and an event of the same tid this close are of the same task: pids do not come round as fast. */
const SAME_NS = 1e9;
/** When an event has not come for so long, it never will, and a gap that swallowed it is known. */
const VERDICT_NS = 1.5e9;
const MAX_GAPS = 64;
/** Ends and execs passed on whose message has not come yet. */
const MAX_UNANSWERED = 16_384;
const MAX_CREDENTIALS = 65_536;

export interface CompletionOptions {
  readonly sink: EventSink;
  /** How far apart the clocks of both may be. */
  readonly clock: { readonly monotonicErrorNs: number };
}

export class Completion {
  readonly #sink: EventSink;
  readonly #clock: { readonly monotonicErrorNs: number };
  readonly #unkept = new Unkept();
  #left = 0;
  #tracedFrom = Number.NEGATIVE_INFINITY;
  #tracedUntil = Number.POSITIVE_INFINITY;
  readonly #births = new Waiting<ForkRecord>();
  readonly #execs = new Waiting<ExecRecord>();
  readonly #ends = new Waiting<ExitRecord>();
  readonly #unansweredEnds = new Recent<ExitEvent>(MAX_UNANSWERED); // tid -> passed on without a status
  readonly #unansweredExecs = new Recent<EventNs>(MAX_UNANSWERED); // pid -> time of the last one passed on
  readonly #credentials: CredentialsEvent[] = [];
  readonly #processes = new KnownProcesses();
  readonly #groups = new LeftGroups();
  readonly #gaps: { readonly from: EventNs; readonly to: EventNs }[] = [];

  constructor({ sink, clock }: CompletionOptions) {
    this.#sink = sink;
    this.#clock = clock;
  }

  /** Records left out: no event came for them although tracefs has lost none, or too many waited. */
  get leftOut(): number {
    return this.#left + this.#births.dropped + this.#execs.dropped + this.#ends.dropped;
  }

  /** Tracing has begun by now: of earlier records there may be no event. */
  begin(now: EventNs): void {
    this.#tracedFrom = now;
  }

  /** Takes the next event of tracefs. The records of its time should have been taken before. */
  takeEvent(event: TaskEvent): void {
    if (this.#credentials.length > 0 && 'at' in event) this.#sayCredentials(event.at - this.#clock.monotonicErrorNs);
    switch (event.type) {
      case 'fork':
        this.#catchUp(event.creatorTid, event.at);
        this.#sink(this.#completeBirth(event));
        break;
      case 'rename':
        this.#catchUp(event.tid, event.at);
        this.#sink(event);
        break;
      case 'exec':
        this.#catchUp(event.pid, event.at);
        this.#sink(event);
        if (this.#execs.take(event.pid, ({ at }) => this.#isAfter(at, event.at)) === undefined) {
          this.#unansweredExecs.set(event.pid, event.at);
        }
        break;
      case 'exit':
        this.#catchUp(event.tid, event.at);
        this.#completeEnd(event);
        break;
      case 'observe':
        if (event.tid === event.pid) this.#processes.see(event.pid, event.start, event.ppid);
        this.#sink(event);
        break;
      case 'gap':
        this.#takeGap(event);
        this.#sink(event);
        break;
      default:
        this.#sink(event);
    }
  }

  /** Takes the next record of the connector. */
  takeRecord(record: HappeningRecord): void {
    switch (record.what) {
      case 'fork':
        this.#births.add(record);
        break;
      case 'exec':
        this.#takeExec(record);
        break;
      case 'exit':
        this.#takeExit(record);
        break;
      case 'comm':
        break; // tracefs tells of every name
      default: {
        const event = record.what === 'uid' || record.what === 'gid' ? credentialsOf(record) : undefined;
        if (event === undefined) this.#unkept.count(record);
        else this.#takeCredentials(event);
      }
    }
  }

  /**
   * Decides on what waits.
   * @param passedUntil every event of tracefs up to this time has been taken
   */
  settle(passedUntil: EventNs): void {
    const error = this.#clock.monotonicErrorNs;
    const until = passedUntil - error;
    const verdict = passedUntil - VERDICT_NS;
    this.#births.takeDone(verdict, (record) => {
      if (this.#wasLost(record.at)) this.#sayBirth(record);
      return true;
    });
    this.#execs.takeDone(verdict, (record) => {
      if (this.#wasLost(record.at)) this.#sink(execOf(record));
      return true;
    });
    this.#ends.takeDone(until, (record) => this.#settleEnd(record, record.at <= verdict));
    this.#sayCredentials(until);
  }

  /** Says the last word on everything: tracing has ended, and no event comes of later records than `passedUntil`. */
  finish(passedUntil: EventNs): void {
    this.#tracedUntil = passedUntil;
    this.settle(Number.POSITIVE_INFINITY as EventNs);
  }

  /** What a user should know of how it goes. */
  *notices(): Generator<string> {
    if (this.leftOut > 0) yield `${this.leftOut} messages of the process connector were of no event that was traced.`;
    yield* this.#unkept.notices();
  }

  // --- fork ---

  #completeBirth(event: ForkEvent): ForkEvent {
    const { tid, at } = event;
    const record = this.#births.takeNewest(tid, (birth) => this.#isAfter(at, birth.at));
    this.#catchUp(tid, at);
    this.#unansweredEnds.delete(tid);
    this.#unansweredExecs.delete(tid);
    this.#groups.forget(tid);
    if (record === undefined) return event;
    const { pid, parentPid } = record;
    if (tid !== pid) return { ...event, pid };
    this.#processes.begin(pid, at, parentPid);
    const isSibling = ((event.cloneFlags ?? 0) & CLONE.parent) !== 0;
    return isSibling ? { ...event, pid, parentPid } : { ...event, pid, creatorPid: parentPid, parentPid };
  }

  // --- exec ---

  #takeExec(record: ExecRecord): void {
    const event = this.#unansweredExecs.get(record.tid);
    if (event !== undefined && this.#isAfter(record.at, event)) {
      this.#unansweredExecs.delete(record.tid);
    } else this.#execs.add(record);
  }

  // --- exit ---

  #completeEnd(event: ExitEvent): void {
    const record = this.#ends.take(event.tid, (end) => this.#isAfter(end.at, event.at) && !isOnlyTheLeader(event, end));
    if (record !== undefined) this.#say(event, record);
    else {
      this.#unansweredEnds.set(event.tid, event);
      this.#sink(event);
    }
  }

  #takeExit(record: ExitRecord): void {
    const event = this.#unansweredEnds.get(record.tid);
    const isSame = event !== undefined && this.#isAfter(record.at, event.at) && !isOnlyTheLeader(event, record);
    if (isSame) this.#sayLate(event, record);
    else this.#ends.add(record);
  }

  /** @returns true when nothing more can be said about the record */
  #settleEnd(record: ExitRecord, isLate: boolean): boolean {
    // Had the tid been given out again before, its birth would have been taken and have cleared this.
    const event = this.#unansweredEnds.get(record.tid);
    if (event !== undefined && event.at - this.#clock.monotonicErrorNs <= record.at) {
      if (isOnlyTheLeader(event, record)) return isLate;
      this.#sayLate(event, record);
      return true;
    }
    if (isLate && this.#wasLost(record.at)) this.#sink(exitOf(record));
    return isLate;
  }

  #sayLate(event: ExitEvent, record: ExitRecord): void {
    this.#unansweredEnds.delete(event.tid);
    this.#say(event, record);
  }

  #endProcess({ at, isGroupDead }: ExitEvent, { tid, pid, parentPid }: ExitRecord): void {
    if (tid === pid && this.#processes.isFosterParent(pid, parentPid, at)) {
      this.#sink(fosterParentOf(pid, parentPid, at));
    }
    if (isGroupDead ?? tid === pid) this.#processes.end(pid, at);
  }

  #say(event: ExitEvent, record: ExitRecord): void {
    const { tid, pid } = record;
    const { isGroupDead } = event;
    const exit = { ...event, pid, ...statusOf(record.status) };
    this.#endProcess(event, record);
    if (isGroupDead === undefined) {
      for (const each of this.#groups.end(exit, pid)) this.#sink(each);
      return;
    }
    this.#sink(exit);
    // The status of a process is that of its last thread.
    if (isGroupDead && tid !== pid) this.#sink({ ...exit, tid: pid, comm: undefined });
  }

  // --- credentials ---

  #takeCredentials(event: CredentialsEvent): void {
    if (this.#credentials.length < MAX_CREDENTIALS) this.#credentials.push(event);
    else this.#left++;
  }

  /** They take their place among the events of tracefs by their time. */
  #sayCredentials(until: number): void {
    const later = this.#credentials.findIndex(({ at }) => at > until);
    for (const event of this.#credentials.splice(0, later < 0 ? this.#credentials.length : later)) {
      this.#sink({ ...event, at: this.#processes.within(event.pid, event.at, this.#clock.monotonicErrorNs) });
    }
  }

  // --- what tracefs lost ---

  /** The task does something at `at`: what is known of it from before, and tracefs has not said, it has lost. */
  #catchUp(tid: number, at: EventNs): void {
    if (!this.#births.has(tid) && !this.#ends.has(tid)) return;
    const error = this.#clock.monotonicErrorNs;
    const lost = [...this.#births.takeAll(tid, at + error), ...this.#ends.takeAll(tid, at - error)];
    for (const record of lost.sort((a, b) => a.at - b.at)) {
      if (record.what === 'fork') this.#sayBirth(record);
      else this.#settleEnd(record, true);
    }
  }

  #sayBirth(record: ForkRecord): void {
    const { tid, pid, at, parentPid } = record;
    if (tid === pid) this.#processes.begin(pid, at, parentPid);
    this.#sink(birthOf(record));
  }

  #takeGap(event: GapEvent): void {
    let { from, to } = event;
    // They come in the order of their ends.
    for (let last = this.#gaps.at(-1); last !== undefined && last.to >= from; last = this.#gaps.at(-1)) {
      [from, to] = [Math.min(from, last.from) as EventNs, Math.max(to, last.to) as EventNs];
      this.#gaps.pop();
    }
    this.#gaps.push({ from, to });
    if (this.#gaps.length > MAX_GAPS) this.#gaps.shift();
  }

  /** Has tracefs lost events at that time? If not, the record that nobody confirms is counted. */
  #wasLost(at: EventNs): boolean {
    const error = this.#clock.monotonicErrorNs;
    if (this.#gaps.some(({ from, to }) => from - error <= at && at <= to + error)) return true;
    if (at >= this.#tracedFrom && at < this.#tracedUntil) this.#left++;
    return false;
  }

  /** Is `later` after `earlier`, but not so long that it may be of another life? */
  #isAfter(later: EventNs, earlier: EventNs): boolean {
    return later >= earlier - this.#clock.monotonicErrorNs && later - earlier < SAME_NS;
  }
}

/**
 * Is this the end of a leader while its process goes on? Its status is not that of the process. And its
 * message can be missing: when another thread has meanwhile called exec, it bears the tid of that one.
 */
function isOnlyTheLeader({ isGroupDead }: ExitEvent, { tid, pid }: ExitRecord): boolean {
  return isGroupDead === false && tid === pid;
}
