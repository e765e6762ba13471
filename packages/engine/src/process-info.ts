// What is true of a process as of a time.

import {
  AUTHORITY,
  type EntityId,
  type EventNs,
  FIELDS,
  type FieldName,
  type FileInfo,
  type TaskId,
} from '@dendro/protocol';
import { NO_TASK, type TaskIndex } from './ids.ts';
import type { TemporalTree } from './temporal-tree.ts';

export interface RelatedTask {
  readonly tid: number;
  readonly taskId: TaskId;
  /** As Tracee names it. It collides: `taskId` does not. */
  readonly entityId: EntityId;
}

const SOURCES = {
  [AUTHORITY.event]: 'event',
  [AUTHORITY.sighting]: 'sighting',
  [AUTHORITY.inferred]: 'inferred',
} as const;

/**
 * An answer of the data source. Everything but the two lists is taken down at once. The lists can be long, and nobody
 * needs those of every ancestor of a process: they are looked up when they are read, which has to be before the tree
 * takes in the next event.
 */
export class ProcessInfo {
  readonly taskId: TaskId;
  readonly entityId: EntityId;
  readonly pid: number;
  readonly nsPid: number | undefined;
  /** 0 where it has no parent or none is known. */
  readonly ppid: number;
  readonly parentTaskId: TaskId | undefined;
  readonly parentEntityId: EntityId | undefined;
  readonly comm: string | undefined;
  readonly cmd: readonly string[] | undefined;
  readonly executionBinary: FileInfo | undefined;
  /** The ELF loader. */
  readonly interpreter: FileInfo | undefined;
  /** What interprets a script; the program itself where it is none. */
  readonly interp: string | undefined;
  readonly cwd: string | undefined;
  readonly containerId: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly startTime: EventNs;
  /** Of the last exec by then; undefined where it runs what its creator ran. */
  readonly execTime: EventNs | undefined;
  /** Undefined while it had not ended. */
  readonly exitTime: EventNs | undefined;
  readonly exitCode: number | undefined;
  readonly signal: number | undefined;
  readonly isAlive: boolean;
  readonly isPlaceholder: boolean;
  /** Fields whose value of that time is no longer kept: they read as not known. Nearly always none. */
  readonly trimmed: readonly FieldName[];
  /** Who said that it exists. */
  readonly source: 'event' | 'sighting' | 'inferred';
  readonly #tree: TemporalTree;
  readonly #time: EventNs;

  constructor(tree: TemporalTree, process: TaskIndex, time: EventNs) {
    const values = tree.valuesAt(process, time);
    const parent = tree.parentAt(process, time);
    const exit = tree.exitOf(process);
    const hasEnded = exit <= time;
    this.taskId = tree.taskIdOf(process);
    this.entityId = tree.entityIdOf(process);
    this.pid = tree.pidOf(process);
    this.nsPid = values[FIELDS.nsPid.id] as number | undefined;
    this.ppid = parent === NO_TASK ? 0 : tree.pidOf(parent);
    this.parentTaskId = parent === NO_TASK ? undefined : tree.taskIdOf(parent);
    this.parentEntityId = parent === NO_TASK ? undefined : tree.entityIdOf(parent);
    this.comm = values[FIELDS.comm.id] as string | undefined;
    this.cmd = values[FIELDS.argv.id] as readonly string[] | undefined;
    this.executionBinary = values[FIELDS.executable.id] as FileInfo | undefined;
    this.interpreter = values[FIELDS.interpreter.id] as FileInfo | undefined;
    this.interp = values[FIELDS.interp.id] as string | undefined;
    this.cwd = values[FIELDS.cwd.id] as string | undefined;
    this.containerId = values[FIELDS.container.id] as string | undefined;
    this.uid = values[FIELDS.uid.id] as number | undefined;
    this.gid = values[FIELDS.gid.id] as number | undefined;
    this.startTime = tree.startOf(process);
    this.execTime = tree.execTimeAt(process, time);
    this.exitTime = hasEnded ? exit : undefined;
    this.exitCode = hasEnded ? tree.exitCodeOf(process) : undefined;
    this.signal = hasEnded ? tree.exitSignalOf(process) : undefined;
    this.isAlive = tree.isAliveAt(process, time);
    this.isPlaceholder = tree.isPlaceholder(process);
    this.trimmed = tree.trimmedAt(process, time);
    this.source = SOURCES[tree.authorityOf(process)];
    this.#tree = tree;
    this.#time = time;
  }

  /** Living threads, the leader first. Empty once the process has been evicted. */
  get threadIds(): readonly RelatedTask[] {
    const process = this.#tree.indexOf(this.taskId);
    return process === NO_TASK ? [] : related(this.#tree, livingThreads(this.#tree, process, this.#time));
  }

  /** Living children, in no order. Empty once the process has been evicted. */
  get childProcessIds(): readonly RelatedTask[] {
    const process = this.#tree.indexOf(this.taskId);
    return process === NO_TASK ? [] : related(this.#tree, livingChildren(this.#tree, process, this.#time));
  }
}

/** The threads of a process that lived at a time, the leader first. */
export function livingThreads(tree: TemporalTree, process: TaskIndex, time: EventNs): TaskIndex[] {
  return [process, ...tree.threadsOf(process)].filter((thread) => tree.isAliveAt(thread, time));
}

/** The processes that lived at a time and had this parent then, in no order. */
export function livingChildren(tree: TemporalTree, process: TaskIndex, time: EventNs): TaskIndex[] {
  return tree.childrenAt(process, time).filter((child) => tree.isAliveAt(child, time));
}

function related(tree: TemporalTree, tasks: readonly TaskIndex[]): RelatedTask[] {
  return tasks.map((task) => ({
    tid: tree.tidOf(task),
    taskId: tree.taskIdOf(task),
    entityId: tree.entityIdOf(task),
  }));
}
