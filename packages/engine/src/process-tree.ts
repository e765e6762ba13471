// Single writer of a host's tree: gives identity to tasks, says what fork,
// exec, exit and sightings mean, bounds memory, and commits facts in batches.
// Rules with their numbers: SPEC.md.
//
// Events are expected nearly in time order; late and repeated ones are put
// where their time says.

import {
  AUTHORITY,
  type Authority,
  assertNever,
  CLONE,
  type CredentialsEvent,
  type EventNs,
  type ExecEvent,
  type ExitEvent,
  type FieldName,
  type FileInfo,
  type ForkEvent,
  type ObserveEvent,
  type RenameEvent,
  type ReparentEvent,
  type ScanEvent,
  TASK_FLAG,
  type TaskEvent,
  type TaskId,
  type TimeBase,
  toWireText,
  type Version,
} from '@dendro/protocol';
import { EnrichmentQueue, type EnrichmentRequest } from './enrichment-queue.ts';
import { EntityIds } from './entity-id.ts';
import { EntityIndex } from './entity-index.ts';
import { grown } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { Lives } from './lives.ts';
import { type Batch, Recorder } from './recorder.ts';
import { Residents } from './residents.ts';
import { AmbiguousTaskError, DataNotFoundError, type TaskRef } from './task-ref.ts';
import { NOT_KNOWN } from './task-table.ts';
import { TemporalTree } from './temporal-tree.ts';

export interface ProcessTreeOptions {
  /** Processes kept in memory, dead ones too. Default 16,384. */
  readonly maxProcesses?: number | undefined;
  /** Threads other than leaders kept in memory. Default 32,768. */
  readonly maxThreads?: number | undefined;
  /** Newest entries that the changelog of a field keeps. Default 64. */
  readonly entriesPerField?: number | undefined;
  /** Can /proc be asked about a task? Then `takeEnrichmentRequests` says which to ask about. Default false. */
  readonly canEnrich?: boolean | undefined;
}

export interface ProcessTreeCounts {
  /** Living processes, kernel threads included. */
  readonly processes: number;
  /** Living threads, leaders included. */
  readonly threads: number;
  /** Tasks in memory, dead ones too. */
  readonly tasks: number;
  readonly evicted: number;
  readonly gaps: number;
  /** Enrichment requests dropped because too many waited. */
  readonly enrichmentsDropped: number;
}

const INIT_PID = 1;

export class ProcessTree {
  /** For reading only. */
  readonly tree: TemporalTree;
  readonly #recorder: Recorder;
  readonly #lives: Lives;
  readonly #processes: Residents;
  readonly #threads: Residents;
  readonly #byEntity = new EntityIndex();
  readonly #enrichments: EnrichmentQueue | undefined;
  /** Leaders whose own thread is gone while others of their process go on, with the status they gave. */
  readonly #goneLeaders = new Map<TaskIndex, { readonly code: number; readonly signal: number }>();
  /** TaskIndex -> when an event or a sighting last said that it lives. */
  #seenAt = new Float64Array(1024);
  #base: TimeBase | undefined;
  #entityIds = new EntityIds({ epochNs: 0n });
  #newest = Number.NEGATIVE_INFINITY as EventNs;
  #nextTaskId = 1;
  #evicted = 0;

  constructor(options: ProcessTreeOptions = {}) {
    this.tree = new TemporalTree({ entriesPerField: options.entriesPerField });
    this.#recorder = new Recorder(this.tree);
    this.#lives = new Lives(this.tree);
    this.#processes = new Residents(options.maxProcesses ?? 16_384);
    this.#threads = new Residents(options.maxThreads ?? 32_768);
    this.#enrichments = options.canEnrich ? new EnrichmentQueue() : undefined;
  }

  /** Undefined before the first `clock` event. */
  get base(): TimeBase | undefined {
    return this.#base;
  }

  /** Time of the newest event, -Infinity before any. */
  get newest(): EventNs {
    return this.#newest;
  }

  get version(): Version {
    return this.#recorder.version;
  }

  /** Facts that wait for `commit`. */
  get pending(): number {
    return this.#recorder.pending;
  }

