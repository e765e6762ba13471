// The tree of one host over time: takes facts in any order, any number of
// times, and answers what was true at an instant. No I/O, no clock: the server
// and the browser run the same code. Rules: SPEC.md.
//
// Every read has an `at`. "Now" is at = the newest instant.
//
// What follows from other facts is a rule of reading, not a fact: what a task has
// from its creator (field-reader.ts), who is its parent (parent-reader.ts), when
// a thread ended whose exit nobody saw. A late fact thereby corrects everything that
// follows from it.

import {
  AUTHORITY,
  type Authority,
  type EntityId,
  type EventNs,
  type FactVisitor,
  FIELD_COUNT,
  FIELDS,
  type FieldName,
  type FieldType,
  type FieldValue,
  fieldName,
  fieldType,
  fromWireText,
  isTextField,
  NO_TASK_ID,
  pathOfWireFile,
  readBatch,
  TASK_FLAG,
  type TaskId,
  type Tid,
} from '@dendro/protocol';
import { ChangelogTable, type EntryIndex, NO_ENTRY } from './changelog-table.ts';
import { FieldReader, TRIMMED } from './field-reader.ts';
import { grown } from './grow.ts';
import { NO_TASK, type TaskIndex } from './ids.ts';
import { INIT_TID, ParentReader } from './parent-reader.ts';
import { ParentageTable } from './parentage-table.ts';
import type { Rows } from './rows.ts';
import { NO_TEXT, StringTable } from './string-table.ts';
import { NOT_KNOWN, TaskTable } from './task-table.ts';
import { TouchedTasks } from './touched-tasks.ts';

export interface TemporalTreeOptions {
  /** Newest entries that the changelog of a field keeps. Default 64. */
  readonly entriesPerField?: number | undefined;
  /** Tasks that are likely to come: room is made for them at once. Default 0. */
  readonly expectedTasks?: number | undefined;
  /** The same for entries of all changelogs. Default 0. */
  readonly expectedEntries?: number | undefined;
}

export interface ChangelogEntry {
  readonly since: EventNs;
  readonly authority: Authority;
  readonly value: FieldValue;
}

export interface Gap {
  readonly from: EventNs;
  readonly to: EventNs;
  readonly lost: number;
}

export type TextField = 'comm' | 'cwd' | 'interp' | 'container';
export type NumberField = 'uid' | 'gid' | 'euid' | 'egid' | 'nsTid' | 'nsPid' | 'pidNs';

const MAX_GAPS = 10_000;
const MAX_STEPS_TO_NAME = 32;
/** `since` of a fact that says: there was more before. Older than any other, so that it only ever fills up a changelog. */
const LONG_AGO = -Number.MAX_SAFE_INTEGER as EventNs;
/** Values kept parsed. */
const MAX_PARSED = 4096;
const FEW_TASKS = 64;
const PARENT = FIELDS.parent.id;
const FIELD_NAMES = Object.keys(FIELDS) as readonly FieldName[];
const NO_FIELDS: readonly FieldName[] = [];
const IS_TEXT = byFieldId((field) => isTextField(FIELDS[field].type));

export class TemporalTree implements FactVisitor {
  readonly #tasks: TaskTable;
  readonly #changelogs: ChangelogTable;
  readonly #parents: ParentageTable;
  readonly #strings = new StringTable();
  readonly #gaps: Gap[] = [];
  readonly #reader: FieldReader;
  readonly #parentReader: ParentReader;
  readonly #watches: TouchedTasks[] = [];
  #valuesKnown = 0; // bits of the fields that have one
  readonly #values: FieldValue[] = Array.from({ length: FIELD_COUNT }, () => undefined); // field id -> value, the answer of `valuesAt`
  readonly #textIndexes = new Int32Array(FIELD_COUNT); // field id -> index of its text, the answer of `textIndexesAt`
  readonly #parsedFiles: FieldValue[] = []; // index of a text -> what it says
  readonly #parsedLists: FieldValue[] = [];
  #parsedCount = 0;
  #textGeneration = 0;
  #batchTexts: readonly string[] = [];
  #batchTextIndexes: Int32Array = new Int32Array(0); // index in the batch -> index in #strings, 0 = not looked up yet

  constructor(options: TemporalTreeOptions = {}) {
    const limit = options.entriesPerField ?? 64;
    this.#tasks = new TaskTable(options.expectedTasks ?? 0);
    const compare = (field: number, a: number, b: number) => this.#compareValues(field, a, b);
    this.#changelogs = new ChangelogTable(this.#tasks, limit, compare, options.expectedEntries);
    this.#parents = new ParentageTable(this.#tasks, limit);
    this.#reader = new FieldReader(this.#tasks, this.#changelogs);
    this.#parentReader = new ParentReader(this.#tasks, this.#parents, this.#reader);
  }

  /**
   * Merges all facts of an encoded batch.
   * @throws DendroError DENDRO_BATCH_MALFORMED; nothing was merged then
   */
  apply(batch: Uint8Array): void {
    readBatch(batch, this);
  }

  // --- facts in ---

  strings(table: readonly string[]): void {
    this.forgetUnusedTexts();
    this.#batchTexts = table;
    this.#batchTextIndexes = new Int32Array(table.length);
  }

