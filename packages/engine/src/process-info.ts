// What is true of a process as of a time.

import {
  AUTHORITY,
  type Authority,
  type EntityId,
  type EventNs,
  FIELDS,
  type FieldName,
  type FileInfo,
  justBefore,
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

const SAID_BY = {
  [AUTHORITY.event]: 'event',
  [AUTHORITY.sighting]: 'sighting',
  [AUTHORITY.inferred]: 'inferred',
} as const;

/** How something is known: an event said it, somebody looked (/proc, a tracer in passing), or it was concluded. */
export type KnownFrom = (typeof SAID_BY)[Authority];

/**
 * An answer of the data source. Everything but the two lists is taken down at once. The lists can be long, and nobody
 * needs those of every ancestor of a process: they are looked up when they are read, which has to be before the tree
 * takes in the next event.
 */
export class ProcessInfo {
  readonly taskId: TaskId;
  readonly entityId: EntityId;
  readonly pid: number;
  /** The same ids inside of its pid namespace, and the inode of that. */
  readonly nsTid: number | undefined;
  readonly nsPid: number | undefined;
  readonly pidNs: number | undefined;
  /** 0 where it has no parent or none is known. */
  readonly ppid: number;
  /** The parent's pid inside of the parent's own pid namespace. */
  readonly nsPpid: number | undefined;
  readonly parentTaskId: TaskId | undefined;
  readonly parentEntityId: EntityId | undefined;
  /** Since when it has that parent, or no parent; undefined where nobody has said which. */
  readonly parentSince: EventNs | undefined;
  readonly parentSource: KnownFrom | undefined;
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
  /** Effective ids: whose rights it has. */
  readonly euid: number | undefined;
  readonly egid: number | undefined;
  readonly startTime: EventNs;
  /** Of the last exec by then; undefined where it runs what its creator ran. */
  readonly execTime: EventNs | undefined;
  /** Undefined while it had not ended. */
  readonly exitTime: EventNs | undefined;
  readonly exitCode: number | undefined;
  readonly signal: number | undefined;
  readonly isAlive: boolean;
  readonly isPlaceholder: boolean;
  /** Out of memory but for what others read through it: an ancestor in a lineage can be. */
  readonly isEvicted: boolean;
  /** Fields whose value of that time is no longer kept: they read as not known. Nearly always none. */
  readonly trimmed: readonly FieldName[];
  /** Who said that it exists. */
  readonly source: KnownFrom;
  readonly #tree: TemporalTree;
  readonly #time: EventNs;

  /** @param parent as of the time: what the tree was asked for last */
  constructor(tree: TemporalTree, process: TaskIndex, time: EventNs, parent: TaskIndex) {
    const parentAuthority = tree.lastParentAuthority;
    const parentSince = tree.lastParentSince;
    const values = tree.valuesAt(process, time);
    const start = tree.startOf(process);
    const exit = tree.exitOf(process);
    const hasEnded = exit <= time;
    this.taskId = tree.taskIdOf(process);
    this.entityId = tree.entityIdOf(process);
    this.pid = tree.pidOf(process);
    this.nsTid = values[FIELDS.nsTid.id] as number | undefined;
    this.nsPid = values[FIELDS.nsPid.id] as number | undefined;
    this.pidNs = values[FIELDS.pidNs.id] as number | undefined;
    this.ppid = parent === NO_TASK ? 0 : tree.pidOf(parent);
    this.nsPpid = parent === NO_TASK ? undefined : tree.numberAt(parent, 'nsPid', time);
    this.parentTaskId = parent === NO_TASK ? undefined : tree.taskIdOf(parent);
    this.parentEntityId = parent === NO_TASK ? undefined : tree.entityIdOf(parent);
    this.parentSince = parentAuthority === undefined ? undefined : parentSinceAt(tree, process, parent, parentSince);
    this.parentSource = parentAuthority === undefined ? undefined : SAID_BY[parentAuthority];
    this.comm = values[FIELDS.comm.id] as string | undefined;
    this.cmd = values[FIELDS.argv.id] as readonly string[] | undefined;
    this.executionBinary = values[FIELDS.executable.id] as FileInfo | undefined;
    this.interpreter = values[FIELDS.interpreter.id] as FileInfo | undefined;
    this.interp = values[FIELDS.interp.id] as string | undefined;
    this.cwd = values[FIELDS.cwd.id] as string | undefined;
    this.containerId = values[FIELDS.container.id] as string | undefined;
    this.uid = values[FIELDS.uid.id] as number | undefined;
    this.gid = values[FIELDS.gid.id] as number | undefined;
    this.euid = values[FIELDS.euid.id] as number | undefined;
    this.egid = values[FIELDS.egid.id] as number | undefined;
    this.startTime = start;
    this.execTime = tree.execTimeAt(process, time);
    this.exitTime = hasEnded ? exit : undefined;
    this.exitCode = hasEnded ? tree.exitCodeOf(process) : undefined;
    this.signal = hasEnded ? tree.exitSignalOf(process) : undefined;
    this.isAlive = start <= time && time <= exit;
    this.isPlaceholder = tree.isPlaceholder(process);
    this.isEvicted = tree.isStub(process);
    this.trimmed = tree.trimmedAt(process, time);
    this.source = SAID_BY[tree.authorityOf(process)];
    this.#tree = tree;
    this.#time = time;
  }

  /** Living threads, the leader first. Once the process has been evicted, only who is still kept. */
  get threadIds(): readonly RelatedTask[] {
    const process = this.#tree.indexOf(this.taskId);
    return process === NO_TASK ? [] : related(this.#tree, livingThreads(this.#tree, process, this.#time));
  }

  /** Living children, in no order. Once the process has been evicted, only who is still kept. */
  get childProcessIds(): readonly RelatedTask[] {
    const process = this.#tree.indexOf(this.taskId);
    return process === NO_TASK ? [] : related(this.#tree, livingChildren(this.#tree, process, this.#time));
  }
}

/** A parent that was seen is so from before the sighting on, as far back as it is read [PA2]. */
function parentSinceAt(
  tree: TemporalTree,
  process: TaskIndex,
  parent: TaskIndex,
  since: EventNs | undefined,
): EventNs | undefined {
  if (since === undefined || since <= tree.startOf(process)) return since;
  return tree.parentAt(process, justBefore(since)) === parent ? tree.lastParentSince : since;
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