  get counts(): ProcessTreeCounts {
    return {
      processes: this.#processes.living,
      threads: this.#processes.living + this.#threads.living,
      tasks: this.tree.taskCount,
      evicted: this.#evicted,
      gaps: this.tree.gaps().length,
      enrichmentsDropped: this.#enrichments?.dropped ?? 0,
    };
  }

  /** Closes the batch of all facts since the last one. Undefined when nothing changed. */
  commit(): Batch | undefined {
    return this.#recorder.commit();
  }

  /** Up to `max` processes that /proc should be asked about, the most urgent first. */
  takeEnrichmentRequests(max: number): EnrichmentRequest[] {
    return this.#enrichments?.take(max) ?? [];
  }

  /**
   * The task that is meant, as of `time`.
   * @throws DataNotFoundError, AmbiguousTaskError
   */
  resolve(ref: TaskRef, time: EventNs): TaskIndex {
    if ('taskId' in ref) return this.#existing(this.tree.indexOf(ref.taskId), time);
    if ('pid' in ref) return this.#existing(this.#lives.lastBegunBy(ref.pid, time), time);
    const fitting = this.#byEntity.find(ref.entityId).filter((task) => this.tree.startOf(task) <= time);
    if (fitting.length > 1) throw new AmbiguousTaskError(fitting.map((task) => this.tree.taskIdOf(task)));
    return this.#existing(fitting[0] ?? NO_TASK, time);
  }

  // hot: runs once per event
  apply(event: TaskEvent): void {
    switch (event.type) {
      case 'fork':
        this.#applyFork(event);
        break;
      case 'exec':
        this.#applyExec(event);
        break;
      case 'exit':
        this.#applyExit(event);
        break;
      case 'rename':
        this.#applyRename(event);
        break;
      case 'observe':
        this.#applyObserve(event);
        break;
      case 'reparent':
        this.#applyReparent(event);
        break;
      case 'credentials':
        this.#applyCredentials(event);
        break;
      case 'scan':
        this.#applyScan(event);
        break;
      case 'gap':
        this.#recorder.gap(event.from, event.to, event.lost);
        this.#notice(event.to);
        return;
      case 'clock':
        this.#setBase(event.epochNs);
        return;
      default:
        assertNever(event);
    }
    this.#notice(event.at);
    this.#evictExcess();
  }

