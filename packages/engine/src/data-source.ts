// What detectors and programs ask of the tree: the data source
// `("dendro", "process_tree")`. Keys and answers are those of Tracee's data
// source of that name, so that what was written for one reads the other; each
// answer carries the time that it is true of.
//
// Nothing that came after that time is in an answer.

import type { EntityId, EventNs, TaskId } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { livingChildren, livingThreads, ProcessInfo } from './process-info.ts';
import type { ProcessTree } from './process-tree.ts';
import { DataNotFoundError, KeyNotSupportedError, type TaskRef } from './task-ref.ts';
import type { TemporalTree } from './temporal-tree.ts';

export interface ProcKey {
  readonly kind: 'ProcKey';
  readonly task: TaskRef;
  readonly time: EventNs;
}

export interface ThreadKey {
  readonly kind: 'ThreadKey';
  readonly task: TaskRef;
  readonly time: EventNs;
}

export interface LineageKey {
  readonly kind: 'LineageKey';
  readonly task: TaskRef;
  readonly time: EventNs;
  /** Ancestors at most, the process itself not counted. */
  readonly maxDepth: number;
}

export type TreeKey = ProcKey | ThreadKey | LineageKey;

/** An answer and the time that it is true of. */
export interface TimeRelevant<T> {
  readonly timestamp: EventNs;
  readonly info: T;
}

export interface ThreadInfo {
  readonly taskId: TaskId;
  readonly entityId: EntityId;
  readonly tid: number;
  readonly nsTid: number | undefined;
  readonly pid: number;
  readonly processTaskId: TaskId | undefined;
  readonly processEntityId: EntityId | undefined;
  readonly name: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly startTime: EventNs;
  readonly exitTime: EventNs | undefined;
  readonly exitCode: number | undefined;
  readonly signal: number | undefined;
  readonly isAlive: boolean;
  readonly isPlaceholder: boolean;
}

export interface ProcessLineage {
  /** The process at the time of the key, then each parent at the start of its child. */
  readonly ancestors: readonly TimeRelevant<ProcessInfo>[];
  /**
   * Why there are no more: it has no parent (`root`), the depth was reached, the next one has been evicted, or it is
   * no longer kept who was the parent then (`trimmed`).
   */
  readonly end: 'root' | 'depth' | 'evicted' | 'trimmed';
}

export interface Answers {
  readonly ProcKey: { readonly process_info: TimeRelevant<ProcessInfo> };
  readonly ThreadKey: { readonly thread_info: TimeRelevant<ThreadInfo> };
  readonly LineageKey: { readonly process_lineage: TimeRelevant<ProcessLineage> };
}

const KEYS = ['ProcKey', 'ThreadKey', 'LineageKey'] as const;

export class ProcessTreeDataSource {
  readonly namespace = 'dendro';
  readonly id = 'process_tree';
  readonly #host: ProcessTree;
  readonly #tree: TemporalTree;

  constructor(host: ProcessTree) {
    this.#host = host;
    this.#tree = host.tree;
  }

  keys(): readonly TreeKey['kind'][] {
    return KEYS;
  }

  /** JSON: the name of each answer and its type. */
  schema(): string {
    return JSON.stringify({
      process_info: 'TimeRelevant<ProcessInfo>',
      thread_info: 'TimeRelevant<ThreadInfo>',
      process_lineage: 'TimeRelevant<ProcessLineage>',
    });
  }

  version(): number {
    return 1;
  }

  /**
   * @throws DataNotFoundError, AmbiguousTaskError, and KeyNotSupportedError for what is none of `keys()`
   */
  get<K extends TreeKey>(key: K): Answers[K['kind']] {
    return this.#answer(key) as Answers[K['kind']];
  }

