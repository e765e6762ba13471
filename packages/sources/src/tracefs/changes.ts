// Changes of which the kernel tells that they happened, and when, but not what
// came of them. That is read in /proc a moment later and holds since the change.
//
// What was read belongs to the last change before it. Which one that was is
// known when all records from before the reading have been taken. When records
// were lost meanwhile, it is never known.

import { assertNever, type EventNs, type TaskEvent } from '@dendro/protocol';
import type { EventSink } from '../source.ts';
import type { ChangeReader, ChangeReading } from './change-reader.ts';
import type { IdName } from './kernel-events.ts';

export type ChangeKind = 'container' | IdName | `e${IdName}`;

export interface ChangesOptions {
  readonly sink: EventSink;
  readonly reader: ChangeReader;
  /** How many records have been lost so far. */
  readonly lost: () => number;
}

interface Change {
  readonly at: EventNs;
  readonly lost: number;
}

/** Longer than reading one process takes. */
const READING_NS = 10_000_000;
/** What has not been read by then never will be, even where the budget for reading was spent. */
const MAX_WAIT_NS = 15_000_000_000;
const MAX_WAITING = 1024;

export class Changes {
  /** Changes of which it was not read in time what came of them. */
  missed = 0;
  readonly #sink: EventSink;
  readonly #reader: ChangeReader;
  readonly #lost: () => number;
  // tid -> the last one
  readonly #waiting: Readonly<Record<ChangeKind, Map<number, Change>>> = {
    container: new Map(),
    uid: new Map(),
    gid: new Map(),
    euid: new Map(),
    egid: new Map(),
  };

  constructor({ sink, reader, lost }: ChangesOptions) {
    this.#sink = sink;
    this.#reader = reader;
    this.#lost = lost;
  }

  /** A change, in order of time. */
  note(kind: ChangeKind, tid: number, at: EventNs): void {
    const waiting = this.#waiting[kind];
    waiting.delete(tid);
    waiting.set(tid, { at, lost: this.#lost() });
    if (waiting.size > MAX_WAITING) {
      for (const oldest of waiting.keys()) {
        waiting.delete(oldest);
        break;
      }
      this.missed++;
    }
    this.#reader.noteChanged(tid);
  }

  /** A program can bring an effective user and group of its own: what is read from now on is not of the change. */
  takeExec(pid: number): void {
    this.#waiting.euid.delete(pid);
    this.#waiting.egid.delete(pid);
  }

  /**
   * Tells of those that have been read.
   * @param takenUntil every record up to this time has been taken
   */
  settle(takenUntil: EventNs): void {
    this.#settle('container', takenUntil);
    this.#settle('uid', takenUntil);
    this.#settle('gid', takenUntil);
    this.#settle('euid', takenUntil);
    this.#settle('egid', takenUntil);
  }

  #settle(kind: ChangeKind, takenUntil: EventNs): void {
    const waiting = this.#waiting[kind];
    for (const [pid, { at, lost }] of waiting) {
      const reading = this.#reader.lastReadingOf(pid);
      const isOfIt = reading !== undefined && reading.at >= at && reading.start <= at;
      if (isOfIt && reading.at + READING_NS <= takenUntil) {
        waiting.delete(pid);
        if (lost !== this.#lost()) this.missed++;
        else this.#sink(changeOf(kind, pid, at, reading));
      } else if (takenUntil - at > MAX_WAIT_NS) {
        waiting.delete(pid);
        this.missed++;
      }
    }
  }
}

function changeOf(
  kind: ChangeKind,
  pid: number,
  at: EventNs,
  { uid, gid, euid, egid, container }: ChangeReading,
): TaskEvent {
  switch (kind) {
    case 'container':
      return { type: 'container', at, tid: pid, pid, container };
    case 'uid':
      return { type: 'credentials', at, pid, uid };
    case 'gid':
      return { type: 'credentials', at, pid, gid };
    case 'euid':
      return { type: 'credentials', at, pid, euid };
    case 'egid':
      return { type: 'credentials', at, pid, egid };
    default:
      return assertNever(kind);
  }
}