  #existing(task: TaskIndex, time: EventNs): TaskIndex {
    if (task === NO_TASK || !this.tree.isPresent(task) || this.tree.startOf(task) > time) throw new DataNotFoundError();
    return task;
  }

  // --- fork ---

  #applyFork(event: ForkEvent): void {
    const start = event.start ?? event.at;
    const creator = this.#lifeAt(event.creatorTid, event.at, event.creatorStart, event.creatorPid);
    const isThread = event.pid !== undefined ? event.pid !== event.tid : ((event.cloneFlags ?? 0) & CLONE.thread) !== 0;
    const creatorLeader = this.tree.leaderOf(creator);
    const leader = isThread ? this.#leaderOfBirth(event, creatorLeader) : NO_TASK;
    const task = this.#beginLife(event.tid, start);
    this.#announce(task, event.tid, leader, creator, start, isThread ? TASK_FLAG.thread : 0, AUTHORITY.event);
    const parent = isThread ? NO_TASK : this.#parentOfBirth(event, creatorLeader);
    if (!isThread) this.#recorder.parent(task, parent, start, AUTHORITY.event);
    if (event.comm !== undefined && event.comm !== this.tree.textAt(task, 'comm', start)) {
      this.#recorder.text(task, 'comm', start, AUTHORITY.event, toWireText('string', event.comm));
    }
    this.#setNumber(task, 'nsTid', start, AUTHORITY.event, event.nsTid);
    this.#setNumber(task, 'nsPid', start, AUTHORITY.event, event.nsPid);
    this.#touch(creator, event.at);
    this.#touch(task, event.at);
    if (isThread) this.#settleLateThread(task, start);
    else if (parent !== NO_TASK) this.#settleLateChild(task, parent);
  }

  // What ended a thread may have been told already, before anybody knew of it.
  #settleLateThread(thread: TaskIndex, start: EventNs): void {
    const { tree } = this;
    const leader = tree.leaderOf(thread);
    const exec = tree.nextSinceAfter(leader, 'argv', start) ?? Number.POSITIVE_INFINITY;
    const end = Math.min(tree.exitOf(leader), exec) as EventNs;
    if (end < tree.exitOf(thread)) this.#endLife(thread, end, AUTHORITY.inferred);
  }

  // The end of its parent may have been told already.
  #settleLateChild(child: TaskIndex, parent: TaskIndex): void {
    const orphanedAt = this.tree.exitOf(parent);
    if (orphanedAt < this.tree.exitOf(child)) this.#orphan(child, orphanedAt);
  }

  #leaderOfBirth(event: ForkEvent, creatorLeader: TaskIndex): TaskIndex {
    const { pid } = event;
    if (pid === undefined || (event.leaderStart === undefined && this.tree.tidOf(creatorLeader) === pid))
      return creatorLeader;
    return this.#lifeAt(pid, event.at, event.leaderStart, pid);
  }

  #parentOfBirth(event: ForkEvent, creatorLeader: TaskIndex): TaskIndex {
    if (event.parentPid !== undefined) {
      return event.parentPid === 0
        ? NO_TASK
        : this.#lifeAt(event.parentPid, event.at, event.parentStart, event.parentPid);
    }
    const isSibling = ((event.cloneFlags ?? 0) & CLONE.parent) !== 0;
    return isSibling ? this.tree.parentAt(creatorLeader, event.at) : creatorLeader;
  }

  /** The life of `tid` that began at `start`, made when nobody has mentioned it; whoever had the tid before has ended. */
  #beginLife(tid: number, start: EventNs): TaskIndex {
    const known = this.#lives.begunAt(tid, start);
    if (known !== NO_TASK) return known;
    const task = this.#newTask();
    if (this.#lives.isNew(tid)) {
      this.#lives.insert(tid, task, start);
      return task;
    }
    this.#lives.insert(tid, task, start);
    const before = this.#lives.olderOf(task);
    if (before !== NO_TASK && this.tree.exitOf(before) > start) this.#endTask(before, start);
    const after = this.#lives.newerOf(tid, task);
    if (after !== NO_TASK) this.#recorder.exit(task, this.tree.startOf(after), AUTHORITY.inferred);
    return task;
  }

  // --- exec ---

  #applyExec(event: ExecEvent): void {
    const { at } = event;
    const authority = event.authority ?? AUTHORITY.event;
    const process = this.#leaderAt(event.pid, at, event.start);
    this.#goneLeaders.delete(process);
    // The kernel has ended every other thread; the one that called exec goes on under the leader's tid.
    const { tree } = this;
    for (let thread = tree.firstThreadOf(process); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      if (!this.tree.isAliveAt(thread, at) || this.tree.exitOf(thread) <= at) continue;
      const isCaller = this.tree.tidOf(thread) === event.oldTid;
      this.#endLife(thread, at, isCaller ? authority : AUTHORITY.inferred);
    }
    if (event.comm !== undefined) this.#recorder.text(process, 'comm', at, authority, toWireText('string', event.comm));
    if (event.executable !== undefined) {
      this.#recorder.text(process, 'executable', at, authority, toWireText('file', event.executable));
    } else {
      // The path as it was passed: perhaps relative, perhaps a script.
      const path = event.filename === undefined ? undefined : toWireText('file', { path: event.filename });
      this.#recorder.text(process, 'executable', at, AUTHORITY.inferred, path);
    }
    // What the old image had says nothing about the new one, so these are set even where nothing is known.
    const argv = event.argv === undefined ? undefined : toWireText('strings', event.argv);
    this.#recorder.text(process, 'argv', at, argv === undefined ? AUTHORITY.inferred : authority, argv);
    this.#renewFile(process, 'interpreter', at, authority, event.interpreter);
    this.#renewText(process, 'interp', at, authority, event.interp);
    if (event.cwd !== undefined) this.#recorder.text(process, 'cwd', at, authority, toWireText('string', event.cwd));
    if (event.container !== undefined) {
      this.#recorder.text(process, 'container', at, authority, toWireText('string', event.container));
    }
    this.#setNumber(process, 'uid', at, authority, event.uid);
    this.#touch(process, at);
    if (argv === undefined) this.#requestEnrichment(process);
  }

  #renewFile(
    task: TaskIndex,
    field: 'interpreter',
    at: EventNs,
    authority: Authority,
    file: FileInfo | undefined,
  ): void {
    if (file !== undefined) this.#recorder.text(task, field, at, authority, toWireText('file', file));
    else if (this.tree.valueAt(task, field, at) !== undefined) this.#recorder.text(task, field, at, 0, undefined);
  }

  #renewText(task: TaskIndex, field: 'interp', at: EventNs, authority: Authority, text: string | undefined): void {
    if (text !== undefined) this.#recorder.text(task, field, at, authority, toWireText('string', text));
    else if (this.tree.textAt(task, field, at) !== undefined) this.#recorder.text(task, field, at, 0, undefined);
  }

  // --- rename ---

  #applyRename(event: RenameEvent): void {
    const task = this.#lifeAt(event.tid, event.at, event.start, undefined);
    this.#recorder.text(task, 'comm', event.at, event.authority ?? AUTHORITY.event, toWireText('string', event.comm));
    this.#touch(task, event.at);
  }

  // --- credentials ---

  #applyCredentials(event: CredentialsEvent): void {
    const process = this.#leaderAt(event.pid, event.at, event.start);
    const authority = event.authority ?? AUTHORITY.event;
    this.#setNumber(process, 'uid', event.at, authority, event.uid);
    this.#setNumber(process, 'gid', event.at, authority, event.gid);
    this.#touch(process, event.at);
  }

  // --- exit ---

  #applyExit(event: ExitEvent): void {
    const { at } = event;
    const authority = event.authority ?? AUTHORITY.event;
    const code = event.code ?? NOT_KNOWN;
    const signal = event.signal ?? NOT_KNOWN;
    const task = this.#lifeAt(event.tid, at, event.start, event.pid);
    if (event.comm !== undefined && this.tree.textAt(task, 'comm', at) === undefined) {
      this.#recorder.text(task, 'comm', at, authority, toWireText('string', event.comm));
    }
    this.#touch(task, at);
    const leader = this.tree.leaderOf(task);
    if (task !== leader) {
      this.#endLife(task, at, authority, code, signal);
      const left = this.#goneLeaders.get(leader);
      const isLast = event.isGroupDead ?? (left !== undefined && !this.#hasLivingThread(leader, at));
      if (isLast) this.#endProcess(leader, at, authority, left?.code ?? NOT_KNOWN, left?.signal ?? NOT_KNOWN);
      return;
    }
    const isLast = event.isGroupDead ?? !this.#hasLivingThread(leader, at);
    if (isLast) this.#endProcess(leader, at, authority, code, signal);
    else this.#goneLeaders.set(leader, { code, signal });
  }

  #hasLivingThread(leader: TaskIndex, at: EventNs): boolean {
    const { tree } = this;
    for (let thread = tree.firstThreadOf(leader); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      if (this.tree.startOf(thread) <= at && this.tree.exitOf(thread) > at) return true;
    }
    return false;
  }

  #endProcess(leader: TaskIndex, at: EventNs, authority: Authority, code = NOT_KNOWN, signal = NOT_KNOWN): void {
    this.#goneLeaders.delete(leader);
    const { tree } = this;
    for (let thread = tree.firstThreadOf(leader); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      if (this.tree.exitOf(thread) > at) this.#endLife(thread, at, AUTHORITY.inferred);
    }
    this.#endLife(leader, at, authority, code, signal);
  }

  /** Concludes that a thread, or a whole process, has ended. */
  #endTask(task: TaskIndex, at: EventNs): void {
    if (this.tree.isThread(task)) this.#endLife(task, at, AUTHORITY.inferred);
    else this.#endProcess(task, at, AUTHORITY.inferred);
  }

  /** Ends one task; the children of a process get a new parent. */
  #endLife(task: TaskIndex, at: EventNs, authority: Authority, code = NOT_KNOWN, signal = NOT_KNOWN): void {
    this.#recorder.exit(task, at, authority, code, signal);
    this.#residentsOf(task).end(task);
    if (this.tree.isThread(task)) return;
    this.#enrichments?.cancel(task);
    if (!this.tree.mayHaveChildren(task)) return;
    for (const child of this.tree.childrenAt(task, at)) {
      if (this.tree.exitOf(child) > at) this.#orphan(child, at);
    }
  }

  // No event says who the new parent is. Init, unless a subreaper is nearer: /proc is asked.
  #orphan(child: TaskIndex, at: EventNs): void {
    const init = this.#leaderAt(INIT_PID, at, undefined);
    this.#recorder.parent(child, init, at, AUTHORITY.inferred);
    this.#requestEnrichment(child);
  }

  // --- sightings ---

  #applyObserve(event: ObserveEvent): void {
    const authority = event.authority ?? AUTHORITY.procfs;
    const isThread = event.tid !== event.pid;
    const leader = isThread ? this.#leaderAt(event.pid, event.at, undefined) : NO_TASK;
    let task = this.#lives.observed(event.tid, event.start, event.startIsTick, event.at);
    if (task === NO_TASK) task = this.#beginLife(event.tid, event.start);
    if (!this.tree.isPresent(task) || this.tree.authorityOf(task) < authority) {
      const flags =
        (isThread ? TASK_FLAG.thread : 0) |
        (event.startIsTick ? TASK_FLAG.startIsTick : 0) |
        (event.isKernelThread ? TASK_FLAG.kernelThread : 0);
      this.#announce(task, event.tid, leader, NO_TASK, event.start, flags, authority);
    } else if (event.isKernelThread && !this.tree.isKernelThread(task)) {
      this.#announce(task, event.tid, leader, NO_TASK, event.start, TASK_FLAG.kernelThread, AUTHORITY.inferred);
    }
    this.#seenAt[task] = event.at;
    this.#touch(task, event.at);
    if (this.tree.exitOf(task) < event.at) return; // a zombie: what /proc says of it is hollow
    this.#learn(task, event, authority);
    if (!isThread && event.ppid > 0) this.#learnParent(task, event.ppid, event.at, authority);
  }

  /** Takes over what a sighting says and the tree does not know yet. */
  #learn(task: TaskIndex, event: ObserveEvent, authority: Authority): void {
    const start = this.tree.startOf(task);
    this.#setNumber(task, 'nsTid', start, authority, event.nsTid);
    this.#setNumber(task, 'nsPid', start, authority, event.nsPid);
    this.#setNumber(task, 'pidNs', start, authority, event.pidNs);
    this.#learnText(task, 'comm', event.at, authority, event.comm);
    if (event.tid !== event.pid) return;
    const image = this.#imageSince(task, event.at);
    const { executable, argv } = event;
    if (executable !== undefined) {
      this.#learnOfImage(task, 'executable', event.at, image, authority, toWireText('file', executable));
    }
    if (argv !== undefined) this.#learnOfImage(task, 'argv', event.at, image, authority, toWireText('strings', argv));
    this.#learnText(task, 'cwd', event.at, authority, event.cwd);
    this.#learnText(task, 'container', event.at, authority, event.container);
    this.#learnNumber(task, 'uid', event.at, authority, event.uid);
    this.#learnNumber(task, 'gid', event.at, authority, event.gid);
  }

  /** Since when the task runs what it runs at `at`: its last exec, or its start. */
  #imageSince(task: TaskIndex, at: EventNs): EventNs {
    return this.tree.sinceAt(task, 'argv', at) ?? this.tree.startOf(task);
  }

  /** A value that only an exec changes: it holds since the image does. */
  #learnOfImage(
    task: TaskIndex,
    field: 'executable' | 'argv',
    at: EventNs,
    image: EventNs,
    authority: Authority,
    wire: string,
  ): void {
    const isKnown = this.tree.wireTextAt(task, field, at) === wire;
    if (isKnown && (this.tree.authorityAt(task, field, at) ?? 0) >= authority) return;
    this.#recorder.text(task, field, image, authority, wire);
  }

  /** A value that can change at any time: one that differs from what is known holds since the sighting. */
  #learnText(
    task: TaskIndex,
    field: 'comm' | 'cwd' | 'container',
    at: EventNs,
    authority: Authority,
    value: string | undefined,
  ): void {
    if (value === undefined) return;
    const wire = toWireText('string', value);
    const known = this.tree.textAt(task, field, at);
    if (known === wire) return;
    this.#recorder.text(task, field, this.#sinceOfSighting(task, field, at, known), authority, wire);
  }

  #learnNumber(
    task: TaskIndex,
    field: 'uid' | 'gid',
    at: EventNs,
    authority: Authority,
    value: number | undefined,
  ): void {
    if (value === undefined) return;
    const known = this.tree.numberAt(task, field, at);
    if (known === value) return;
    this.#recorder.number(task, field, this.#sinceOfSighting(task, field, at, known), authority, value);
  }

  // Nothing known before: it holds since the start. Known, and an exec came after that: since the exec.
  #sinceOfSighting(task: TaskIndex, field: FieldName, at: EventNs, known: unknown): EventNs {
    if (known === undefined) return this.tree.startOf(task);
    const image = this.#imageSince(task, at);
    return image > (this.tree.sinceAt(task, field, at) ?? this.tree.startOf(task)) ? image : at;
  }

  #applyReparent(event: ReparentEvent): void {
    const task = this.#leaderAt(event.pid, event.at, event.start);
    const authority = event.authority ?? AUTHORITY.event;
    if (authority === AUTHORITY.event) {
      const parent = event.parentPid === 0 ? NO_TASK : this.#leaderAt(event.parentPid, event.at, undefined);
      this.#recorder.parent(task, parent, event.at, authority);
    } else if (event.parentPid > 0) this.#learnParent(task, event.parentPid, event.at, authority);
    this.#touch(task, event.at);
  }

  /** A sighting of the parent: settles a conclusion at its own time, else a change since the sighting. */
  #learnParent(task: TaskIndex, ppid: number, at: EventNs, authority: Authority): void {
    const parent = this.#leaderAt(ppid, at, undefined);
    const known = this.tree.parentAt(task, at);
    const knownAuthority = this.tree.authorityAt(task, 'parent', at);
    if (knownAuthority === undefined) this.#recorder.parent(task, parent, this.tree.startOf(task), authority);
    else if (knownAuthority < authority) {
      this.#recorder.parent(task, parent, this.tree.sinceAt(task, 'parent', at) ?? at, authority);
    } else if (known !== parent) this.#recorder.parent(task, parent, at, authority);
  }

  #applyScan(event: ScanEvent): void {
    for (let slot = 0; slot < this.tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!this.tree.isPresent(task) || this.tree.exitOf(task) !== Number.POSITIVE_INFINITY) continue;
      const seen = this.#seenAt[task] ?? Number.NEGATIVE_INFINITY;
      if (this.tree.startOf(task) >= event.from || seen >= event.from) continue;
      this.#endTask(task, event.from);
    }
  }

  // --- identity ---

  /** The life of a tid that an event at `at` speaks of; a placeholder when nobody has announced it. */
  #lifeAt(tid: number, at: EventNs, start: EventNs | undefined, pid: number | undefined): TaskIndex {
    const known = start === undefined ? this.#lives.livingAt(tid, at) : this.#lives.begunAt(tid, start);
    if (known !== NO_TASK) {
      if (start !== undefined && this.tree.isPlaceholder(known)) this.#knowStart(known, start);
      if (pid !== undefined && pid !== tid && !this.tree.isThread(known)) this.#knowLeader(known, tid, pid, at);
      return known;
    }
    // An unknown start is the first mention; an earlier mention moves it there.
    const mentioned = start === undefined ? this.#lives.mentionedAfter(tid, at) : NO_TASK;
    if (mentioned !== NO_TASK) {
      this.#announcePlaceholder(mentioned, tid, this.tree.leaderOf(mentioned), at, TASK_FLAG.startIsUnknown);
      return mentioned;
    }
    const leader = pid === undefined || pid === tid ? NO_TASK : this.#lifeAt(pid, at, undefined, pid);
    const task = this.#beginLife(tid, start ?? at);
    this.#announcePlaceholder(task, tid, leader, start ?? at, start === undefined ? TASK_FLAG.startIsUnknown : 0);
    if (leader === NO_TASK) this.#requestEnrichment(task);
    return task;
  }

  #leaderAt(pid: number, at: EventNs, start: EventNs | undefined): TaskIndex {
    return this.#lifeAt(pid, at, start, pid);
  }

  #announcePlaceholder(task: TaskIndex, tid: number, leader: TaskIndex, start: EventNs, startFlag: number): void {
    const isThread = leader !== NO_TASK && leader !== task;
    const flags = TASK_FLAG.placeholder | startFlag | (isThread ? TASK_FLAG.thread : 0);
    this.#announce(task, tid, leader, NO_TASK, start, flags, AUTHORITY.inferred);
  }

  /** An event names the exact start of a placeholder. */
  #knowStart(task: TaskIndex, start: EventNs): void {
    if (this.tree.startOf(task) === start) return;
    const flags = this.tree.flagsOf(task) & ~TASK_FLAG.startIsUnknown;
    this.#announce(task, this.tree.tidOf(task), this.tree.leaderOf(task), NO_TASK, start, flags, AUTHORITY.inferred);
  }

  /** An event says that what was taken for a process is a thread. */
  #knowLeader(task: TaskIndex, tid: number, pid: number, at: EventNs): void {
    const leader = this.#leaderAt(pid, at, undefined);
    this.#announcePlaceholder(
      task,
      tid,
      leader,
      this.tree.startOf(task),
      this.tree.flagsOf(task) & TASK_FLAG.startIsUnknown,
    );
  }

  #announce(
    task: TaskIndex,
    tid: number,
    leader: TaskIndex,
    creator: TaskIndex,
    start: EventNs,
    flags: number,
    authority: Authority,
  ): void {
    const own = leader === NO_TASK ? task : leader;
    this.#recorder.task(task, tid, own, creator, start, this.#entityIds.of(tid, start), flags, authority);
    this.#byEntity.put(task, this.tree.entityIdOf(task));
    // A placeholder that was taken for a process can turn out to be a thread.
    if (this.tree.isThread(task)) this.#processes.forget(task);
    this.#residentsOf(task).touch(task);
  }

  #newTask(): TaskIndex {
    const task = this.tree.ensureTask(this.#nextTaskId++ as TaskId);
    if (task >= this.#seenAt.length) this.#seenAt = grown(this.#seenAt, this.#seenAt.length * 2, 0);
    this.#seenAt[task] = Number.NEGATIVE_INFINITY;
    return task;
  }

  // --- bounds and bookkeeping ---

  #touch(task: TaskIndex, at: EventNs): void {
    if (at > (this.#seenAt[task] ?? Number.NEGATIVE_INFINITY)) this.#seenAt[task] = at;
    this.#residentsOf(task).touch(task);
  }

  #residentsOf(task: TaskIndex): Residents {
    return this.tree.isThread(task) ? this.#threads : this.#processes;
  }

  #evictExcess(): void {
    for (let task = this.#threads.excess(); task !== undefined; task = this.#threads.excess()) this.#evict(task);
    for (let task = this.#processes.excess(); task !== undefined; task = this.#processes.excess()) {
      for (const thread of this.tree.threadsOf(task)) {
        this.#threads.forget(thread);
        this.#evict(thread);
      }
      this.#goneLeaders.delete(task);
      this.#evict(task);
    }
  }

  #evict(task: TaskIndex): void {
    this.#lives.remove(this.tree.tidOf(task), task);
    this.#byEntity.remove(task);
    this.#enrichments?.cancel(task);
    this.#recorder.evict(task);
    this.#evicted++;
  }

  #requestEnrichment(task: TaskIndex): void {
    this.#enrichments?.add(task, this.tree.pidOf(task));
  }

  #setNumber(
    task: TaskIndex,
    field: 'uid' | 'gid' | 'nsTid' | 'nsPid' | 'pidNs',
    since: EventNs,
    authority: Authority,
    value: number | undefined,
  ): void {
    if (value !== undefined) this.#recorder.number(task, field, since, authority, value);
  }

  #notice(at: EventNs): void {
    if (at > this.#newest) this.#newest = at;
  }

  #setBase(epochNs: bigint): void {
    if (this.#base !== undefined) return;
    this.#base = { epochNs };
    this.#entityIds = new EntityIds(this.#base);
  }
}