  /** Living processes whose parent it was at the time. @throws as `get` */
  getChildren(task: TaskRef, time: EventNs): TimeRelevant<ProcessInfo>[] {
    const children = livingChildren(this.#tree, this.#process(task, time), time);
    return children.map((child) => this.#processAt(child, time));
  }

  /** Living threads at the time, the leader first. @throws as `get` */
  getThreads(task: TaskRef, time: EventNs): TimeRelevant<ThreadInfo>[] {
    const threads = livingThreads(this.#tree, this.#process(task, time), time);
    return threads.map((thread) => this.#threadAt(thread, time));
  }

  /** As `process_lineage`, without its envelope. @throws as `get` */
  getAncestry(task: TaskRef, time: EventNs, maxDepth: number): readonly TimeRelevant<ProcessInfo>[] {
    return this.#lineageAt(this.#process(task, time), time, maxDepth).ancestors;
  }

  #answer(key: TreeKey): Answers[TreeKey['kind']] {
    switch (key.kind) {
      case 'ProcKey':
        return { process_info: this.#processAt(this.#process(key.task, key.time), key.time) };
      case 'ThreadKey':
        return { thread_info: this.#threadAt(this.#host.resolve(key.task, key.time), key.time) };
      case 'LineageKey': {
        const info = this.#lineageAt(this.#process(key.task, key.time), key.time, key.maxDepth);
        return { process_lineage: { timestamp: key.time, info } };
      }
      default:
        throw new KeyNotSupportedError();
    }
  }

  /** The process that is meant; that of a thread when a thread is. */
  #process(ref: TaskRef, time: EventNs): TaskIndex {
    const task = this.#host.resolve(ref, time);
    const leader = this.#tree.isThread(task) ? this.#tree.leaderOf(task) : task;
    if (leader === NO_TASK) throw new DataNotFoundError();
    return leader;
  }

  #processAt(process: TaskIndex, time: EventNs): TimeRelevant<ProcessInfo> {
    return { timestamp: time, info: new ProcessInfo(this.#tree, process, time) };
  }

  #threadAt(task: TaskIndex, time: EventNs): TimeRelevant<ThreadInfo> {
    const tree = this.#tree;
    const leader = tree.leaderOf(task);
    const exit = tree.exitOf(task);
    const hasEnded = exit <= time;
    const info: ThreadInfo = {
      taskId: tree.taskIdOf(task),
      entityId: tree.entityIdOf(task),
      tid: tree.tidOf(task),
      nsTid: tree.numberAt(task, 'nsTid', time),
      pid: tree.pidOf(task),
      processTaskId: leader === NO_TASK ? undefined : tree.taskIdOf(leader),
      processEntityId: leader === NO_TASK ? undefined : tree.entityIdOf(leader),
      name: tree.textAt(task, 'comm', time),
      uid: tree.numberAt(task, 'uid', time),
      gid: tree.numberAt(task, 'gid', time),
      startTime: tree.startOf(task),
      exitTime: hasEnded ? exit : undefined,
      exitCode: hasEnded ? tree.exitCodeOf(task) : undefined,
      signal: hasEnded ? tree.exitSignalOf(task) : undefined,
      isAlive: tree.isAliveAt(task, time),
      isPlaceholder: tree.isPlaceholder(task),
    };
    return { timestamp: time, info };
  }

  #lineageAt(process: TaskIndex, time: EventNs, maxDepth: number): ProcessLineage {
    const ancestors = [this.#processAt(process, time)];
    const seen = new Visited(process);
    let child = process;
    let at = time;
    for (let depth = 0; ; depth++) {
      at = Math.min(at, this.#tree.startOf(child)) as EventNs;
      const parent = this.#tree.parentAt(child, at);
      if (parent === NO_TASK || seen.has(parent)) return { ancestors, end: this.#endAt(child, at) };
      if (depth >= maxDepth) return { ancestors, end: 'depth' };
      ancestors.push(this.#processAt(parent, at));
      seen.add(parent);
      child = parent;
    }
  }

  #endAt(oldest: TaskIndex, at: EventNs): ProcessLineage['end'] {
    if (this.#tree.isStub(oldest)) return 'evicted';
    return this.#tree.isTrimmedAt(oldest, 'parent', at) ? 'trimmed' : 'root';
  }
}

/** Tasks that were passed on the way up: few as a rule, then a list is faster than a set. */
class Visited {
  readonly #few: TaskIndex[];
  #many: Set<TaskIndex> | undefined;

  constructor(first: TaskIndex) {
    this.#few = [first];
  }

  has(task: TaskIndex): boolean {
    return this.#many?.has(task) ?? this.#few.includes(task);
  }

  add(task: TaskIndex): void {
    if (this.#many !== undefined) this.#many.add(task);
    else if (this.#few.push(task) > 16) this.#many = new Set(this.#few);
  }
}
