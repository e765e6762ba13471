// Happenings of a host for tests, times in seconds. Short times would be too near each other: births less than 1 ms
// apart are one [ID8], a rename belongs to an exec up to 100 ms after it [EX2].

import {
  CLONE,
  type CredentialsEvent,
  type EventNs,
  type ExecEvent,
  type ExitEvent,
  type ForkEvent,
  type ObserveEvent,
  type RenameEvent,
  type ReparentEvent,
  type TaskEvent,
} from '@dendro/protocol';
import { ProcessTreeDataSource } from './data-source.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';
import type { ProcessInfo } from './process-info.ts';
import { ProcessTree, type ProcessTreeOptions } from './process-tree.ts';

export const EPOCH_NS = 1_700_000_000_000_000_000n;

export function seconds(n: number): EventNs {
  return Math.round(n * 1e9) as EventNs;
}

export function hostOf(events: readonly TaskEvent[], options?: ProcessTreeOptions): ProcessTree {
  const host = new ProcessTree(options);
  host.apply({ type: 'clock', epochNs: EPOCH_NS });
  for (const event of events) host.apply(event);
  return host;
}

export function fork(at: number, tid: number, creatorTid: number, more: Partial<ForkEvent> = {}): ForkEvent {
  return { type: 'fork', at: seconds(at), tid, creatorTid, ...more };
}

export function thread(at: number, tid: number, creatorTid: number, more: Partial<ForkEvent> = {}): ForkEvent {
  return fork(at, tid, creatorTid, { cloneFlags: CLONE.thread, ...more });
}

export function exec(at: number, pid: number, more: Partial<ExecEvent> = {}): ExecEvent {
  return { type: 'exec', at: seconds(at), pid, oldTid: pid, ...more };
}

/** The end of the whole process, if nothing else is said. */
export function exit(at: number, tid: number, more: Partial<ExitEvent> = {}): ExitEvent {
  return { type: 'exit', at: seconds(at), tid, isGroupDead: true, ...more };
}

export function rename(at: number, tid: number, comm: string): RenameEvent {
  return { type: 'rename', at: seconds(at), tid, comm };
}

export function credentials(at: number, pid: number, more: Partial<CredentialsEvent>): CredentialsEvent {
  return { type: 'credentials', at: seconds(at), pid, ...more };
}

export function reparent(at: number, pid: number, parentPid: number, more: Partial<ReparentEvent> = {}): ReparentEvent {
  return { type: 'reparent', at: seconds(at), pid, parentPid, ...more };
}

/** A process seen in /proc; without a parent, if nothing else is said. */
export function observe(at: number, pid: number, start: number, more: Partial<ObserveEvent> = {}): ObserveEvent {
  return {
    type: 'observe',
    at: seconds(at),
    tid: pid,
    pid,
    ppid: 0,
    start: seconds(start),
    startIsTick: true,
    ...more,
  };
}

/** Init, seen when the tree began. */
export const INIT = observe(0, 1, -100, { comm: 'init' });

/** The lives that a tid has had, oldest first. */
export function livesOf({ tree }: ProcessTree, tid: number): TaskIndex[] {
  const lives: TaskIndex[] = [];
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (tree.isPresent(task) && tree.tidOf(task) === tid) lives.push(task);
  }
  return lives.sort((a, b) => tree.startOf(a) - tree.startOf(b));
}

export function infoAt(host: ProcessTree, pid: number, at: number): ProcessInfo {
  const source = new ProcessTreeDataSource(host);
  return source.get({ kind: 'ProcKey', task: { pid }, time: seconds(at) }).process_info.info;
}

/** All of an answer, its two lists too, which an answer by itself looks up only when they are read. */
export function allOf(info: ProcessInfo): object {
  const byTid = (list: ProcessInfo['threadIds']) => list.toSorted((a, b) => a.tid - b.tid);
  return { ...info, threadIds: byTid(info.threadIds), childProcessIds: byTid(info.childProcessIds) };
}

/** What a tree says of every task that is in it, as of each of the times. */
export function everythingOf(host: ProcessTree, times: readonly number[]): object {
  const source = new ProcessTreeDataSource(host);
  const { tree } = host;
  const answers: Record<string, object> = {};
  for (let slot = 0; slot < tree.slotCount; slot++) {
    const task = slot as TaskIndex;
    if (!tree.isPresent(task)) continue;
    const ref = { taskId: tree.taskIdOf(task) };
    for (const time of times.map(seconds)) {
      if (time < tree.startOf(task) || tree.leaderOf(task) === NO_TASK) continue;
      const { thread_info } = source.get({ kind: 'ThreadKey', task: ref, time });
      const lineage = tree.isThread(task) ? [] : source.getAncestry(ref, time, 100);
      answers[`${tree.tidOf(task)} (${ref.taskId}) at ${time}`] = [
        thread_info.info,
        lineage.map(({ timestamp, info }) => [timestamp, allOf(info)]),
      ];
    }
  }
  return answers;
}

/** Every order of a few things. */
export function permutations<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]];
  return list.flatMap((first, i) => permutations(list.toSpliced(i, 1)).map((rest) => [first, ...rest]));
}
