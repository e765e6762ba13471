// Single writer of a host's tree: gives identity to tasks, says what fork,
// exec, exit and sightings mean, bounds memory, and commits facts in batches.
// Rules with their numbers: SPEC.md.
//
// Events are expected nearly in time order; late and repeated ones are put
// where their time says, and what was told before of the wrong life is settled
// anew (late-events.ts).

import {
  AUTHORITY,
  type Authority,
  assertNever,
  type ChdirEvent,
  CLONE,
  type ContainerEvent,
  type CredentialsEvent,
  type EntityId,
  type EventNs,
  type ExecEvent,
  type ExitEvent,
  type FieldName,
  type FileInfo,
  type ForkEvent,
  justBefore,
  type ObserveEvent,
  type ProgramSeenEvent,
  type RenameEvent,
  type ReparentEvent,
  type ScanEvent,
  TASK_FLAG,
  type TaskEvent,
  type TaskId,
  type TimeBase,
  type Version,
} from '@dendro/protocol';
import { EnrichmentQueue, type EnrichmentRequest } from './enrichment-queue.ts';
import { EntityIds, OLDER_BUCKET_NS } from './entity-id.ts';
import { EntityTable } from './entity-table.ts';
import { FactIntake } from './fact-intake.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { LateEvents } from './late-events.ts';
import { Lives, MENTION_SLACK_NS } from './lives.ts';
import { type Batch, MAX_STUBS, Recorder } from './recorder.ts';
import { Residents } from './residents.ts';
import { AmbiguousTaskError, DataNotFoundError, type TaskRef } from './task-ref.ts';
import { NOT_KNOWN } from './task-table.ts';
import { type NumberField, TemporalTree } from './temporal-tree.ts';

export interface ProcessTreeOptions {
  /** Processes kept in memory, dead ones too. Default 16,384. */
  readonly maxProcesses?: number | undefined;
  /** Threads other than leaders kept in memory. Default 32,768. */
  readonly maxThreads?: number | undefined;
  /** Newest entries that the changelog of a field keeps. Default 64. */
  readonly entriesPerField?: number | undefined;
  /** Ids below were given by an earlier tree of this host, whose history goes on. Default 1. */
  readonly firstTaskId?: number | undefined;
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
  readonly maxProcesses: number;
  /** Leaders apart. */
  readonly maxThreads: number;
  readonly evictedProcesses: number;
  readonly evictedThreads: number;
  /** Tasks that were evicted and that tasks in memory descend from. */
  readonly stubs: number;
  readonly placeholders: number;
  /** Fields, of all tasks, that have lost their oldest entries. */
  readonly trimmedFields: number;
  /** Texts kept, each once. */
  readonly texts: number;
  readonly gaps: number;
  /** Parents and creators refused because they would make a task its own ancestor. */
  readonly ringsRefused: number;
  /** Enrichment requests that nobody has taken yet. */
  readonly enrichmentsWaiting: number;
  /** Enrichment requests dropped because too many waited. */
  readonly enrichmentsDropped: number;
}

const INIT_PID = 1;

export class ProcessTree {
  /** For reading only. */
  readonly tree: TemporalTree;
  readonly #recorder: Recorder;
  readonly #lives: Lives;
  readonly #residents: Residents;
  readonly #byEntity: EntityTable;
  readonly #enrichments: EnrichmentQueue | undefined;
  readonly #intake: FactIntake;
  readonly #late: LateEvents;
  /** Leaders whose own thread is gone while others of their process go on, and how it went. */
  readonly #goneLeaders = new Map<TaskIndex, ExitEvent>();
  #base: TimeBase | undefined;
  #entityIds = new EntityIds({ epochNs: 0n });
  #newest = Number.NEGATIVE_INFINITY as EventNs;
  readonly #maxProcesses: number;
  readonly #maxThreads: number;
  #hasInit = false;
  #nextTaskId: number;
  #evictedProcesses = 0;
  #evictedThreads = 0;
  #ringsRefused = 0;
  /** Ancestors that were looked at to find rings. */
  #climbed = 0;