  task(
    task: TaskId,
    tid: Tid,
    pid: Tid,
    leader: TaskId,
    creator: TaskId,
    start: EventNs,
    entityId: EntityId,
    flags: number,
    authority: Authority,
  ): void {
    const index = this.#tasks.ensure(task);
    const leaderIndex = this.#named(leader);
    const creatorIndex = this.#named(creator);
    this.mergeTask(index, tid, pid, leaderIndex, creatorIndex, start, entityId, flags, authority);
    this.forgetIfUnused(leaderIndex);
    this.forgetIfUnused(creatorIndex);
  }

  set(task: TaskId, field: number, since: EventNs, authority: Authority, value: number): void {
    const index = this.#tasks.ensure(task);
    if (field === PARENT) {
      const parent = this.#named(value as TaskId);
      this.mergeParent(index, parent, since, authority);
      this.forgetIfUnused(parent);
    } else this.mergeValue(index, field, since, authority, IS_TEXT[field] ? this.#internBatchText(value) : value);
  }

  exit(task: TaskId, at: EventNs, authority: Authority, code: number, signal: number): void {
    this.mergeExit(this.#tasks.ensure(task), at, authority, code, signal);
  }

  gap(from: EventNs, to: EventNs, lost: number): void {
    this.mergeGap(from, to, lost);
  }

  evict(task: TaskId, isCut: boolean): void {
    const index = this.#tasks.find(task);
    if (index !== NO_TASK) this.evictTask(index, isCut);
  }

  // --- facts in, for a writer that holds indexes already; each says whether anything changed ---

  /** The rows of all tasks, for the writer's own columns in them. */
  get rows(): Rows {
    return this.#tasks.rows;
  }

  /** A slot for a task that is not here yet. */
  addTask(task: TaskId): TaskIndex {
    return this.#tasks.add(task);
  }

  /** To be called when a slot was made for a task that a fact names: perhaps the fact has changed nothing. */
  forgetIfUnused(task: TaskIndex): void {
    if (task === NO_TASK || this.#tasks.isPresent(task)) return;
    this.#tasks.noteRelease(task);
    this.#forgetAbandoned();
  }

  mergeTask(
    task: TaskIndex,
    tid: Tid,
    pid: Tid,
    leader: TaskIndex,
    creator: TaskIndex,
    start: EventNs,
    entityId: EntityId,
    flags: number,
    authority: Authority,
  ): boolean {
    const leaderBefore = this.#watches.length === 0 ? NO_TASK : this.#tasks.leaderOf(task);
    const hasChanged = this.#tasks.mergeTask(task, tid, pid, leader, creator, start, entityId, flags, authority);
    this.#noteChange();
    if (hasChanged) {
      this.#touch(leaderBefore);
      this.#touch(task);
    }
    if (tid === INIT_TID || task === this.#parentReader.init) {
      this.#parentReader.noteInit(task);
      if (hasChanged) this.#touchEvery();
    }
    this.#forgetAbandoned();
    return hasChanged;
  }

  /** `value`: a number, NaN for "not known", or what `intern` gave for a text. */
  mergeValue(task: TaskIndex, field: number, since: EventNs, authority: Authority, value: number): boolean {
    if (this.#tasks.isStub(task)) return false;
    this.#noteChange();
    const hasChanged = this.#changelogs.merge(task, field, since, authority, value);
    if (hasChanged) this.#touch(task);
    return hasChanged;
  }

  mergeParent(task: TaskIndex, parent: TaskIndex, since: EventNs, authority: Authority): boolean {
    if (this.#tasks.isStub(task) || parent === task) return false;
    this.#noteChange();
    const hasChanged = this.#parents.merge(task, parent, since, authority);
    if (hasChanged) this.#touch(task);
    this.#forgetAbandoned();
    return hasChanged;
  }

  mergeExit(task: TaskIndex, at: EventNs, authority: Authority, code = NOT_KNOWN, signal = NOT_KNOWN): boolean {
    this.#noteChange();
    const hasChanged = this.#tasks.mergeExit(task, at, authority, code, signal);
    if (hasChanged) this.#touch(task);
    return hasChanged;
  }

  mergeGap(from: EventNs, to: EventNs, lost: number): boolean {
    const gaps = this.#gaps;
    let [place, end] = [0, gaps.length];
    while (place < end) {
      const middle = (place + end) >> 1;
      const gap = gaps[middle] as Gap;
      if (gap.from < from || (gap.from === from && gap.to < to)) place = middle + 1;
      else end = middle;
    }
    const known = gaps[place];
    const isKnown = known?.from === from && known.to === to;
    if (isKnown ? known.lost >= lost : place === 0 && gaps.length === MAX_GAPS) return false;
    gaps.splice(place, isKnown ? 1 : 0, { from, to, lost });
    if (gaps.length > MAX_GAPS) gaps.shift();
    return true;
  }

  /**
   * Takes a task out of memory. While others descend from it a stub stays, which reads as before, or, when it is cut,
   * without its creator and parents.
   */
  evictTask(task: TaskIndex, isCut: boolean): void {
    if (!this.#tasks.isPresent(task)) return;
    this.#noteChange();
    this.#touch(task);
    this.#touch(this.#tasks.leaderOf(task));
    if (task === this.#parentReader.init) this.#touchEvery();
    if (this.#tasks.isReferenced(task)) {
      this.#tasks.makeStub(task);
      if (isCut) {
        this.#tasks.dropCreator(task);
        this.#parents.clear(task);
      }
    } else this.#forget(task);
    this.#forgetAbandoned();
  }

  /**
   * Takes over tasks of another tree as they are. None of them may be here yet; others to whom they refer need not.
   * @param texts of that tree in this one; kept from call to call, it saves looking texts up
   */
  copyTasks(from: TemporalTree, tasks: readonly TaskIndex[], texts: CopiedTexts): void {
    this.#noteChange();
    this.#touchEvery();
    // Of a few it costs less to look each up by its id.
    const slots = tasks.length < FEW_TASKS ? undefined : new Int32Array(from.slotCount).fill(NO_TASK);
    const slotOf = (task: TaskIndex): TaskIndex => {
      if (task === NO_TASK) return NO_TASK;
      if (slots === undefined) return this.#tasks.ensure(from.taskIdOf(task));
      if (slots[task] === NO_TASK) slots[task] = this.#tasks.ensure(from.taskIdOf(task));
      return slots[task] as TaskIndex;
    };
    const indexes = texts.between(from, this);
    const toOwn = (field: number, value: number): number => {
      if (!IS_TEXT[field] || value === NO_TEXT) return value;
      const known = indexes[value] ?? 0;
      return known !== 0 ? known : texts.add(value, this.#strings.intern(from.textOf(value)));
    };
    for (const task of tasks) {
      const slot = slotOf(task);
      this.#tasks.copyFacts(slot, from.#tasks, task);
      this.#changelogs.copy(slot, from.#changelogs, task, toOwn);
      if (this.#tasks.tidOf(slot) === INIT_TID) this.#parentReader.noteInit(slot);
    }
    for (const task of tasks) {
      const slot = slotOf(task);
      this.#tasks.copyReferences(slot, slotOf(from.leaderOf(task)), slotOf(from.creatorOf(task)));
      if (from.#parents.hasLinks(task)) {
        from.#parents.forEachOf(task, (parent, since, authority) => {
          this.#parents.merge(slot, slotOf(parent), since, authority);
        });
      }
    }
  }

  /** Forgets all tasks and gaps. Memory stays, for what comes next, and so do texts as long as there are not more than that. */
  clear(maxTexts = 0): void {
    this.#noteChange();
    this.#touchEvery();
    this.#parentReader.noteClear();
    this.#tasks.clear();
    this.#changelogs.clearAll();
    this.#parents.clearAll();
    this.#gaps.length = 0;
    if (this.#strings.count <= maxTexts) return;
    this.#textGeneration++;
    this.#forgetParsed();
    this.#strings.sweep(() => {});
  }

  /** Changes when texts are forgotten: indexes that `intern` gave before are void then. */
  get textGeneration(): number {
    return this.#textGeneration;
  }

  /** Forgets who created a task and who its parents were: for who keeps the tree bounded in another way than by stubs. */
  forgetWayUp(task: TaskIndex): void {
    this.#noteChange();
    this.#touch(task);
    this.#tasks.dropCreator(task);
    this.#parents.clear(task);
    this.#forgetAbandoned();
  }

  /** How many entries of a field are newer than one as of this very time; undefined where there is none: it was too old to be kept. */
  entriesAfter(task: TaskIndex, field: number, since: EventNs): number | undefined {
    let newer = 0;
    let isThere = false;
    const look = (of: number, at: EventNs) => {
      if (of !== field) return;
      if (at > since) newer++;
      else if (at === since) isThere = true;
    };
    if (field === PARENT) this.#parents.forEachOf(task, (_, at) => look(PARENT, at));
    else this.forEachEntrySince(task, since, look);
    return isThere ? newer : undefined;
  }

  /** Since when the newest entry of a task holds; undefined where it has none. */
  newestEntryOf(task: TaskIndex): EventNs | undefined {
    const entry = this.#changelogs.headOf(task);
    let newest = entry === NO_ENTRY ? undefined : this.#changelogs.sinceOf(entry);
    this.#parents.forEachOf(task, (_, at) => {
      if (newest === undefined || at > newest) newest = at;
    });
    return newest;
  }

  /** For who has merged what a task had lost: what is here of it is whole again. */
  forgetTrimmed(task: TaskIndex): void {
    this.#noteChange();
    this.#touch(task);
    this.#changelogs.forgetTrimmed(task);
  }

  /** For who could not find what a task had once: what it had before the oldest that is here reads as trimmed. */
  noteTrimmed(task: TaskIndex): void {
    this.#noteChange();
    this.#touch(task);
    this.#changelogs.noteAllTrimmed(task);
  }

  /** Does anybody refer to it as creator, leader or parent? Then it leaves a stub. */
  isReferenced(task: TaskIndex): boolean {
    return this.#tasks.isReferenced(task);
  }

  /** Calls `visit` for what a task had inherited at its start: what a cut stub needs of its own. */
  forEachInherited(task: TaskIndex, visit: (field: number, value: number) => void): void {
    const start = this.#tasks.startOf(task);
    const known = this.#reader.findAll(task, start);
    for (let field = 1; known >> field !== 0; field++) {
      if ((known & (1 << field)) === 0) continue;
      const entry = this.#reader.found[field] as EntryIndex;
      if (this.#changelogs.find(task, field, start) !== entry) visit(field, this.#changelogs.valueOf(entry));
    }
  }

  /** Calls `visit` for every entry that a task has of its own from `since` on, values as for `mergeValue`. */
  forEachEntrySince(
    task: TaskIndex,
    since: EventNs,
    visit: (field: number, since: EventNs, authority: Authority, value: number) => void,
  ): void {
    for (let entry = this.#changelogs.headOf(task); entry !== NO_ENTRY; entry = this.#changelogs.nextOf(entry)) {
      const at = this.#changelogs.sinceOf(entry);
      if (at < since) return;
      visit(this.#changelogs.fieldOf(entry), at, this.#changelogs.authorityOf(entry), this.#changelogs.valueOf(entry));
    }
  }

  /** Calls `visit` for every time that somebody said or saw that a task is the parent of another. */
  forEachNamedChild(task: TaskIndex, visit: (child: TaskIndex, since: EventNs, authority: Authority) => void): void {
    this.#parents.forEachChildOf(task, visit);
  }

  /** Calls `visit` for every parent that was said or seen of a task, newest first. */
  forEachParent(task: TaskIndex, visit: (parent: TaskIndex, since: EventNs, authority: Authority) => void): void {
    this.#parents.forEachOf(task, visit);
  }

  /** @returns index of a text for `mergeValue` */
  intern(text: string): number {
    return this.#strings.intern(text);
  }

  /** The text of an index that `intern` gave. */
  textOf(index: number): string {
    return this.#strings.textOf(index) ?? '';
  }

  /** False when no task that is here ever had this process, or one of its threads, as parent or creator. */
  mayHaveChildren(process: TaskIndex): boolean {
    if (this.#tasks.mayHaveChildren(process)) return true;
    for (let thread = this.firstThreadOf(process); thread !== NO_TASK; thread = this.nextThreadOf(thread)) {
      if (this.#tasks.mayHaveChildren(thread)) return true;
    }
    return false;
  }

  /** From now on, notes for somebody which tasks facts come about. What keeps them lives as long as the tree. */
  watch(): TouchedTasks {
    const watch = new TouchedTasks();
    this.#watches.push(watch);
    return watch;
  }

  /** The latest instant of which anything is said of the task itself. */
  newestTimeOf(task: TaskIndex): EventNs {
    const exit = this.#tasks.exitOf(task);
    let newest = Math.max(this.#tasks.startOf(task), exit === Number.POSITIVE_INFINITY ? LONG_AGO : exit);
    const entry = this.#changelogs.headOf(task);
    if (entry !== NO_ENTRY) newest = Math.max(newest, this.#changelogs.sinceOf(entry));
    return Math.max(newest, this.#parents.newestOf(task)) as EventNs;
  }

  /**
   * Forgets texts that no entry refers to, when there are many. Indexes that `intern` gave and that were not
   * merged yet are void afterwards.
   * @returns whether it forgot any
   */
  forgetUnusedTexts(): boolean {
    if (!this.#strings.isSweepDue) return false;
    this.#textGeneration++;
    this.#forgetParsed();
    this.#strings.sweep((use) => {
      for (let task = 0; task < this.#tasks.length; task++) {
        let entry = this.#changelogs.headOf(task as TaskIndex);
        for (; entry !== NO_ENTRY; entry = this.#changelogs.nextOf(entry)) {
          if (IS_TEXT[this.#changelogs.fieldOf(entry)]) use(this.#changelogs.valueOf(entry));
        }
      }
    });
    return true;
  }

  // --- what is here ---

  /** Every index is below; slots that are not present are free, stubs, or mentioned only. */
  get slotCount(): number {
    return this.#tasks.length;
  }

  /** Tasks present, dead ones too. */
  get taskCount(): number {
    return this.#tasks.presentCount;
  }

  get entryCount(): number {
    return this.#changelogs.count;
  }

  isPresent(task: TaskIndex): boolean {
    return this.#tasks.isPresent(task);
  }

  /** Tasks that were evicted and that others descend from. */
  get stubCount(): number {
    return this.#tasks.stubCount;
  }

  /** Texts kept. */
  get textCount(): number {
    return this.#strings.count;
  }

  /** Fields, of all tasks, that have lost their oldest entries. */
  get trimmedFieldCount(): number {
    if (!this.#changelogs.hasTrimmed && !this.#parents.hasTrimmed) return 0;
    let count = 0;
    for (let slot = 0; slot < this.slotCount; slot++) {
      const task = slot as TaskIndex;
      if (this.#tasks.isFree(task)) continue;
      if (this.#parents.isTrimmed(task)) count++;
      for (let bits = this.#changelogs.trimmedOf(task); bits !== 0; bits &= bits - 1) count++;
    }
    return count;
  }

  /** Evicted, and still named by others. It can be read as before. */
  isStub(task: TaskIndex): boolean {
    return this.#tasks.isStub(task);
  }

  /** NO_TASK when the task is not here. */
  indexOf(task: TaskId): TaskIndex {
    return this.#tasks.find(task);
  }

  taskIdOf(task: TaskIndex): TaskId {
    return this.#tasks.taskIdOf(task);
  }

  tidOf(task: TaskIndex): Tid {
    return this.#tasks.tidOf(task);
  }

  pidOf(task: TaskIndex): Tid {
    return this.#tasks.pidOf(task);
  }

  entityIdOf(task: TaskIndex): EntityId {
    return this.#tasks.entityIdOf(task);
  }

  /** Sum of TASK_FLAG bits. */
  flagsOf(task: TaskIndex): number {
    return this.#tasks.flagsOf(task);
  }

  /** Who said when it started and what it is. */
  authorityOf(task: TaskIndex): Authority {
    return this.#tasks.authorityOf(task);
  }

  isThread(task: TaskIndex): boolean {
    return (this.#tasks.flagsOf(task) & TASK_FLAG.thread) !== 0;
  }

  isKernelThread(task: TaskIndex): boolean {
    return (this.#tasks.flagsOf(task) & TASK_FLAG.kernelThread) !== 0;
  }

  isPlaceholder(task: TaskIndex): boolean {
    return (this.#tasks.flagsOf(task) & TASK_FLAG.placeholder) !== 0;
  }

  leaderOf(task: TaskIndex): TaskIndex {
    return this.#tasks.leaderOf(task);
  }

  /** The task (perhaps a thread) that forked it; NO_TASK where nobody saw it. */
  creatorOf(task: TaskIndex): TaskIndex {
    return this.#tasks.creatorOf(task);
  }

  startOf(task: TaskIndex): EventNs {
    return this.#tasks.startOf(task);
  }

  /** Infinity while it has not ended. A thread whose exit nobody saw ends with its process, or at its next exec. */
  exitOf(task: TaskIndex): EventNs {
    return this.#reader.endOf(task);
  }

  /** Has anybody said that it ended? */
  isExitSaid(task: TaskIndex): boolean {
    return this.#tasks.hasEnded(task);
  }

  exitAuthorityOf(task: TaskIndex): Authority | undefined {
    if (this.#tasks.hasEnded(task) && this.#tasks.exitOf(task) === this.exitOf(task)) {
      return this.#tasks.exitAuthorityOf(task);
    }
    return this.exitOf(task) === Number.POSITIVE_INFINITY ? undefined : AUTHORITY.inferred;
  }

  exitCodeOf(task: TaskIndex): number | undefined {
    const code = this.#tasks.exitCodeOf(task);
    return code === NOT_KNOWN ? undefined : code;
  }

  /** Time of the end that told code and signal; undefined when neither is known. */
  exitStatusTimeOf(task: TaskIndex): EventNs | undefined {
    const isKnown = this.exitCodeOf(task) !== undefined || this.exitSignalOf(task) !== undefined;
    return isKnown ? this.#tasks.exitStatusTimeOf(task) : undefined;
  }

  exitSignalOf(task: TaskIndex): number | undefined {
    const signal = this.#tasks.exitSignalOf(task);
    return signal === NOT_KNOWN ? undefined : signal;
  }

  isAliveAt(task: TaskIndex, at: EventNs): boolean {
    return this.#tasks.startOf(task) <= at && at <= this.#reader.endOf(task);
  }

  /**
   * Threads of a leader other than itself, dead ones too, evicted ones and ones that were only mentioned as well, in no
   * order: the first one, then `nextThreadOf`.
   */
  firstThreadOf(leader: TaskIndex): TaskIndex {
    return this.#tasks.firstThreadOf(leader);
  }

  /** NO_TASK after the last one. */
  nextThreadOf(thread: TaskIndex): TaskIndex {
    return this.#tasks.nextThreadOf(thread);
  }

  /** Those of them that are present. For convenience; a loop over first and next costs less. */
  threadsOf(leader: TaskIndex): TaskIndex[] {
    const threads: TaskIndex[] = [];
    for (let thread = this.firstThreadOf(leader); thread !== NO_TASK; thread = this.nextThreadOf(thread)) {
      if (this.#tasks.isPresent(thread)) threads.push(thread);
    }
    return threads;
  }

  /** Tasks that a task created, threads too, in no order: the first one, then `nextCreatedOf`. */
  firstCreatedBy(creator: TaskIndex): TaskIndex {
    return this.#tasks.firstCreatedBy(creator);
  }

  /** The next one that the same creator created; NO_TASK after the last one. */
  nextCreatedOf(task: TaskIndex): TaskIndex {
    return this.#tasks.nextCreatedOf(task);
  }

  creatorAuthorityOf(task: TaskIndex): Authority {
    return this.#tasks.creatorAuthorityOf(task);
  }

  // --- as of an instant ---

  /** The parent process; NO_TASK when it has none or none is known. */
  parentAt(task: TaskIndex, at: EventNs): TaskIndex {
    return this.#parentReader.parentAt(task, at);
  }

  /** Who said what `parentAt` gave last; undefined where nobody has said anything. */
  get lastParentAuthority(): Authority | undefined {
    return this.#parentReader.lastAuthority;
  }

  /** Since when that is so; undefined where nobody has said anything. */
  get lastParentSince(): EventNs | undefined {
    return this.#parentReader.lastAuthority === undefined ? undefined : this.#parentReader.lastSince;
  }

  /** Was it said or seen by `at` that this is the parent, and does it hold? */
  isParentKnownAt(task: TaskIndex, parent: TaskIndex, at: EventNs): boolean {
    return this.#parentReader.isKnownAt(task, parent, at);
  }

  /** Siblings of siblings that were followed so far to find parents: for who bounds what that may cost. */
  get siblingSteps(): number {
    return this.#parentReader.siblingSteps;
  }

  /** Processes whose parent was `parent` at `at`, dead ones too, in no order. */
  childrenAt(parent: TaskIndex, at: EventNs): TaskIndex[] {
    return this.#parentReader.childrenAt(parent, at);
  }

  textAt(task: TaskIndex, field: TextField, at: EventNs): string | undefined {
    return this.#wireTextAt(task, FIELDS[field].id, at);
  }

  /**
   * What `textOf` gives the text (the wire text) of: tasks with the same text have the same index. 0 where it is not
   * known. Void after the next fact.
   */
  textIndexAt(task: TaskIndex, field: TextField | 'executable' | 'argv' | 'interpreter', at: EventNs): number {
    const entry = this.#reader.find(task, FIELDS[field].id, at);
    return entry < 0 ? NO_TEXT : this.#changelogs.valueOf(entry);
  }

  /** The same of all fields in one walk, by field id; means nothing for numbers. The next call fills the array anew. */
  textIndexesAt(task: TaskIndex, at: EventNs): Int32Array {
    const known = this.#reader.findAll(task, at);
    const { found } = this.#reader;
    this.#textIndexes.fill(NO_TEXT);
    for (let rest = known; rest !== 0; rest &= rest - 1) {
      const field = 31 - Math.clz32(rest & -rest);
      if (IS_TEXT[field]) this.#textIndexes[field] = this.#changelogs.valueOf(found[field] as EntryIndex);
    }
    return this.#textIndexes;
  }

  /**
   * Does a task read this name, its own or that of an ancestor nearby? A walk of bounded length: for a writer that asks at
   * every birth.
   */
  hasNameNearby(task: TaskIndex, name: string, at: EventNs): boolean {
    const entry = this.#reader.find(task, FIELDS.comm.id, at, MAX_STEPS_TO_NAME);
    return entry >= 0 && this.#strings.textOf(this.#changelogs.valueOf(entry)) === name;
  }

  /** Has the task itself said or shown this value of a field by `at`, since its last exec? `value` as for `mergeValue`. */
  says(task: TaskIndex, field: number, at: EventNs, value: number): boolean {
    return this.#reader.says(task, field, at, value);
  }

  numberAt(task: TaskIndex, field: NumberField, at: EventNs): number | undefined {
    const entry = this.#reader.find(task, FIELDS[field].id, at);
    if (entry < 0) return undefined;
    const value = this.#changelogs.valueOf(entry);
    return Number.isNaN(value) ? undefined : value;
  }

  executablePathAt(task: TaskIndex, at: EventNs): string | undefined {
    const text = this.#wireTextAt(task, FIELDS.executable.id, at);
    return text === undefined ? undefined : pathOfWireFile(text);
  }

  valueAt(task: TaskIndex, field: Exclude<FieldName, 'parent'>, at: EventNs): FieldValue {
    const entry = this.#reader.find(task, FIELDS[field].id, at);
    return entry < 0 ? undefined : this.#valueOf(FIELDS[field].id, this.#changelogs.valueOf(entry));
  }

  /**
   * The values of all fields (parent apart) as of `at`, by field id: what `valueAt` gives, in one walk. The array is
   * the tree's own: the next call fills it anew.
   */
  valuesAt(task: TaskIndex, at: EventNs): readonly FieldValue[] {
    const known = this.#reader.findAll(task, at);
    const { found } = this.#reader;
    for (let rest = known | this.#valuesKnown; rest !== 0; rest &= rest - 1) {
      const field = 31 - Math.clz32(rest & -rest);
      const isKnown = (known & (1 << field)) !== 0;
      this.#values[field] = isKnown
        ? this.#valueOf(field, this.#changelogs.valueOf(found[field] as EntryIndex))
        : undefined;
    }
    this.#valuesKnown = known;
    return this.#values;
  }

  /** The wire form of a text value, as `toWireText` gives it: cheap to compare. */
  wireTextAt(task: TaskIndex, field: 'executable' | 'argv' | 'interpreter', at: EventNs): string | undefined {
    return this.#wireTextAt(task, FIELDS[field].id, at);
  }

  /**
   * Since when the task's own value holds, as far as anybody has said or seen; undefined when it has none of its own
   * at `at`. Of a sighting that goes back, the beginning of what it goes back to.
   */
  sinceAt(task: TaskIndex, field: FieldName, at: EventNs): EventNs | undefined {
    if (field === 'parent') return this.#parentReader.sinceAt(task, at);
    const entry = this.#reader.find(task, FIELDS[field].id, at);
    if (entry < 0) return undefined;
    const limit = Math.min(at, this.exitOf(task)) as EventNs;
    const since = this.#changelogs.sinceOf(entry);
    const own = this.#changelogs.find(task, FIELDS[field].id, limit);
    if (own === entry) return since;
    if (this.#changelogs.find(task, FIELDS[field].id, since) !== entry) return undefined;
    const begin = Math.max(this.#tasks.startOf(task), this.#reader.execTimeAt(task, limit) ?? Number.NEGATIVE_INFINITY);
    return Math.max(begin, own === NO_ENTRY ? begin : this.#changelogs.sinceOf(own)) as EventNs;
  }

  /** Time of the first exec after `at`; Infinity when there was none. */
  nextExecAfter(task: TaskIndex, at: EventNs): EventNs {
    return this.#reader.nextExecAfter(task, at);
  }

  /** Time of the last exec by then; undefined while it runs what its creator ran, or where no exec was seen. */
  execTimeAt(task: TaskIndex, at: EventNs): EventNs | undefined {
    return this.#reader.execTimeAt(task, at);
  }

  /** Who said the value that holds at `at`; undefined when nobody has said any. */
  authorityAt(task: TaskIndex, field: FieldName, at: EventNs): Authority | undefined {
    if (field === 'parent') return this.#parentReader.authorityAt(task, at);
    const entry = this.#reader.find(task, FIELDS[field].id, at);
    return entry < 0 ? undefined : this.#changelogs.authorityOf(entry);
  }

  /**
   * Is what held at `at` no longer kept? Then it reads as not known. A field keeps its newest entries, and so does the
   * task from which another has its value.
   */
  isTrimmedAt(task: TaskIndex, field: FieldName, at: EventNs): boolean {
    if (field === 'parent') return this.#parentReader.isTrimmedAt(task, at);
    return this.#reader.find(task, FIELDS[field].id, at) === TRIMMED;
  }

  /** The fields for which `isTrimmedAt` holds. */
  trimmedAt(task: TaskIndex, at: EventNs): readonly FieldName[] {
    return this.#changelogs.hasTrimmed || this.#parents.hasTrimmed
      ? FIELD_NAMES.filter((field) => this.isTrimmedAt(task, field, at))
      : NO_FIELDS;
  }

  /** The task's own entries of a field, oldest first. Parents are TaskIds. */
  changelogOf(task: TaskIndex, field: FieldName): ChangelogEntry[] {
    const entries: ChangelogEntry[] = [];
    if (field === 'parent') {
      this.#parents.forEachOf(task, (parent, since, authority) => {
        entries.push({ since, authority, value: parent === NO_TASK ? undefined : this.#tasks.taskIdOf(parent) });
      });
      return entries.reverse();
    }
    const id = FIELDS[field].id;
    for (let entry = this.#changelogs.headOf(task); entry !== NO_ENTRY; entry = this.#changelogs.nextOf(entry)) {
      if (this.#changelogs.fieldOf(entry) !== id) continue;
      entries.push({
        since: this.#changelogs.sinceOf(entry),
        authority: this.#changelogs.authorityOf(entry),
        value: this.#valueOf(id, this.#changelogs.valueOf(entry)),
      });
    }
    return entries.reverse();
  }

  /** By `from`. */
  gaps(): readonly Gap[] {
    return this.#gaps;
  }

  // --- facts out ---

  /** Writes every fact about one task: whoever merges them knows the task as this tree does. */
  writeFacts(task: TaskIndex, out: FactWriter): void {
    const id = this.#tasks.taskIdOf(task);
    this.writeTaskFacts(task, out);
    for (let entry = this.#changelogs.headOf(task); entry !== NO_ENTRY; entry = this.#changelogs.nextOf(entry)) {
      const field = this.#changelogs.fieldOf(entry);
      const value = this.#changelogs.valueOf(entry);
      const text = IS_TEXT[field] ? this.#strings.textOf(value) : undefined;
      const wire = text !== undefined ? out.numberedText(value, text) : value;
      out.set(id, field, this.#changelogs.sinceOf(entry), this.#changelogs.authorityOf(entry), wire);
    }
    const trimmed = this.#changelogs.trimmedOf(task);
    for (let field = 1; trimmed >> field !== 0; field++) {
      if ((trimmed & (1 << field)) === 0) continue;
      out.set(id, field, LONG_AGO, AUTHORITY.inferred, IS_TEXT[field] ? NO_TEXT : Number.NaN);
    }
    this.#parents.forEachOf(task, (parent, since, authority) => {
      out.set(id, PARENT, since, authority, parent === NO_TASK ? Number.NaN : this.#tasks.taskIdOf(parent));
    });
    if (this.#parents.isTrimmed(task)) out.set(id, PARENT, LONG_AGO, AUTHORITY.inferred, Number.NaN);
    if (!this.#tasks.hasEnded(task)) return;
    const exit = this.#tasks.exitOf(task);
    out.exit(id, exit, this.#tasks.exitAuthorityOf(task), NOT_KNOWN, NOT_KNOWN);
    const code = this.#tasks.exitCodeOf(task);
    const signal = this.#tasks.exitSignalOf(task);
    if (code === NOT_KNOWN && signal === NOT_KNOWN) return;
    out.exit(id, this.#tasks.exitStatusTimeOf(task), this.#tasks.exitStatusAuthorityOf(task), code, signal);
  }

  /** As `writeFacts`, who it is alone: two facts where the creator was named by a weaker source than the start. */
  writeTaskFacts(task: TaskIndex, out: FactWriter): void {
    const id = this.#tasks.taskIdOf(task);
    const creator = this.#tasks.creatorOf(task);
    const authority = this.#tasks.authorityOf(task);
    const creatorAuthority = creator === NO_TASK ? authority : this.#tasks.creatorAuthorityOf(task);
    const write = (as: Authority, createdBy: TaskId) =>
      out.task(
        id,
        this.#tasks.tidOf(task),
        this.#tasks.pidOf(task),
        this.#idOf(this.#tasks.leaderOf(task)),
        createdBy,
        this.#tasks.startOf(task),
        this.#tasks.entityIdOf(task),
        this.#tasks.flagsOf(task),
        as,
      );
    if (creatorAuthority !== authority) write(authority, NO_TASK_ID);
    write(creatorAuthority, this.#idOf(creator));
  }

  // --- inside ---

  #wireTextAt(task: TaskIndex, field: number, at: EventNs): string | undefined {
    const entry = this.#reader.find(task, field, at);
    return entry < 0 ? undefined : this.#strings.textOf(this.#changelogs.valueOf(entry));
  }

  #valueOf(field: number, value: number): FieldValue {
    if (!IS_TEXT[field]) return Number.isNaN(value) ? undefined : value;
    const text = this.#strings.textOf(value);
    const type = fieldType(field);
    if (text === undefined || type === undefined) return undefined;
    return type === 'string' ? text : this.#parsed(type, value, text);
  }

  // The same programs and arguments are asked for again and again; what is given out is never changed.
  #parsed(type: FieldType, index: number, text: string): FieldValue {
    const cache = type === 'file' ? this.#parsedFiles : this.#parsedLists;
    const known = cache[index];
    if (known !== undefined) return known;
    while (cache.length < index) cache.push(undefined); // an array with holes is a slow one
    const value = fromWireText(type, text);
    cache[index] = value;
    if (++this.#parsedCount > MAX_PARSED) this.#forgetParsed();
    return value;
  }

  #forgetParsed(): void {
    this.#parsedFiles.length = 0;
    this.#parsedLists.length = 0;
    this.#parsedCount = 0;
  }

  // Fields are compared by what they say, never by this tree's own indexes: two trees must settle a tie alike.
  #compareValues(field: number, a: number, b: number): number {
    if (a === b) return 0;
    if (!IS_TEXT[field]) {
      if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
      return a - b;
    }
    if (a === NO_TEXT || b === NO_TEXT) return a - b;
    const [textA = '', textB = ''] = [this.#strings.textOf(a), this.#strings.textOf(b)];
    return textA < textB ? -1 : textA > textB ? 1 : 0;
  }

  #idOf(task: TaskIndex): TaskId {
    return task === NO_TASK ? NO_TASK_ID : this.#tasks.taskIdOf(task);
  }

  /** The slot of a task that a fact names, made when there is none. */
  #named(task: TaskId): TaskIndex {
    return Number.isSafeInteger(task) && task > NO_TASK_ID ? this.#tasks.ensure(task) : NO_TASK;
  }

  #internBatchText(wire: number): number {
    if (wire === 0) return NO_TEXT;
    const known = this.#batchTextIndexes[wire - 1] ?? 0;
    if (known !== 0) return known;
    const index = this.#strings.intern(this.#batchTexts[wire - 1] ?? '');
    this.#batchTextIndexes[wire - 1] = index;
    return index;
  }

  // Tasks that are not present and that nobody refers to any more, unless facts about them came before their task
  // fact. To forget one can leave the next one without anybody who refers to it: a chain of them goes in this loop.
  #forgetAbandoned(): void {
    for (let task = this.#tasks.takeAbandoned(); task !== NO_TASK; task = this.#tasks.takeAbandoned()) {
      if (this.#tasks.isStub(task) || !this.#hasFacts(task)) this.#forget(task);
    }
  }

  /** What the readers keep is void. */
  #noteChange(): void {
    this.#reader.noteChange();
    this.#parentReader.noteChange();
  }

  #touch(task: TaskIndex): void {
    if (task !== NO_TASK) for (const watch of this.#watches) watch.note(task);
  }

  #touchEvery(): void {
    for (const watch of this.#watches) watch.noteEvery();
  }

  /** Of a task to which nobody refers. */
  #forget(task: TaskIndex): void {
    this.#touch(task);
    if (this.#parents.hasLinks(task)) this.#parents.clear(task);
    if (this.#changelogs.headOf(task) !== NO_ENTRY) this.#changelogs.clear(task);
    this.#tasks.freeSlot(task);
    this.#parentReader.noteFree(task);
  }

  #hasFacts(task: TaskIndex): boolean {
    return this.#changelogs.headOf(task) !== NO_ENTRY || this.#parents.hasLinks(task) || this.#tasks.hasEnded(task);
  }
}

/** What the texts of one tree are in another. */
export class CopiedTexts {
  #from: TemporalTree | undefined;
  #to: TemporalTree | undefined;
  #generations = '';
  #indexes = new Int32Array(1024);

  /** Index there -> index here, 0 = not looked up yet. */
  between(from: TemporalTree, to: TemporalTree): Int32Array {
    const generations = `${from.textGeneration} ${to.textGeneration}`;
    if (this.#from !== from || this.#to !== to || this.#generations !== generations) this.#indexes.fill(0);
    this.#from = from;
    this.#to = to;
    this.#generations = generations;
    return this.#indexes;
  }

  /** @returns `here` */
  add(there: number, here: number): number {
    // Until the next call of `between` those who hold the columns look texts beyond their end up again.
    if (there >= this.#indexes.length) this.#indexes = grown(this.#indexes, 2 * there, 0);
    this.#indexes[there] = here;
    return here;
  }
}

/** Where `writeFacts` writes: a BatchWriter. */
export interface FactWriter extends Omit<FactVisitor, 'strings' | 'evict' | 'gap'> {
  /**
   * @param number of this text and no other, until the writer is emptied
   * @returns what a text value of this text is in `set`
   */
  numberedText(number: number, text: string): number;
}

function byFieldId(answer: (field: FieldName) => boolean): readonly boolean[] {
  return Array.from({ length: FIELD_COUNT }, (_, id) => {
    const name = fieldName(id);
    return name !== undefined && answer(name);
  });
}
