// What a record of the process connector says to the tree, where nobody else
// has said it.

import {
  AUTHORITY,
  type CredentialsEvent,
  type EventNs,
  type ExitEvent,
  type ReparentEvent,
  type TaskEvent,
} from '@dendro/protocol';
import type { HappeningRecord } from './feed.ts';
import { type ExecRecord, type ExitRecord, type ForkRecord, type IdsRecord, statusOf } from './messages.ts';
import { Recent } from './recent.ts';

/** A birth. Who forked is concluded from the parent, which is wrong with CLONE_PARENT; of a thread it is not known. */
export function birthOf({ at, tid, pid, parentTid, parentPid }: ForkRecord): TaskEvent {
  return tid === pid
    ? { type: 'fork', at, tid, pid, creatorTid: parentTid, creatorPid: parentPid, parentPid }
    : { type: 'observe', at, tid, pid, ppid: 0, start: at, startIsTick: false, authority: AUTHORITY.event };
}

/** An exec, of which neither program nor name is known. */
export function execOf({ at, pid }: ExecRecord): TaskEvent {
  return { type: 'exec', at, pid };
}

export function exitOf({ at, tid, pid, status }: ExitRecord): ExitEvent {
  return { type: 'exit', at, tid, pid, ...statusOf(status) };
}

/**
 * The parent at the end of a process, which is another than at its start. It counts as a sighting: since when
 * it holds is not said, and the tree knows that from the end of the parent before.
 */
export function fosterParentOf(pid: number, parentPid: number, at: EventNs): ReparentEvent {
  return { type: 'reparent', at, pid, parentPid, authority: AUTHORITY.sighting };
}

/** Undefined when a single thread has changed its ids, which the tree does not tell apart from its process. */
export function credentialsOf({ what, at, tid, pid, real, effective }: IdsRecord): CredentialsEvent | undefined {
  if (tid !== pid) return undefined;
  return what === 'uid'
    ? { type: 'credentials', at, pid, uid: real, euid: effective }
    : { type: 'credentials', at, pid, gid: real, egid: effective };
}

/** How many processes whose leader has ended are remembered. */
const MAX_LEFT = 32_768;

/**
 * The status of a process is that of its last thread [EN3], and the connector does not say which one that is. So while
 * the leader has ended before others, theirs is said to be the leader's: the last one stays.
 */
export class LeftGroups {
  readonly #pids = new Recent<true>(MAX_LEFT);

  /** The pid has begun anew, or its leader goes on as another thread. */
  forget(pid: number): void {
    this.#pids.delete(pid);
  }

  /** What to say of the end of one thread. */
  *end(exit: ExitEvent, pid: number): Generator<ExitEvent> {
    if (exit.tid === pid) this.#pids.set(pid, true);
    else if (this.#pids.get(pid)) yield { ...exit, tid: pid, pid };
    yield exit;
  }
}

/** Counts what happened but has no place among the facts, so that it does not vanish unsaid. */
export class Unkept {
  sessions = 0;
  tracers = 0;
  coredumps = 0;
  threadIds = 0;

  count(record: HappeningRecord): void {
    if (record.what === 'sid') this.sessions++;
    else if (record.what === 'ptrace') this.tracers++;
    else if (record.what === 'coredump') this.coredumps++;
    else if (record.what === 'uid' || record.what === 'gid') this.threadIds++;
  }

  /** One sentence, or nothing when nothing was counted. */
  *notices(): Generator<string> {
    const { sessions, tracers, coredumps, threadIds } = this;
    const parts = [
      `${sessions} new sessions`,
      `${tracers} starts and ends of tracing by a debugger`,
      `${coredumps} signals that dump core`,
      `${threadIds} changes of user or group by a single thread`,
    ].filter((part) => !part.startsWith('0 '));
    if (parts.length > 0) yield `Heard of and not kept: ${parts.join(', ')}.`;
  }
}