  constructor(options: ProcessTreeOptions = {}) {
    const { maxProcesses = 16_384, maxThreads = 32_768, entriesPerField } = options;
    this.#nextTaskId = options.firstTaskId ?? 1;
    this.#maxProcesses = maxProcesses;
    this.#maxThreads = maxThreads;
    this.tree = new TemporalTree({ entriesPerField, expectedTasks: maxProcesses + maxThreads + MAX_STUBS });
    this.#recorder = new Recorder(this.tree);
    this.#residents = new Residents(maxProcesses, maxThreads, this.tree.rows);
    this.#lives = new Lives(this.tree, this.#residents);
    this.#byEntity = new EntityTable(this.tree);
    this.#enrichments = options.canEnrich ? new EnrichmentQueue() : undefined;
    this.#intake = new FactIntake(this.#recorder, this.#lives, this.#residents, this.#byEntity, {
      isCreatedBy: (creator, task) => this.#isCreatedBy(creator, task),
      setParent: (task, parent, since, authority) => this.#setParent(task, parent, since, authority),
      stepsTaken: () => this.#climbed + this.tree.siblingSteps,
    });
    this.#late = new LateEvents(this.tree, this.#recorder, this.#lives, this.#residents, {
      announce: (task, tid, leader, creator, start, flags, authority) =>
        this.#announce(task, tid, leader, creator, start, flags, authority),
      beginMentioned: (tid, at) => this.#beginMentioned(tid, at),
      processAt: (pid, at) => this.#leaderAt(pid, at, undefined),
      setParent: (task, parent, since, authority) => this.#setParent(task, parent, since, authority),
    });
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

  /** Facts of another tree that could not be taken: impossible ones, or of tasks that nobody has announced. */
  get factsRefused(): number {
    return this.#intake.refused;
  }

  get counts(): ProcessTreeCounts {
    return {
      processes: this.#residents.livingProcesses,
      threads: this.#residents.livingProcesses + this.#residents.livingThreads,
      tasks: this.tree.taskCount,
      maxProcesses: this.#maxProcesses,
      maxThreads: this.#maxThreads,
      evictedProcesses: this.#evictedProcesses,
      evictedThreads: this.#evictedThreads,
      stubs: this.tree.stubCount,
      placeholders: this.#placeholders(),
      trimmedFields: this.tree.trimmedFieldCount,
      texts: this.tree.textCount,
      gaps: this.tree.gaps().length,
      ringsRefused: this.#ringsRefused,
      enrichmentsWaiting: this.enrichmentsWaiting,
      enrichmentsDropped: this.#enrichments?.dropped ?? 0,
    };
  }

  /** Closes the batch of all facts since the last one. Undefined when nothing changed. */
  commit(): Batch | undefined {
    return this.#recorder.commit();
  }

  get enrichmentsWaiting(): number {
    return this.#enrichments?.size ?? 0;
  }

  /** Up to `max` processes that /proc should be asked about, the most urgent first. */
  takeEnrichmentRequests(max: number): EnrichmentRequest[] {
    return this.#enrichments?.take(max) ?? [];
  }

  /** Is it of a task in memory? What is told late can be of one that has left it. */
  knows({ tid, pid, start, startIsTick, at }: ObserveEvent): boolean {
    const task = this.#lives.observed(tid, start, startIsTick, at, pid);
    return task !== NO_TASK && this.tree.isPresent(task);
  }

  /** Is there a task of this tid that is known to have begun just then? */
  hasBegun(tid: number, start: EventNs): boolean {
    return this.#lives.hasBegun(tid, start);
  }

  /**
   * The task that is meant, as of `time`.
   * @throws DataNotFoundError, AmbiguousTaskError
   */
  resolve(ref: TaskRef, time: EventNs): TaskIndex {
    if ('taskId' in ref) return this.#existing(this.tree.indexOf(ref.taskId), time);
    if ('pid' in ref) return this.#existing(this.#lives.lastBegunBy(ref.pid, time), time);
    return this.#existing(this.#onlyOneWith(ref.entityId, time), time);
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
      case 'chdir':
        this.#applyChdir(event);
        break;
      case 'program-seen':
        this.#applyProgramSeen(event);
        break;
      case 'container':
        this.#applyContainer(event);
        break;
      case 'scan':
        this.#applyScan(event);
        break;
      case 'gap':
        this.#notice(event.to);
        this.#recorder.gap(event.from, event.to, event.lost);
        return;
      case 'clock':
        this.#setBase(event.epochNs);
        return;
      case 'facts':
        this.#intake.take(event.batch, event.isSnapshot);
        this.#nextTaskId = Math.max(this.#nextTaskId, this.#intake.newestId + 1);
        this.#notice(event.at);
        break;
      default:
        assertNever(event);
    }
    if (this.#residents.hasExcess) this.#evictExcess();
  }

  /** The task with this entity id that had begun by `time`; NO_TASK when there is none. */
  #onlyOneWith(id: EntityId, time: EventNs): TaskIndex {
    let found: TaskIndex = NO_TASK;
    for (let task = this.#byEntity.firstOf(id); task !== NO_TASK; task = this.#byEntity.nextOf(task)) {
      if (this.tree.startOf(task) > time) continue;
      if (found !== NO_TASK) throw new AmbiguousTaskError(this.#allWith(id, time));
      found = task;
    }
    return found === NO_TASK ? this.#onlyOneWithOlder(id, time) : found;
  }

  /** The same for an id of an older Tracee [ID7]. It is asked for seldom: so it is looked for, and not kept. */
  #onlyOneWithOlder(id: EntityId, time: EventNs): TaskIndex {
    const { tree } = this;
    const ids = new EntityIds(this.#base ?? { epochNs: 0n }, OLDER_BUCKET_NS);
    const fitting: TaskIndex[] = [];
    for (let slot = 0; slot < tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      const hasStart = (tree.flagsOf(task) & TASK_FLAG.startIsUnknown) === 0;
      if (!tree.isPresent(task) || !hasStart || tree.startOf(task) > time) continue;
      if (ids.of(tree.tidOf(task), tree.startOf(task)) === id) fitting.push(task);
    }
    if (fitting.length > 1) throw new AmbiguousTaskError(fitting.map((task) => tree.taskIdOf(task)));
    return fitting[0] ?? NO_TASK;
  }

  #allWith(id: EntityId, time: EventNs): TaskId[] {
    const all: TaskId[] = [];
    for (let task = this.#byEntity.firstOf(id); task !== NO_TASK; task = this.#byEntity.nextOf(task)) {
      if (this.tree.startOf(task) <= time) all.push(this.tree.taskIdOf(task));
    }
    return all;
  }

  #existing(task: TaskIndex, time: EventNs): TaskIndex {
    if (task === NO_TASK || !this.tree.isPresent(task) || this.tree.startOf(task) > time) throw new DataNotFoundError();
    return task;
  }

  // --- fork ---

  #applyFork(event: ForkEvent): void {
    const { at } = event;
    const start = event.start ?? at;
    // Of what comes after it nothing has been told then.
    const isNewest = start > this.#newest;
    this.#notice(at);
    const named = this.#lifeAt(event.creatorTid, at, creatorStartOf(event), creatorPidOf(event));
    const cloneFlags = event.cloneFlags ?? 0;
    const isThread = event.pid !== undefined ? event.pid !== event.tid : (cloneFlags & CLONE.thread) !== 0;
    const isSibling = !isThread && (cloneFlags & CLONE.parent) !== 0;
    const leader = isThread ? this.#leaderOfBirth(event, this.tree.leaderOf(named)) : NO_TASK;
    const flags = (isThread ? TASK_FLAG.thread : 0) | (isSibling ? TASK_FLAG.sibling : 0);
    this.#touch(named, at);
    const task = this.#beginLife(event.tid, start, isThread ? event.pid : event.tid);
    const creator = this.#isCreatedBy(named, task) ? NO_TASK : named;
    // Whose thread it is stays open while nobody knows whether its creator is a thread itself.
    const isOpen = isThread && event.pid === undefined && this.#mayBeThread(leader);
    this.#announce(task, event.tid, leader, creator, start, flags, isOpen ? AUTHORITY.sighting : AUTHORITY.event);
    if (!isNewest) this.#late.settleBirth(event.tid, task);
    if (!isThread) this.#nameParent(task, event, start, isSibling);
    // Of a thread it is the parent of its process; that is told by others, but not when it began.
    else if (event.parentPid && event.parentStart !== undefined) {
      this.#lifeAt(event.parentPid, at, event.parentStart, event.parentPid);
    }
    if (event.comm !== undefined && !this.tree.hasNameNearby(task, event.comm, start)) {
      this.#recorder.text(task, 'comm', start, AUTHORITY.event, event.comm);
    }
    this.#setNumber(task, 'nsTid', start, AUTHORITY.event, event.nsTid);
    this.#setNumber(task, 'nsPid', start, AUTHORITY.event, event.nsPid);
    this.#setNumber(task, 'pidNs', start, AUTHORITY.event, event.pidNs);
    // Its end, or that of its process, may have been told already.
    if (!isNewest && this.tree.exitOf(task) !== Number.POSITIVE_INFINITY) this.#residents.end(task, isThread);
  }

  #mayBeThread(process: TaskIndex): boolean {
    const flags = this.tree.flagsOf(process);
    return (flags & TASK_FLAG.placeholder) !== 0 && (flags & TASK_FLAG.namedAsProcess) === 0;
  }

  /** Where a source names a parent that does not follow from the creator, that is a fact of its own [FO4]. */
  #nameParent(task: TaskIndex, event: ForkEvent, start: EventNs, isSibling: boolean): void {
    const { parentPid } = event;
    if (parentPid === undefined || (parentPid === event.creatorPid && !isSibling)) return;
    const parent = parentPid === 0 ? NO_TASK : this.#lifeAt(parentPid, event.at, event.parentStart, parentPid);
    this.#setParent(task, parent, start, AUTHORITY.event);
  }

  /** Does `creator` itself descend, at however many removes, from `task`? Then it is refused and counted. */
  #isCreatedBy(creator: TaskIndex, task: TaskIndex): boolean {
    const { tree } = this;
    if (creator !== task && !tree.mayHaveChildren(task)) return false;
    let by = creator;
    for (let steps = tree.slotCount; by !== NO_TASK && by !== task && steps > 0; steps--) {
      by = tree.creatorOf(by);
      this.#climbed++;
    }
    const isRing = by === task || this.#hasAncestor(creator, task, tree.startOf(task));
    if (isRing) this.#ringsRefused++;
    return isRing;
  }

  #leaderOfBirth(event: ForkEvent, creatorLeader: TaskIndex): TaskIndex {
    const { pid } = event;
    if (pid === undefined || (event.leaderStart === undefined && this.tree.tidOf(creatorLeader) === pid))
      return creatorLeader;
    return this.#lifeAt(pid, event.at, event.leaderStart, pid);
  }

  /**
   * The life of `tid` that began at `start`, made when nobody has mentioned it; whoever had the tid before has ended.
   * @param pid of its process, where it is told
   * @param slack how far births may be apart and be one
   */
  #beginLife(tid: number, start: EventNs, pid?: number, slack?: number): TaskIndex {
    const known = this.#lives.begunAt(tid, start, pid, slack);
    if (known !== NO_TASK) return known;
    const task = this.#newTask();
    if (this.#lives.insert(tid, task, start)) return task;
    const before = this.#lives.olderOf(task);
    if (before !== NO_TASK && this.tree.exitOf(before) > start) this.#endTask(before, start);
    const after = this.#lives.newerOf(tid, task);
    if (after !== NO_TASK) this.#recorder.exit(task, this.tree.startOf(after), AUTHORITY.inferred);
    return task;
  }

  // --- exec ---

  #applyExec(event: ExecEvent): void {
    this.#notice(event.at);
    const { at } = event;
    const authority = event.authority ?? AUTHORITY.event;
    const process = this.#leaderAt(event.pid, at, event.start);
    if (this.#goneLeaders.size > 0) this.#goneLeaders.delete(process);
    // The kernel has ended every other thread; the one that called exec goes on under the leader's tid [EN4].
    const { tree } = this;
    for (let thread = tree.firstThreadOf(process); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      if (tree.startOf(thread) > at) continue;
      const isCaller = tree.tidOf(thread) === event.oldTid && tree.exitOf(thread) >= at;
      if (isCaller) this.#endLife(thread, at, authority);
      else this.#residents.end(thread, true);
    }
    // A path alone is as it was passed: perhaps relative, perhaps a script [EX4].
    const { argv, comm, filename } = event;
    const file = event.executable ?? (filename === undefined ? undefined : { path: filename });
    const fileAuthority = event.executable === undefined ? AUTHORITY.inferred : authority;
    // Known or not: arguments say that a new image begins. Of an exec that was seen they are concluded.
    const argvAuthority = argv !== undefined && authority === AUTHORITY.event ? authority : AUTHORITY.inferred;
    if (file !== undefined) {
      this.#recorder.program(process, at, file, fileAuthority, argv, argvAuthority, comm, authority);
    } else {
      if (comm !== undefined) this.#recorder.text(process, 'comm', at, authority, comm);
      this.#recorder.list(process, 'argv', at, argvAuthority, argv);
    }
    if (event.interpreter !== undefined) {
      this.#recorder.file(process, 'interpreter', at, authority, event.interpreter);
    }
    if (event.interp !== undefined) this.#recorder.text(process, 'interp', at, authority, event.interp);
    if (event.cwd !== undefined) this.#recorder.text(process, 'cwd', at, authority, event.cwd);
    if (event.container !== undefined) {
      this.#recorder.text(process, 'container', at, authority, event.container);
    }
    this.#setNumber(process, 'uid', at, authority, event.uid);
    this.#setNumber(process, 'gid', at, authority, event.gid);
    this.#setNumber(process, 'euid', at, authority, event.euid);
    this.#setNumber(process, 'egid', at, authority, event.egid);
    this.#touch(process, at);
    if (argv === undefined) this.#requestEnrichment(process, at);
  }

  // --- rename ---

  #applyRename(event: RenameEvent): void {
    this.#notice(event.at);
    const task = this.#lifeAt(event.tid, event.at, event.start, event.pid);
    this.#recorder.text(task, 'comm', event.at, event.authority ?? AUTHORITY.event, event.comm);
    this.#touch(task, event.at);
  }

  // --- credentials ---

  #applyCredentials(event: CredentialsEvent): void {
    this.#notice(event.at);
    const process = this.#leaderAt(event.pid, event.at, event.start);
    const authority = event.authority ?? AUTHORITY.event;
    this.#setNumber(process, 'uid', event.at, authority, event.uid);
    this.#setNumber(process, 'gid', event.at, authority, event.gid);
    this.#setNumber(process, 'euid', event.at, authority, event.euid);
    this.#setNumber(process, 'egid', event.at, authority, event.egid);
    this.#touch(process, event.at);
  }

  // --- folders, programs ---

  #applyChdir(event: ChdirEvent): void {
    const { at } = event;
    this.#notice(at);
    const process = this.tree.leaderOf(this.#lifeAt(event.tid, at, event.start, event.pid));
    this.#recorder.text(process, 'cwd', at, AUTHORITY.event, event.cwd);
    this.#touch(process, at);
  }

  #applyProgramSeen(event: ProgramSeenEvent): void {
    this.#notice(event.at);
    const process = this.#leaderAt(event.pid, event.at, event.start);
    this.#seeField(process, 'executable', event.at, event.executable);
    this.#touch(process, event.at);
  }

  // --- containers ---

  #applyContainer(event: ContainerEvent): void {
    const { at } = event;
    this.#notice(at);
    const task = this.#lifeAt(event.tid, at, event.start, event.pid);
    const process = this.tree.leaderOf(task);
    this.#recorder.text(process, 'container', at, event.authority ?? AUTHORITY.event, event.container);
    this.#touch(process, at);
  }

  // --- exit ---

  #applyExit(event: ExitEvent): void {
    const newest = this.#newest;
    this.#notice(event.at);
    const { at } = event;
    const authority = event.authority ?? AUTHORITY.event;
    const code = event.code ?? NOT_KNOWN;
    const signal = event.signal ?? NOT_KNOWN;
    const task = this.#lifeAt(event.tid, at, event.start, event.pid);
    this.#seeField(task, 'comm', at, event.comm);
    if (at < newest && (event.isGroupDead === true || task !== this.tree.leaderOf(task)))
      this.#late.settleEnd(task, at);
    this.#touch(task, at);
    const leader = this.#leaderOfExit(event, task);
    if (task !== leader) {
      this.#endLife(task, at, authority, code, signal);
      const isLast = event.isGroupDead ?? (this.#goneLeaders.has(leader) && !this.#hasLivingThread(leader, at));
      if (isLast && at < newest) this.#late.settleEnd(leader, at);
      if (isLast) this.#endProcess(leader, at, authority, code, signal);
      return;
    }
    const isLast = event.isGroupDead ?? !this.#hasLivingThread(leader, at);
    if (isLast) this.#endProcess(leader, at, authority, code, signal);
    // Told late, of a leader whose place another thread has taken with an exec since: the process has one again.
    else if (this.tree.nextExecAfter(leader, at) === Number.POSITIVE_INFINITY) this.#goneLeaders.set(leader, event);
  }

  /** Whose process: what the event says of it goes before what is known. */
  #leaderOfExit({ pid, at }: ExitEvent, task: TaskIndex): TaskIndex {
    return pid === undefined || this.tree.pidOf(task) === pid
      ? this.tree.leaderOf(task)
      : this.#leaderAt(pid, at, undefined);
  }

  #hasLivingThread(leader: TaskIndex, at: EventNs): boolean {
    const { tree } = this;
    for (let thread = tree.firstThreadOf(leader); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      if (this.tree.startOf(thread) <= at && this.tree.exitOf(thread) > at) return true;
    }
    return false;
  }

  #endProcess(leader: TaskIndex, at: EventNs, authority: Authority, code = NOT_KNOWN, signal = NOT_KNOWN): void {
    const { tree } = this;
    // Of a placeholder it can turn out that it is a thread: then its own end counts.
    if (this.#goneLeaders.size > 0 && !tree.isPlaceholder(leader)) this.#goneLeaders.delete(leader);
    for (let thread = tree.firstThreadOf(leader); thread !== NO_TASK; thread = tree.nextThreadOf(thread)) {
      this.#residents.end(thread, true);
    }
    this.#endLife(leader, at, authority, code, signal);
  }

  /** Concludes that a thread, or a whole process, has ended. */
  #endTask(task: TaskIndex, at: EventNs): void {
    if (this.tree.isThread(task)) this.#endLife(task, at, AUTHORITY.inferred);
    else this.#endProcess(task, at, AUTHORITY.inferred);
  }

  /** Ends one task. */
  #endLife(task: TaskIndex, at: EventNs, authority: Authority, code = NOT_KNOWN, signal = NOT_KNOWN): void {
    this.#recorder.exit(task, at, authority, code, signal);
    const isThread = this.tree.isThread(task);
    this.#residents.end(task, isThread);
    if (isThread) return;
    this.#enrichments?.cancel(task);
    if (this.tree.mayHaveChildren(task)) this.#careForOrphans(task, at);
  }

  // No event says who the new parent of the children is. Init, unless a subreaper is nearer: /proc is asked.
  #careForOrphans(process: TaskIndex, at: EventNs): void {
    if (this.#hasInit && this.#enrichments === undefined) return;
    for (const child of this.tree.childrenAt(process, justBefore(at))) {
      if (this.tree.exitOf(child) <= at) continue;
      if (!this.#hasInit) this.#leaderAt(INIT_PID, at, undefined);
      this.#requestEnrichment(child, at);
    }
  }

  // --- sightings ---

  #applyObserve(event: ObserveEvent): void {
    this.#notice(event.at);
    const { at } = event;
    const authority = event.authority ?? AUTHORITY.sighting;
    const isThread = event.tid !== event.pid;
    const leader = isThread ? this.#leaderAt(event.pid, at, undefined) : NO_TASK;
    let task = this.#lives.observed(event.tid, event.start, event.startIsTick, at, event.pid);
    if (task === NO_TASK) task = this.#beginLife(event.tid, event.start, event.pid);
    if (!this.tree.isPresent(task) || this.tree.authorityOf(task) < authority || this.tree.isPlaceholder(task)) {
      const flags =
        (isThread ? TASK_FLAG.thread : 0) |
        (event.startIsTick ? TASK_FLAG.startIsTick : 0) |
        (event.isKernelThread ? TASK_FLAG.kernelThread : 0);
      this.#announce(task, event.tid, leader, NO_TASK, event.start, flags, authority);
    } else if (event.isKernelThread && !this.tree.isKernelThread(task)) {
      this.#announce(task, event.tid, leader, NO_TASK, event.start, TASK_FLAG.kernelThread, AUTHORITY.inferred);
    }
    this.#late.settleBirth(event.tid, task);
    this.#touch(task, at);
    if (this.tree.exitOf(task) !== Number.POSITIVE_INFINITY) this.#residents.end(task, isThread);
    this.#see(task, event);
    if (event.uid !== undefined) this.#enrichments?.answer(task, at); // all of it was read, not the name alone
    if (!isThread && event.ppid > 0) this.#seeParent(task, event.ppid, at);
  }

  /** Takes over what a sighting says [OB1]. */
  #see(task: TaskIndex, event: ObserveEvent): void {
    this.#seeField(task, 'nsTid', event.at, event.nsTid);
    this.#seeField(task, 'nsPid', event.at, event.nsPid);
    this.#seeField(task, 'pidNs', event.at, event.pidNs);
    this.#seeField(task, 'comm', event.at, event.comm);
    if (event.tid !== event.pid) return;
    this.#seeField(task, 'executable', event.at, event.executable);
    this.#seeField(task, 'argv', event.at, event.argv);
    if (event.argv !== undefined) this.#enrichments?.cancel(task); // whoever read this has read it all
    this.#seeField(task, 'cwd', event.at, event.cwd);
    this.#seeField(task, 'container', event.at, event.container);
    this.#seeField(task, 'uid', event.at, event.uid);
    this.#seeField(task, 'gid', event.at, event.gid);
    this.#seeField(task, 'euid', event.at, event.euid);
    this.#seeField(task, 'egid', event.at, event.egid);
  }

  #seeField(
    task: TaskIndex,
    field: Exclude<FieldName, 'parent'>,
    at: EventNs,
    value: FileInfo | readonly string[] | string | number | undefined,
  ): void {
    if (value !== undefined) this.#recorder.seen(task, field, at, value);
  }

  #applyReparent(event: ReparentEvent): void {
    this.#notice(event.at);
    const task = this.#leaderAt(event.pid, event.at, event.start);
    const authority = event.authority ?? AUTHORITY.event;
    if (authority === AUTHORITY.event) {
      const parent = event.parentPid === 0 ? NO_TASK : this.#leaderAt(event.parentPid, event.at, undefined);
      this.#setParent(task, parent, event.at, authority);
    } else if (event.parentPid > 0) this.#seeParent(task, event.parentPid, event.at);
    this.#touch(task, event.at);
  }

  #seeParent(task: TaskIndex, ppid: number, at: EventNs): void {
    const parent = this.#leaderAt(ppid, at, undefined);
    if (!this.tree.isParentKnownAt(task, parent, at)) this.#setParent(task, parent, at, AUTHORITY.sighting);
  }

  /** Nobody is its own ancestor: a parent that would make it so is refused and counted. */
  #setParent(task: TaskIndex, parent: TaskIndex, since: EventNs, authority: Authority): void {
    const isRing = parent === task || (this.#mayLead(task, parent, since) && this.#hasAncestor(parent, task, since));
    if (isRing) this.#ringsRefused++;
    else this.#recorder.parent(task, parent, since, authority);
  }

  /** Can it be an ancestor of who is to be its parent? Not of who is that already. */
  #mayLead(task: TaskIndex, parent: TaskIndex, since: EventNs): boolean {
    return this.tree.mayHaveChildren(task) && this.tree.parentAt(task, since) !== parent;
  }

  #hasAncestor(task: TaskIndex, ancestor: TaskIndex, at: EventNs): boolean {
    let above = this.tree.parentAt(task, at);
    for (let steps = this.tree.slotCount; above !== NO_TASK && steps > 0; steps--) {
      if (above === ancestor) return true;
      above = this.tree.parentAt(above, at);
      this.#climbed++;
    }
    return false;
  }

  #applyScan(event: ScanEvent): void {
    this.#notice(event.at);
    for (let slot = 0; slot < this.tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (!this.tree.isPresent(task) || this.tree.exitOf(task) !== Number.POSITIVE_INFINITY) continue;
      if (this.tree.startOf(task) >= event.from || this.#residents.touchedAt(task) >= event.from) continue;
      this.#endTask(task, event.from);
    }
  }

  // --- identity ---

  /** The life of a tid that an event at `at` speaks of; a placeholder when nobody has announced it. */
  #lifeAt(tid: number, at: EventNs, start: EventNs | undefined, pid: number | undefined): TaskIndex {
    const known = start === undefined ? this.#lives.livingAt(tid, at, pid) : this.#lives.begunAt(tid, start, pid);
    if (known !== NO_TASK && (start !== undefined || this.#lives.canBeOf(known, pid))) {
      if (start !== undefined && this.tree.isPlaceholder(known)) this.#knowStart(known, start);
      if (pid !== undefined && pid !== tid && !this.tree.isThread(known)) this.#knowLeader(known, tid, pid, at);
      if (pid === tid && this.tree.isThread(known) && this.tree.isPlaceholder(known)) this.#knowProcess(known);
      return known;
    }
    // An unknown start is the first mention; an earlier mention moves it there.
    const mentioned = start === undefined ? this.#lives.mentionedAfter(tid, at) : NO_TASK;
    if (mentioned !== NO_TASK && this.#lives.canBeOf(mentioned, pid)) {
      this.#announcePlaceholder(mentioned, tid, this.tree.leaderOf(mentioned), at, TASK_FLAG.startIsUnknown);
      return mentioned;
    }
    const leader = pid === undefined || pid === tid ? NO_TASK : this.#lifeAt(pid, at, undefined, pid);
    const task = this.#beginLife(tid, start ?? at, pid, start === undefined ? MENTION_SLACK_NS : undefined);
    const kind = pid === tid ? TASK_FLAG.namedAsProcess : 0;
    this.#announcePlaceholder(
      task,
      tid,
      leader,
      start ?? at,
      kind | (start === undefined ? TASK_FLAG.startIsUnknown : 0),
    );
    if (start !== undefined) this.#late.settleBirth(tid, task);
    if (leader === NO_TASK) this.#requestEnrichment(task, at);
    return task;
  }

  #leaderAt(pid: number, at: EventNs, start: EventNs | undefined): TaskIndex {
    return this.#lifeAt(pid, at, start, pid);
  }

  #announcePlaceholder(task: TaskIndex, tid: number, leader: TaskIndex, start: EventNs, more: number): void {
    const isThread = leader !== NO_TASK && leader !== task;
    const flags = TASK_FLAG.placeholder | more | (isThread ? TASK_FLAG.thread : 0);
    this.#announce(task, tid, leader, NO_TASK, start, flags, AUTHORITY.inferred);
  }

  /** An event names the exact start of a placeholder. */
  #knowStart(task: TaskIndex, start: EventNs): void {
    if (this.tree.startOf(task) === start) return;
    const flags = this.tree.flagsOf(task) & ~TASK_FLAG.startIsUnknown;
    this.#announce(task, this.tree.tidOf(task), this.tree.leaderOf(task), NO_TASK, start, flags, AUTHORITY.inferred);
    this.#late.settleBirth(this.tree.tidOf(task), task);
  }

  /** An event says that what was taken for a thread is a process. */
  #knowProcess(task: TaskIndex): void {
    const flags = (this.tree.flagsOf(task) & ~TASK_FLAG.thread) | TASK_FLAG.namedAsProcess;
    this.#announce(task, this.tree.tidOf(task), NO_TASK, NO_TASK, this.tree.startOf(task), flags, AUTHORITY.sighting);
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
    if (tid === INIT_PID) this.#hasInit = true;
    const wasThread = this.tree.isThread(task);
    this.#recorder.task(task, tid, own, creator, start, this.#entityIds.of(tid, start), flags, authority);
    this.#byEntity.noteChange(task);
    const isThread = this.tree.isThread(task);
    // A placeholder that was taken for a process can turn out to be a thread.
    if (isThread !== wasThread) this.#residents.forget(task);
    this.#residents.touch(task, isThread, start);
    if (isThread === wasThread) return;
    this.#late.settleKind(task, own);
    if (isThread) this.#endAsThread(task, own);
  }

  /** What was told of the end of a process was told of a thread, and perhaps of the last of its process. */
  #endAsThread(thread: TaskIndex, leader: TaskIndex): void {
    const { tree } = this;
    if (tree.isExitSaid(thread)) {
      this.#residents.end(thread, true);
      const authority = tree.exitAuthorityOf(thread);
      if (authority === AUTHORITY.event)
        this.#endProcess(leader, tree.exitOf(thread), authority, tree.exitCodeOf(thread), tree.exitSignalOf(thread));
    }
    const gone = this.#goneLeaders.get(thread);
    if (gone === undefined) return;
    this.#goneLeaders.delete(thread);
    const authority = gone.authority ?? AUTHORITY.event;
    this.#endLife(thread, gone.at, authority, gone.code ?? NOT_KNOWN, gone.signal ?? NOT_KNOWN);
  }

  /** A life that is known by what was told of it at `at`. */
  #beginMentioned(tid: number, at: EventNs): TaskIndex {
    const task = this.#beginLife(tid, at);
    if (!this.tree.isPresent(task)) this.#announcePlaceholder(task, tid, NO_TASK, at, TASK_FLAG.startIsUnknown);
    return task;
  }

  #newTask(): TaskIndex {
    return this.tree.addTask(this.#nextTaskId++ as TaskId);
  }

  // --- bounds and bookkeeping ---

  #touch(task: TaskIndex, at: EventNs): void {
    this.#residents.touch(task, this.tree.isThread(task), at);
  }

  #evictExcess(): void {
    const residents = this.#residents;
    for (let task = residents.excessThread(); task !== NO_TASK; task = residents.excessThread()) this.#evict(task);
    for (let task = residents.excessProcess(); task !== NO_TASK; task = residents.excessProcess()) {
      // Taken down before: with one of them others can leave the list that were evicted earlier.
      for (const thread of this.tree.threadsOf(task)) {
        residents.forget(thread);
        this.#evict(thread);
      }
      if (this.#goneLeaders.size > 0) this.#goneLeaders.delete(task);
      this.#evict(task);
    }
  }

  #evict(task: TaskIndex): void {
    this.#lives.remove(this.tree.tidOf(task), task);
    this.#enrichments?.cancel(task);
    if (this.tree.isThread(task)) this.#evictedThreads++;
    else this.#evictedProcesses++;
    this.#recorder.evict(task);
  }

  #requestEnrichment(task: TaskIndex, since: EventNs): void {
    this.#enrichments?.add(task, this.tree.pidOf(task), since);
  }

  #setNumber(
    task: TaskIndex,
    field: NumberField,
    since: EventNs,
    authority: Authority,
    value: number | undefined,
  ): void {
    if (value !== undefined) this.#recorder.number(task, field, since, authority, value);
  }

  #placeholders(): number {
    let count = 0;
    for (let slot = 0; slot < this.tree.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (this.tree.isPresent(task) && this.tree.isPlaceholder(task)) count++;
    }
    return count;
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

/** Who creates a thread of the process of its own tid is that process. */
function creatorPidOf({ creatorPid, creatorTid, pid }: ForkEvent) {
  return creatorPid ?? (creatorTid === pid ? pid : undefined);
}

/** Where the creator is the leader or the parent that the event names too, their start is its own. */
function creatorStartOf({ creatorTid, creatorStart, pid, leaderStart, parentPid, parentStart }: ForkEvent) {
  return creatorStart ?? (creatorTid === pid ? leaderStart : creatorTid === parentPid ? parentStart : undefined);
}
