// What detectors and programs ask of the tree: the data source
// `("dendro", "process_tree")`. Keys and answers are those of Tracee's data
// source of that name, so that what was written for one reads the other; each
// answer carries the time that it is true of.
//
// Nothing that came after that time is in an answer.

import { type EntityId, type EventNs, FIELDS, type FieldName, type TaskId } from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { type LineageEnd, lineageEnd } from './lineage-end.ts';
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
  /** The same ids inside of its pid namespace, and the inode of that. */
  readonly nsTid: number | undefined;
  readonly nsPid: number | undefined;
  readonly pidNs: number | undefined;
  readonly pid: number;
  readonly processTaskId: TaskId | undefined;
  readonly processEntityId: EntityId | undefined;
  readonly name: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly euid: number | undefined;
  readonly egid: number | undefined;
  readonly startTime: EventNs;
  readonly exitTime: EventNs | undefined;
  readonly exitCode: number | undefined;
  readonly signal: number | undefined;
  readonly isAlive: boolean;
  readonly isPlaceholder: boolean;
  /** As of a process. */
  readonly trimmed: readonly FieldName[];
}

export interface ProcessLineage {
  /** The process at the time of the key, then each parent at the start of its child. */
  readonly ancestors: readonly TimeRelevant<ProcessInfo>[];
  /**
   * Why there are no more: the last one has no parent (`root`), nobody has said who its parent is (`unknown`), the depth
   * was reached, that went when the last one was evicted, or it is no longer kept who was the parent then (`trimmed`).
   */
  readonly end: LineageEnd | 'depth';
}

export interface Answers {
  readonly ProcKey: { readonly process_info: TimeRelevant<ProcessInfo> };
  readonly ThreadKey: { readonly thread_info: TimeRelevant<ThreadInfo> };
  readonly LineageKey: { readonly process_lineage: TimeRelevant<ProcessLineage> };
}

const KEYS = ['ProcKey', 'ThreadKey', 'LineageKey'] as const;

/** What is asked: a tree, and who is meant in it. */
export type ResolvingTree = Pick<ProcessTree, 'tree' | 'resolve'>;

export class ProcessTreeDataSource {
  readonly namespace = 'dendro';
  readonly id = 'process_tree';
  readonly #host: ResolvingTree;
  readonly #tree: TemporalTree;

  constructor(host: ResolvingTree) {
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

  /** Living processes whose parent it was at the time; none of one that is not known. @throws AmbiguousTaskError */
  getChildren(task: TaskRef, time: EventNs): TimeRelevant<ProcessInfo>[] {
    const process = this.#processIfKnown(task, time);
    if (process === NO_TASK) return [];
    return livingChildren(this.#tree, process, time).map((child) => this.#processAt(child, time));
  }

  /** Living threads at the time, the leader first; none of one that is not known. @throws AmbiguousTaskError */
  getThreads(task: TaskRef, time: EventNs): TimeRelevant<ThreadInfo>[] {
    const process = this.#processIfKnown(task, time);
    if (process === NO_TASK) return [];
    return livingThreads(this.#tree, process, time).map((thread) => this.#threadAt(thread, time));
  }

  /**
   * The process and its ancestors, as in `process_lineage`. As in Tracee's store of this name, and other than in a
   * `LineageKey`, `maxDepth` counts the process itself: 1 gives it alone, 0 nothing. Nothing either of one that is not
   * known. @throws AmbiguousTaskError
   */
  getAncestry(task: TaskRef, time: EventNs, maxDepth: number): readonly TimeRelevant<ProcessInfo>[] {
    const process = maxDepth >= 1 ? this.#processIfKnown(task, time) : NO_TASK;
    return process === NO_TASK ? [] : this.#lineageAt(process, time, maxDepth - 1).ancestors;
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

  /** As `#process`; NO_TASK where there is none. @throws AmbiguousTaskError */
  #processIfKnown(ref: TaskRef, time: EventNs): TaskIndex {
    try {
      return this.#process(ref, time);
    } catch (error) {
      if (error instanceof DataNotFoundError) return NO_TASK;
      throw error;
    }
  }

  #processAt(process: TaskIndex, time: EventNs): TimeRelevant<ProcessInfo> {
    return { timestamp: time, info: new ProcessInfo(this.#tree, process, time, this.#tree.parentAt(process, time)) };
  }

  #threadAt(task: TaskIndex, time: EventNs): TimeRelevant<ThreadInfo> {
    const tree = this.#tree;
    const values = tree.valuesAt(task, time);
    const leader = tree.leaderOf(task);
    const exit = tree.exitOf(task);
    const hasEnded = exit <= time;
    const info: ThreadInfo = {
      taskId: tree.taskIdOf(task),
      entityId: tree.entityIdOf(task),
      tid: tree.tidOf(task),
      nsTid: values[FIELDS.nsTid.id] as number | undefined,
      nsPid: values[FIELDS.nsPid.id] as number | undefined,
      pidNs: values[FIELDS.pidNs.id] as number | undefined,
      pid: tree.pidOf(task),
      processTaskId: leader === NO_TASK ? undefined : tree.taskIdOf(leader),
      processEntityId: leader === NO_TASK ? undefined : tree.entityIdOf(leader),
      name: values[FIELDS.comm.id] as string | undefined,
      uid: values[FIELDS.uid.id] as number | undefined,
      gid: values[FIELDS.gid.id] as number | undefined,
      euid: values[FIELDS.euid.id] as number | undefined,
      egid: values[FIELDS.egid.id] as number | undefined,
      startTime: tree.startOf(task),
      exitTime: hasEnded ? exit : undefined,
      exitCode: hasEnded ? tree.exitCodeOf(task) : undefined,
      signal: hasEnded ? tree.exitSignalOf(task) : undefined,
      isAlive: tree.isAliveAt(task, time),
      isPlaceholder: tree.isPlaceholder(task),
      trimmed: tree.trimmedAt(task, time),
    };
    return { timestamp: time, info };
  }

  #lineageAt(process: TaskIndex, time: EventNs, maxDepth: number): ProcessLineage {
    const tree = this.#tree;
    const ancestors: TimeRelevant<ProcessInfo>[] = [];
    const seen = new Visited();
    let child = process;
    let at = time;
    for (let depth = 0; ; depth++) {
      let parent = tree.parentAt(child, at);
      const info = new ProcessInfo(tree, child, at, parent);
      ancestors.push({ timestamp: at, info });
      at = Math.min(at, info.startTime) as EventNs;
      // Nearly always it has had one parent from its start on, and nobody needs to look again.
      const isSame = info.parentSource === 'event' && info.parentSince !== undefined && info.parentSince <= at;
      if (!isSame) parent = tree.parentAt(child, at);
      if (parent === NO_TASK) return { ancestors, end: lineageEnd(tree, child, at) };
      seen.add(child);
      if (seen.has(parent)) return { ancestors, end: 'unknown' }; // a ring: what was said of it cannot be [AS8]
      if (depth >= maxDepth) return { ancestors, end: 'depth' };
      child = parent;
    }
  }
}

/** Tasks that were passed on the way up: few as a rule, then a list is faster than a set. */
class Visited {
  readonly #few: TaskIndex[] = [];
  #many: Set<TaskIndex> | undefined;

  has(task: TaskIndex): boolean {
    return this.#many?.has(task) ?? this.#few.includes(task);
  }

  add(task: TaskIndex): void {
    if (this.#many !== undefined) this.#many.add(task);
    else if (this.#few.push(task) > 16) this.#many = new Set(this.#few);
  }
}
